/** Takes only requests that are signed, for a party of this node, of now, by a key that may, and not seen before. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { hashOf, type PublicKey } from "#core";
import { isStampValid, networkLabel, parseStamp, type RequestStamp } from "#ledger-api";
import type { Permission } from "./access.ts";
import type { AskedParties, AskedParty } from "./asked-parties.ts";
import type { Nonces } from "./nonces.ts";
import { RequestRefused } from "./problems.ts";
import type { ServedLedger } from "./served-ledger.ts";

export type Guard = {
  readonly onRequest: (request: FastifyRequest) => Promise<void>;
  readonly preValidation: (request: FastifyRequest) => Promise<void>;
};

export class Authentication {
  readonly #label: string;
  readonly #parties: AskedParties;
  readonly #nonces: Nonces;
  readonly #stamps = new WeakMap<FastifyRequest, RequestStamp>();
  readonly #asked = new WeakMap<FastifyRequest, AskedParty>();

  constructor(networkId: string, parties: AskedParties, nonces: Nonces) {
    this.#label = networkLabel(networkId);
    this.#parties = parties;
    this.#nonces = nonces;
  }

  /** The key that signed a request which passed the guard. */
  keyOf(request: FastifyRequest): PublicKey {
    const stamp = this.#stamps.get(request);
    if (stamp === undefined) throw new RequestRefused("request_unsigned");
    return stamp.key;
  }

  /** The party for which a request that passed the guard was signed. */
  partyOf(request: FastifyRequest): AskedParty {
    const party = this.#asked.get(request);
    if (party === undefined) throw new RequestRefused("request_unsigned");
    return party;
  }

  /** The ledger of that party. */
  ledgerOf(request: FastifyRequest): ServedLedger {
    const { ledger } = this.partyOf(request);
    if (ledger === undefined) throw new RequestRefused("not_found");
    return ledger;
  }

  /**
   * The hooks of a route. What costs little and reveals nothing comes first: the body of a request that nobody signed, or that
   * its signer may not send, is not even read.
   */
  guard(permission: Permission, isChange: boolean): Guard {
    return {
      onRequest: async (request) => {
        const stamp = parseStamp(request.headers.authorization);
        if (stamp === undefined) throw new RequestRefused("request_unsigned");
        const party = stamp.networkLabel === this.#label ? this.#parties.of(stamp.node) : undefined;
        if (party === undefined) throw new RequestRefused("request_foreign");
        if (!this.#nonces.isTimely(stamp, isChange)) throw new RequestRefused("request_expired");
        const signed = { method: request.method, path: request.raw.url ?? "" };
        if (!isStampValid(stamp, signed)) throw new RequestRefused("signature_invalid");
        if (!(await party.access.may(stamp.key, permission))) throw new RequestRefused("request_forbidden");
        this.#stamps.set(request, stamp);
        this.#asked.set(request, party);
      },
      preValidation: async (request) => {
        const stamp = this.#stamps.get(request);
        if (stamp === undefined) throw new RequestRefused("request_unsigned");
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        if (hashOf(body) !== stamp.bodyHash) throw new RequestRefused("signature_invalid");
        const claimed = await this.#nonces.claim(stamp, isChange);
        if (claimed !== "new") throw new RequestRefused(claimed === "seen" ? "request_replayed" : "requests_exhausted");
        const json = body.length === 0 ? { value: undefined } : jsonOf(body);
        if (json === undefined) throw new RequestRefused("request_malformed", [{ path: "body", mend: "give JSON" }]);
        request.body = json.value;
      },
    };
  }
}

/** Bodies are kept as bytes until their signature was checked. */
export function takeBodiesAsBytes(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
}

/** Undefined for what is no JSON. */
function jsonOf(body: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body.toString("utf8")) };
  } catch {
    return undefined;
  }
}
