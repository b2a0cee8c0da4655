/** A notary whose log was restored from an old copy makes nothing final until it has been repaired from the nodes' stores. */
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClientCommand, LedgerRefusal } from "#contracts";
import { localDayAt, nextLocalDay, type Result, slotsOfLocalDay, wattHours, zone } from "#core";
import { ProcessNetwork } from "#testkit";

const MEMBERS = `network: { id: test/repair, slotMinutes: 15, timeZone: UTC }
members:
  - { name: grid, roles: [grid-authority, meter-operator, payment-provider, marketplace, verifier] }
  - { name: power, roles: [power-company] }
  - { name: wind, roles: [producer], capacityWhPerSlot: 100000, openingFundsPieces: 10 }
`;
const UTC = zone("UTC");
let network: ProcessNetwork;

beforeAll(async () => {
  network = await ProcessNetwork.start({ members: MEMBERS, host: process });
  await network.funded("wind");
}, 120_000);
afterAll(() => network?.stop(), 60_000);

function promising(commandId: string): ClientCommand {
  const slots = slotsOfLocalDay(UTC, nextLocalDay(nextLocalDay(localDayAt(UTC, Date.now()))), 15);
  const [slot] = slots;
  if (slot === undefined) throw new Error("a day has slots");
  return { tag: "create-promises", commandId, promises: [{ slot: slot.id, energy: wattHours(1_000n) }] };
}

function codeOf(result: Result<unknown, LedgerRefusal>): string {
  return result.ok ? "ok" : result.error.tag;
}

test("the log lacks what the nodes have: refused, repaired, and on it goes", async () => {
  const log = join(network.folder, "notary", "notary.sqlite");
  await network.run("wind", promising("before the copy"));
  await network.down();
  copyFileSync(log, `${log}.copy`);
  await network.up();
  await network.run("wind", promising("after the copy"));
  const running = await network.command("repair");
  expect(running).toMatchObject({ code: 1, stderr: expect.stringContaining("notary: is running; stop it first") });
  await network.down();
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${log}${suffix}`, { force: true });
  copyFileSync(`${log}.copy`, log);
  await network.up();
  await network.eventually("the notary knows that its log is old", async () => {
    const answer = await network.client("wind").submit(promising("on the old log"));
    return codeOf(answer) === "notary_outdated";
  });
  await network.down();
  const repaired = await network.command("repair", "--json");
  expect(JSON.parse(repaired.stdout)).toMatchObject({ notary: "notary", appended: [expect.any(String)], refused: [] });
  expect((await network.command("repair")).stdout).toMatch(/^notary: 0 transactions were missing/);
  await network.up();
  await network.eventually(
    "what was refused is carried out",
    async () => codeOf(await network.client("wind").submit(promising("on the old log"))) === "ok",
  );
  const promises = await network.states("wind", "power-promise");
  expect(promises.map(({ promiseId }) => promiseId).sort()).toEqual([
    "after the copy/0",
    "before the copy/0",
    "on the old log/0",
  ]);
  await network.down();
  expect(network.audit()).toMatchObject({ ok: true, value: { violations: [] } });
}, 240_000);
