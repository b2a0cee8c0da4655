/** A node that is stopped at any time and started from its store holds what it held, and goes on with its work. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { joinLife, LIFE_TARIFF, moveToCommand, promiseLife, SmallNetwork } from "#testkit";

let folder: string;
let small: SmallNetwork;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dream-restart-"));
  small = await SmallNetwork.found({ folder });
});
afterEach(() => {
  small.close();
  rmSync(folder, { recursive: true });
});

describe("restart", () => {
  test("after every command, every node comes back with the same vault, and the next command succeeds", async () => {
    await joinLife(small);
    for (const [name, command] of promiseLife(small)) {
      moveToCommand(small, command);
      await small.run(name, command);
      const before = await small.everything();
      for (const each of small.ledger.nodeNames) await small.ledger.restart(each);
      expect(await small.everything(), `after ${command.commandId}`).toEqual(before);
    }
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 40_000_000n, heldMicros: 40_000_000n });
  });

  test("a member that joined late keeps the public states that it was introduced to", async () => {
    await joinLife(small);
    await small.run("power-company", LIFE_TARIFF);
    await small.join("late");
    const tags = ["network-parameters", "member", "tariff"] as const;
    const counts = (): readonly number[] => tags.map((tag) => small.node("late").unspent(tag).length);
    expect(counts()).toEqual([1, 9, 1]);
    const before = await small.vaultOf("late");
    await small.ledger.restart("late");
    expect(counts()).toEqual([1, 9, 1]);
    expect(await small.vaultOf("late")).toEqual(before);
  });

  test("a public state that was introduced and then replaced does not come back", async () => {
    await joinLife(small);
    await small.join("late");
    await small.run("grid-authority", {
      tag: "amend-member",
      commandId: "probation",
      member: small.key("alice"),
      standing: "probation",
    });
    const standings = (): readonly string[] =>
      small
        .node("late")
        .unspent("member")
        .filter(({ name }) => name === "alice")
        .map(({ standing }) => standing);
    expect(standings()).toEqual(["probation"]);
    await small.ledger.restart("late");
    expect(standings()).toEqual(["probation"]);
  });
});
