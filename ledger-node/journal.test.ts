/** What the journal gives back is what was put into it, at every stage. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, hashOf, microsPerKwh, wattHours } from "#core";
import { SLOT, SmallNetwork } from "#testkit";
import { decodeJournaled, encodeJournaled, type JournaledTransaction } from "./journal.ts";

const command = { id: "c", digest: hashOf("digest") };

test("a command that was begun, with integers of any size", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 12n }),
      fc.bigInt(-(2n ** 62n), 2n ** 62n),
      fc.string(),
      (energy, limit, id) => {
        const asked = {
          tag: "place-orders",
          commandId: id,
          marketplace: hashOf(id) as never,
          orders: [{ side: "bid", slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) }],
        } as const;
        const begun = { stage: "begun", command, asked } as const;
        expect(decodeJournaled(encodeJournaled(begun))).toEqual(begun);
      },
    ),
  );
});

test("a transaction with its inputs, the proofs that peers gave, and who is still to be told", async () => {
  const small = await SmallNetwork.found();
  await small.join("alice");
  await small.fund("alice", 1_000_000);
  const [funds] = await small.resolved("alice", "funds");
  const proof = funds === undefined ? undefined : await small.proofOf(funds.ref);
  if (funds === undefined || proof === undefined) throw new Error("alice has funds");
  const signed = small.craft(
    {
      inputs: [funds.ref],
      references: [],
      outputs: [funds.state],
      command: { tag: "grant-mandate" },
      signers: [small.key("alice")],
      notary: small.key("notary"),
      window: { fromMs: null, untilMs: null },
    },
    "alice",
  );
  const journaled: JournaledTransaction = {
    stage: "final",
    command,
    signed,
    inputs: [funds.state],
    dependencies: [proof],
    recipients: [small.key("verifier"), small.key("marketplace")],
  };
  const back = decodeJournaled(encodeJournaled(journaled));
  expect(canonicalJson(back)).toBe(canonicalJson(journaled));
  small.close();
});
