/** The HTTP side of a node's peers: one route that takes an envelope and gives its reply envelope. */
import type { FastifyInstance, FastifyReply, RawServerBase } from "fastify";
import { ENVELOPE_BYTES_MAX, type EnvelopeRefusal } from "#contracts";
import { PeerReceiver, type PeerReceiverOptions } from "./peer-receiver.ts";

export const PEER_PATH = "/peer/v1";
export const PEER_CONTENT_TYPE = "application/cbor";

const STATUS: Readonly<Record<EnvelopeRefusal, number>> = {
  envelope_too_large: 413,
  envelope_malformed: 400,
  envelope_foreign: 403,
  envelope_misdirected: 421,
  sender_unknown: 403,
  envelope_expired: 403,
  envelope_forged: 403,
  envelope_replayed: 409,
  sender_busy: 429,
};

/** Adds `POST /peer/v1` to a server. A refusal is a status and `{"code": …}`, and nothing more. */
export function servePeers<Server extends RawServerBase>(
  app: FastifyInstance<Server>,
  options: PeerReceiverOptions,
): void {
  const receiver = new PeerReceiver(options);
  // In a scope of its own: parser and error handler are for this route only.
  app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      PEER_CONTENT_TYPE,
      { parseAs: "buffer", bodyLimit: ENVELOPE_BYTES_MAX },
      async (_request: unknown, body: Buffer) => body,
    );
    scope.setErrorHandler((error: { readonly code?: string }, _request, reply) => {
      const isTooLarge = error.code === "FST_ERR_CTP_BODY_TOO_LARGE";
      if (error.code?.startsWith("FST_") !== true) options.onFault?.(error);
      return refuse(reply, isTooLarge ? "envelope_too_large" : "envelope_malformed");
    });
    scope.post(PEER_PATH, { bodyLimit: ENVELOPE_BYTES_MAX }, async ({ body }, reply) => {
      if (!(body instanceof Uint8Array)) return refuse(reply, "envelope_malformed");
      // A Buffer's slices would share its memory: what is kept of a message would keep all of it.
      const answer = await receiver.receive(new Uint8Array(body.buffer, body.byteOffset, body.byteLength));
      if (!answer.ok) return refuse(reply, answer.error);
      const { buffer, byteOffset, byteLength } = answer.value;
      return reply.type(PEER_CONTENT_TYPE).send(Buffer.from(buffer, byteOffset, byteLength));
    });
    done();
  });
}

function refuse<Reply extends Pick<FastifyReply, "code" | "send">>(reply: Reply, code: EnvelopeRefusal): unknown {
  return reply.code(STATUS[code]).send({ code });
}
