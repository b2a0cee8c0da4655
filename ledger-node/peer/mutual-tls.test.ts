/** Peers over TLS with certificates of the network's own authority, made by the `openssl` program where there is one. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PeerReply } from "#contracts";
import { seededEntropy } from "#core";
import { HttpTransport, mutualTlsServerOptions, newPeerCounters, type PeerTls, servePeers } from "#ledger-node";
import { keyOf, signerOf, systemClock } from "#testkit";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const [alice, bob] = [keyOf("alice"), keyOf("bob")];

/** Makes authorities and certificates for this machine in a folder. */
class Certificates {
  readonly #folder = mkdtempSync(join(tmpdir(), "dream-peer-tls-"));

  authority(name: string): string {
    const subject = ["-subj", `/CN=${name}`, "-days", "2", "-keyout", this.#file(name, "key")];
    this.#openssl("req", "-x509", ...NEW_KEY, ...subject, "-out", this.#file(name, "crt"));
    return name;
  }

  issue(authority: string, name: string): Required<PeerTls> {
    const request = this.#file(name, "csr");
    this.#openssl("req", ...NEW_KEY, "-subj", `/CN=${name}`, "-keyout", this.#file(name, "key"), "-out", request);
    writeFileSync(this.#file(name, "ext"), "subjectAltName=IP:127.0.0.1\n");
    const signing = ["-CA", this.#file(authority, "crt"), "-CAkey", this.#file(authority, "key"), "-CAcreateserial"];
    const out = ["-days", "2", "-extfile", this.#file(name, "ext"), "-out", this.#file(name, "crt")];
    this.#openssl("x509", "-req", "-in", request, ...signing, ...out);
    return { ca: this.#read(authority, "crt"), certificate: this.#read(name, "crt"), key: this.#read(name, "key") };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #file(name: string, extension: string): string {
    return join(this.#folder, `${name}.${extension}`);
  }

  #read(name: string, extension: string): string {
    return readFileSync(this.#file(name, extension), "utf8");
  }

  #openssl(...options: readonly string[]): void {
    execFileSync("openssl", options, { stdio: "pipe" });
  }
}
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

if (!hasOpenssl) test.skip("mutual TLS: skipped, there is no openssl program here to make certificates with");

describe.runIf(hasOpenssl)("peers with mutual TLS", () => {
  let certificates: Certificates;
  let tls: Record<"alice" | "bob" | "stranger", Required<PeerTls>>;
  let address: string;
  let stop: () => Promise<unknown>;
  const counters = newPeerCounters();

  beforeAll(async () => {
    certificates = new Certificates();
    const network = certificates.authority("network-authority");
    const other = certificates.authority("other-authority");
    tls = {
      alice: certificates.issue(network, "alice"),
      bob: certificates.issue(network, "bob"),
      stranger: certificates.issue(other, "stranger"),
    };
    const server = Fastify({ https: mutualTlsServerOptions(tls.bob) });
    const handler = { party: bob, handle: async (): Promise<PeerReply> => ({ tag: "stored" }) };
    servePeers(server, {
      networkId: "network",
      parties: [{ signer: signerOf("bob"), handler }],
      directory: { addressOf: (key) => (key === alice || key === bob ? "known" : undefined) },
      clock: systemClock,
      counters,
    });
    const listening: Promise<string> = server.listen({ host: "127.0.0.1", port: 0 });
    address = await listening;
    stop = async () => {
      await server.close();
    };
  });
  afterAll(async () => {
    await stop();
    certificates.remove();
  });

  const ask = async (tlsOfAlice: PeerTls | undefined, at = address): Promise<readonly [string, string | undefined]> => {
    const transport = new HttpTransport({
      networkId: "network",
      signer: signerOf("alice"),
      directory: { addressOf: () => at },
      clock: systemClock,
      entropy: seededEntropy("tls", `${counters.envelopesSent}`),
      counters,
      ...(tlsOfAlice === undefined ? {} : { tls: tlsOfAlice }),
    });
    const reply = await transport.request(alice, bob, { tag: "sequence", count: 1 });
    const [state] = transport.peers();
    transport.close();
    return [reply.tag === "refused" ? reply.refusal.tag : reply.tag, state?.lastFailure];
  };

  test("answer who has a certificate of the network's authority", async () => {
    expect(address).toMatch(/^https:/);
    expect(await ask(tls.alice)).toEqual(["stored", undefined]);
  });

  test("do not answer who has none, or one of another authority", async () => {
    const before = counters.envelopesReceived;
    const [noCertificate] = await ask({ ca: tls.alice.ca });
    const [foreign] = await ask({ ...tls.stranger, ca: tls.alice.ca });
    const [plain] = await ask(undefined, address.replace("https:", "http:"));
    expect([noCertificate, foreign, plain]).toEqual(["node_unreachable", "node_unreachable", "node_unreachable"]);
    expect(counters.envelopesReceived).toBe(before);
  });

  test("are not trusted when their certificate is of another authority, or of none that was named", async () => {
    for (const trusted of [{ ...tls.alice, ca: tls.stranger.ca }, undefined]) {
      const [reply, failure] = await ask(trusted);
      expect(reply).toBe("node_unreachable");
      expect(failure).toMatch(/CERT|SELF_SIGNED|UNABLE/);
    }
  });

  test("are not trusted at an address that their certificate does not name", async () => {
    expect(await ask(tls.alice, address.replace("127.0.0.1", "localhost"))).toEqual([
      "node_unreachable",
      "ERR_TLS_CERT_ALTNAME_INVALID",
    ]);
  });
});
