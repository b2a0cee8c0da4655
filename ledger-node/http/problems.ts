/** Every answer that refuses a request has a code, its status, and a sentence that says how to mend it. */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import {
  API_STATUS,
  type ApiRefusal,
  type ApiRefusalCode,
  apiRefusalSchema,
  encodeJson,
  LEDGER_REFUSED_STATUS,
  ledgerRefusedSchema,
  type RequestIssue,
} from "#ledger-api";
import { StoreFull } from "../stores/node-store.ts";

const MENDS: Readonly<Record<ApiRefusalCode, string>> = {
  not_found: "ask for a path of the interface's description",
  method_not_allowed: "use a method that the header Allow names",
  request_unsigned: "sign the request in its Authorization header",
  request_foreign: "sign for this network and this node's party",
  request_expired: "set the clock, and sign again",
  signature_invalid: "sign the method, path and body that are sent",
  request_forbidden: "use a key that may do this: an owner's, a delegate's with a mandate, or an auditor's",
  media_type_unsupported: "send application/json",
  body_too_large: "send less",
  request_replayed: "sign again with a fresh nonce",
  requests_exhausted: "wait until earlier requests have expired, and sign again",
  request_malformed: "mend each issue",
  events_unknown: "read the states again and listen from now on",
  listeners_exhausted: "close other listeners first",
  internal_error: "send it again with the same command id; the operator finds the cause in the node's log",
};

/** Refuses a request from within Fastify's hooks and parsers. */
export class RequestRefused extends Error {
  override readonly name = "RequestRefused";
  readonly refused: ApiRefusalCode;
  readonly issues: readonly RequestIssue[];

  constructor(refused: ApiRefusalCode, issues: readonly RequestIssue[] = []) {
    super(refused);
    this.refused = refused;
    this.issues = issues;
  }
}

export function refusalJson(code: ApiRefusalCode, issues: readonly RequestIssue[] = []): string {
  const refusal: ApiRefusal = { code, mend: MENDS[code], ...(issues.length === 0 ? {} : { issues }) };
  return encodeJson(apiRefusalSchema, refusal);
}

export function sendRefusal(reply: FastifyReply, code: ApiRefusalCode, issues?: readonly RequestIssue[]): FastifyReply {
  if (code === "request_unsigned") reply.header("www-authenticate", "Dream");
  return reply
    .code(API_STATUS[code])
    .type("application/json; charset=utf-8")
    .serializer((json: string) => json)
    .send(refusalJson(code, issues));
}

/** The node can't remember a request that changes something, so it does not take it: the ledger's word for it. */
function sendStoreFull(reply: FastifyReply): FastifyReply {
  return reply
    .code(LEDGER_REFUSED_STATUS)
    .type("application/json; charset=utf-8")
    .serializer((json: string) => json)
    .send(encodeJson(ledgerRefusedSchema, { refusal: { tag: "store_full" } }));
}

/** Fastify's own codes as ours. */
const FASTIFY_CODES: Readonly<Record<string, ApiRefusalCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "body_too_large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "media_type_unsupported",
};

/** Answers whatever went wrong with a code. @param onFault - Told of what is the node's own fault. */
export function errorHandler(
  onFault: (error: unknown) => void,
): (error: FastifyError | RequestRefused, request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (error, _request, reply) => {
    if (error instanceof RequestRefused) return sendRefusal(reply, error.refused, error.issues);
    if (error instanceof StoreFull) return sendStoreFull(reply);
    const known = FASTIFY_CODES[error.code];
    if (known !== undefined) return sendRefusal(reply, known);
    const isOfRequest = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
    if (isOfRequest) return sendRefusal(reply, "request_malformed");
    onFault(error);
    return sendRefusal(reply, "internal_error");
  };
}
