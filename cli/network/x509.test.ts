/** Certificates that Node's own reader and TLS accept, and refuse where they must. */
import { X509Certificate } from "node:crypto";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { seededEntropy } from "#core";
import { newTlsAuthority, newTlsIdentity, type TlsIdentity } from "./x509.ts";

const entropy = seededEntropy(1, "x509");
const nowMs = Date.now();
const authority = newTlsAuthority("dream test", entropy, nowMs);
const other = newTlsAuthority("dream test", entropy, nowMs);

test("are read as what they are", () => {
  const own = new X509Certificate(authority.certificate);
  expect([own.subject, own.issuer, own.ca]).toEqual(["CN=dream test", "CN=dream test", true]);
  expect(own.verify(own.publicKey)).toBe(true);
  for (const [host, written] of [
    ["127.0.0.1", "IP Address:127.0.0.1"],
    ["node.example.org", "DNS:node.example.org"],
    ["::1", "IP Address:0:0:0:0:0:0:0:1"],
    ["2001:db8::8:800:200c:417a", "IP Address:2001:DB8:0:0:8:800:200C:417A"],
  ] as const) {
    const made = newTlsIdentity("home", host, authority, { entropy, nowMs });
    const read = new X509Certificate(made.certificate);
    expect([read.subject, read.issuer, read.ca, read.subjectAltName]).toEqual([
      "CN=home",
      "CN=dream test",
      false,
      written,
    ]);
    expect(read.checkIssued(own)).toBe(true);
    expect(read.verify(own.publicKey)).toBe(true);
    expect(read.verify(new X509Certificate(other.certificate).publicKey)).toBe(false);
    expect(Date.parse(read.validFrom)).toBeLessThan(nowMs);
  }
});

/** What a client with `shown` hears of a server that asks for certificates of the authority; undefined when it is turned away. */
async function heard(shown: TlsIdentity | undefined, trusted: string, host = "127.0.0.1"): Promise<string | undefined> {
  const own = newTlsIdentity("server", host, authority, { entropy, nowMs });
  const server = createServer(
    {
      cert: own.certificate,
      key: own.privateKey,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (socket: TLSSocket) => socket.end(`hello ${socket.getPeerCertificate().subject.CN}`),
  );
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise((resolve) => {
      const identity = shown === undefined ? {} : { cert: shown.certificate, key: shown.privateKey };
      const socket = connect({ port, host: "127.0.0.1", ca: trusted, ...identity });
      socket.on("data", (data: Buffer) => resolve(data.toString()));
      socket.on("error", () => resolve(undefined));
      socket.on("close", () => resolve(undefined));
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

test("let both sides know each other, and nobody else", async () => {
  const client = newTlsIdentity("client", "127.0.0.1", authority, { entropy, nowMs });
  expect(await heard(client, authority.certificate)).toBe("hello client");
  expect(await heard(undefined, authority.certificate)).toBeUndefined();
  expect(
    await heard(newTlsIdentity("client", "127.0.0.1", other, { entropy, nowMs }), authority.certificate),
  ).toBeUndefined();
  expect(await heard(client, other.certificate)).toBeUndefined();
  expect(await heard(client, authority.certificate, "10.0.0.1")).toBeUndefined();
});
