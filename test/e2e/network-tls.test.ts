/** A network with encrypted connections: it works as any other, and who shows no certificate of it is not even heard. */
import { readFileSync, statSync } from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import axios from "axios";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ProcessNetwork } from "#testkit";

const MEMBERS = `network: { id: test/tls }
members:
  - { name: grid, roles: [grid-authority, payment-provider, marketplace, power-company, verifier] }
  - { name: home, roles: [prosumer], capacityWhPerSlot: 1000, openingFundsPieces: 3 }
`;
let network: ProcessNetwork;
beforeAll(async () => {
  network = await ProcessNetwork.start({ members: MEMBERS, host: process, hasTls: true });
}, 120_000);
afterAll(() => network?.stop(), 60_000);

test("members are funded and join over encrypted connections", async () => {
  await network.funded("home");
  expect(network.parties.every(({ address }) => address.startsWith("https://"))).toBe(true);
  expect((await network.command("status")).stdout).toMatch(/test\/tls: 3 of 3 nodes answer/);
  await network.add("{ name: late, roles: [consumer], openingFundsMicros: 5000000, openingFundsPieces: 2 }");
  await network.funded("late");
}, 120_000);

test("who shows no certificate of the network is not heard", async () => {
  const ca = readFileSync(join(network.folder, "tls-authority.pem"));
  const url = `${network.party("home").address}/health`;
  await expect(axios.get(url, { httpsAgent: new Agent({ ca }), proxy: false })).rejects.toThrow();
  const own = {
    cert: readFileSync(join(network.folder, "tls.pem")),
    key: readFileSync(join(network.folder, "tls.key")),
  };
  expect((await axios.get(url, { httpsAgent: new Agent({ ca, ...own }), proxy: false })).status).toBe(200);
});

test("private keys may be read by their owner only", () => {
  for (const file of ["tls-authority.key", "tls.key", "home/tls.key", "late/tls.key"])
    expect(statSync(join(network.folder, file)).mode & 0o777, file).toBe(0o600);
});
