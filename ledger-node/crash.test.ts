/**
 * A node that dies at any message of any flow, before the message leaves or after its answer is lost. After a restart the flow
 * has happened once, everywhere, and what follows goes on as if nothing had been.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PeerReply } from "#contracts";
import { canonicalJson } from "#core";
import { joinLife, moveToCommand, promiseLife, SmallNetwork } from "#testkit";

type Crash = {
  /** The command during which the node dies. */
  readonly step: number;
  /** The message, counted from its first, at which it dies. */
  readonly message: number;
  readonly when: "before it leaves" | "before its answer comes";
};

/** Lets a party die: from its message on, nothing reaches it and nothing leaves it. Tells whether it came to that. */
function dying(small: SmallNetwork, name: string, { message, when }: Crash): { readonly isDead: () => boolean } {
  const key = small.key(name);
  let sent = 0;
  small.wire.intercept = async (from, to, request, next) => {
    if (from !== key && to !== key) return next(request);
    if (to === key && sent > message) return unreachable();
    if (from !== key) return next(request);
    sent += 1;
    if (sent === message + 1 && when === "before its answer comes") await next(request);
    return sent > message ? new Promise<PeerReply>(() => undefined) : next(request);
  };
  return { isDead: () => sent > message };
}

function unreachable(): PeerReply {
  return { tag: "refused", refusal: { tag: "node_unreachable" } };
}

/** Money, energy, what is promised, delivered and settled: all that must not depend on a crash. */
async function outcome(small: SmallNetwork): Promise<readonly string[]> {
  const names = ["alice", "bob", "carol", "power-company", "grid-authority", "marketplace"];
  const balances = names.map((name) => `${name} has ${small.balance(name)}`);
  const records = small.node("grid-authority").unspent("delivery-record").map(canonicalJson);
  const settled = names.flatMap((name) => small.node(name).unspent("slot-settlement").map(canonicalJson));
  const promises = small.node("grid-authority").unspent("power-promise").map(canonicalJson);
  return [...balances, ...records, ...settled, ...promises].sort();
}

async function lived(crash: Crash | undefined): Promise<{ readonly end: readonly string[]; readonly died: boolean }> {
  const small = await SmallNetwork.found();
  let died = false;
  try {
    await joinLife(small);
    for (const [step, [name, command]] of promiseLife(small).entries()) {
      moveToCommand(small, command);
      if (step === crash?.step) {
        const { isDead } = dying(small, name, crash);
        const answer = await Promise.race([small.submit(name, command), quiet()]);
        died = isDead();
        small.wire.intercept = undefined;
        if (died) await small.ledger.restart(name);
        expect(small.node(name).underWay).toEqual({ commands: 0, messages: 0 });
        const repeated = await small.run(name, command);
        // It was finished at the restart, or before: nobody had to ask again.
        expect([answer, repeated.status]).toEqual([answer, "exists"]);
      } else {
        await small.run(name, command);
      }
    }
    const { issuedMicros, heldMicros } = small.ledger.moneyHeld();
    expect(heldMicros).toBe(issuedMicros);
    return { end: await outcome(small), died };
  } finally {
    small.close();
  }
}

/** Long enough that everything that can happen has happened: the nodes wait for no timers. */
async function quiet(): Promise<undefined> {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  return undefined;
}

describe("a node that dies during a flow", () => {
  test("has carried it out once after its restart, whatever the flow and the message", async () => {
    const { end } = await lived(undefined);
    let deaths = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          step: fc.nat(14),
          message: fc.nat(11),
          when: fc.constantFrom("before it leaves" as const, "before its answer comes" as const),
        }),
        async (crash) => {
          const disturbed = await lived(crash);
          if (disturbed.died) deaths += 1;
          expect(disturbed.end).toEqual(end);
        },
      ),
      { numRuns: 30, seed: 1 },
    );
    expect(deaths).toBeGreaterThan(10);
  }, 300_000);
});
