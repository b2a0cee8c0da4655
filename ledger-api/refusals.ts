/** Why a node's HTTP interface refused a request before the ledger had to do with it. Refusals of the ledger are not among them. */
import { recordSchema } from "./records.ts";
import { listSchema, oneOfSchema, optionalSchema, type Schema, textSchema } from "./scalars.ts";

/** In descending precedence: the first that applies is returned. */
export const API_REFUSALS = [
  "not_found",
  "method_not_allowed",
  "request_unsigned",
  "request_foreign",
  "request_expired",
  "signature_invalid",
  "request_forbidden",
  "media_type_unsupported",
  "body_too_large",
  "request_replayed",
  "requests_exhausted",
  "request_malformed",
  "events_unknown",
  "listeners_exhausted",
  "internal_error",
] as const;
export type ApiRefusalCode = (typeof API_REFUSALS)[number];

/** The HTTP status that goes with each code. */
export const API_STATUS: Readonly<Record<ApiRefusalCode, number>> = {
  not_found: 404,
  method_not_allowed: 405,
  request_unsigned: 401,
  request_foreign: 401,
  request_expired: 401,
  signature_invalid: 401,
  request_forbidden: 403,
  media_type_unsupported: 415,
  body_too_large: 413,
  request_replayed: 409,
  requests_exhausted: 503,
  request_malformed: 400,
  events_unknown: 409,
  listeners_exhausted: 503,
  internal_error: 500,
};
/** The HTTP status of an answer that carries a refusal of the ledger. */
export const LEDGER_REFUSED_STATUS = 422;

/** One thing that is wrong with a request: where, and how to mend it. */
export type RequestIssue = { readonly path: string; readonly mend: string };

/** What stands in the body of an answer that refuses a request. */
export type ApiRefusal = {
  readonly code: ApiRefusalCode;
  readonly mend: string;
  /** All that is wrong with a malformed request, up to `ISSUES_MAX`. */
  readonly issues?: readonly RequestIssue[];
};

export const ISSUES_MAX = 100;
export const ISSUE_TEXT_MAX = 300;

const issueSchema = recordSchema<RequestIssue>({
  path: textSchema(ISSUE_TEXT_MAX),
  mend: textSchema(ISSUE_TEXT_MAX),
});

export const apiRefusalSchema: Schema<ApiRefusal> = recordSchema<ApiRefusal>({
  code: oneOfSchema(API_REFUSALS),
  mend: textSchema(ISSUE_TEXT_MAX),
  issues: optionalSchema(listSchema(issueSchema, ISSUES_MAX)),
});
