/** The HTTP server of a node's process, before anything is served on it: limits, and JSON codes for what no route answers. */
import type { Socket } from "node:net";
import fastify, { type FastifyInstance, type FastifyServerOptions } from "fastify";
import { errorHandler, refusalJson, sendRefusal } from "./problems.ts";

export type HttpAppOptions = {
  /** Certificates in PEM; clients must show one that `ca` signed when `ca` is given. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** Told of faults of the node itself. */
  readonly onFault: (error: unknown) => void;
};

/** For bodies of which a route says nothing else. */
const BODY_BYTES_MAX = 64 * 1_024;
const REQUEST_TIMEOUT_MS = 30_000;
/** How often a server that is closing looks for connections that have fallen idle. */
const CLOSING_LOOK_MS = 50;
/** Above the client's, so that it is the client who closes a connection that is idle. */
const KEEP_ALIVE_MS = 75_000;

export function createHttpApp({ tls, onFault }: HttpAppOptions): FastifyInstance {
  const secured = tls === undefined ? {} : { https: { ...tls, requestCert: tls.ca !== undefined } };
  const options: FastifyServerOptions = {
    // Requests are not logged, so nothing of their headers is.
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    onProtoPoisoning: "error",
    frameworkErrors: (_error, _request, reply) => void sendRefusal(reply, "request_malformed"),
    clientErrorHandler: (error, socket) => refuseRaw(socket, error.code),
  };
  // With https the instance's type would name another kind of server; all that is used of it is the same.
  const app = fastify({ ...options, ...secured } as FastifyServerOptions);
  app.setNotFoundHandler((_request, reply) => sendRefusal(reply, "not_found"));
  app.setErrorHandler(errorHandler(onFault));
  endIdleConnections(app);
  return app;
}

/** A connection on which a request was in hand when the server was closed falls idle later, and would be kept open for its next one. */
function endIdleConnections(app: FastifyInstance): void {
  app.addHook("preClose", async () => {
    const look = setInterval(() => app.server.closeIdleConnections(), CLOSING_LOOK_MS);
    app.server.once("close", () => clearInterval(look));
    // A server that never listened is never closed.
    look.unref();
  });
}

/** Answers bytes that are no HTTP request, or whose headers are too long. */
function refuseRaw(socket: Socket, code: string | undefined): void {
  if (code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const body = refusalJson("request_malformed", [{ path: "", mend: "send an HTTP request with short headers" }]);
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
