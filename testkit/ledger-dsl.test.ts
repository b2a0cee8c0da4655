/** The ledger DSL itself: a test that says nothing, or the wrong thing, must fail. */
import { describe, expect, test } from "vitest";
import { InvariantError } from "#core";
import { funds, keyOf, mandate, PARAMETERS, transaction, VALID } from "#testkit";

const issue = VALID["issue-funds"];

describe("verdicts", () => {
  test("verifies() holds for a valid transaction, and for no other", () => {
    expect(() => issue().verifies()).not.toThrow();
    expect(() => issue().notSignedBy("payment provider").verifies()).toThrow(
      "fails with issue_signed_by_payment_provider",
    );
  });

  test("failsWith() holds for one violated clause, and for no other, none, or more", () => {
    const unsigned = issue().notSignedBy("payment provider");
    expect(() => unsigned.failsWith("issue_signed_by_payment_provider")).not.toThrow();
    expect(() => unsigned.failsWith("issue_makes_funds")).toThrow("fails with issue_signed_by_payment_provider");
    expect(() => issue().failsWith("issue_makes_funds")).toThrow("it verifies");
    expect(() => unsigned.copy().without("funds").failsWith("issue_makes_funds")).toThrow(
      "issue_signed_by_payment_provider, issue_makes_funds",
    );
    expect(() => unsigned.failsWith("bid_one")).toThrow("a clause that issue-funds is checked against");
    expect(() => unsigned.failsWithAll()).toThrow(InvariantError);
  });

  test("a transaction that cannot travel does not verify", () => {
    expect(() =>
      issue()
        .change("funds", { owner: "00" as never })
        .verifies(),
    ).toThrow();
  });
});

describe("drafts", () => {
  test("a block ends in a verdict, and its variants leave it as it was", () => {
    const verdict = transaction((tx) => {
      tx.cites("parameters", PARAMETERS)
        .makes("funds", funds("alice", 5))
        .command({ tag: "issue-funds" })
        .signedBy("payment provider");
      tx.tweak((bad) => bad.notSignedBy("payment provider").failsWith("issue_signed_by_payment_provider"));
      tx.tweak((bad) =>
        bad
          .change("funds", { owner: keyOf("bob") })
          .makes("more", mandate("a", "b"))
          .failsWith("makes_only_kinds_of_the_flow"),
      );
      return tx.verifies();
    });
    expect(verdict).toBeDefined();
  });

  test("a variant that is judged wrongly fails the whole test", () => {
    expect(() => issue().tweak((bad) => bad.verifies())).not.toThrow();
    expect(() => issue().tweak((bad) => bad.failsWith("issue_makes_funds"))).toThrow(InvariantError);
  });

  test("labels are used once and must be known", () => {
    expect(() => issue().makes("funds", funds("bob", 1))).toThrow("a label that is not used yet");
    for (const spoil of [
      () => issue().change("fund", {}),
      () => issue().without("fund"),
      () => issue().governedBy("fund", "x"),
      () => issue().state("fund"),
    ])
      expect(spoil).toThrow("no state is labelled fund");
    expect(() => issue().notSignedBy("nobody")).toThrow("nobody signed the draft");
  });

  test("contracts see frozen states: a clause that changed one would throw", () => {
    const resolved = issue().resolved();
    expect(Object.isFrozen(resolved.content)).toBe(true);
    expect(Object.isFrozen(resolved.content.outputs[0])).toBe(true);
    expect(Object.isFrozen(resolved.references[0]?.state)).toBe(true);
  });

  test("the same label gives the same reference, another label another", () => {
    const [left, right] = [VALID.bid().resolved(), VALID.bid().resolved()];
    expect(left.content.inputs).toEqual(right.content.inputs);
    expect(new Set(left.content.inputs.map(({ txId }) => txId)).size).toBe(left.content.inputs.length);
  });
});
