/** Clauses of curtailment: each fails alone. And how the grid authority would spare one supplier, or cut what was sold. */
import { describe, test } from "vitest";
import { micros, NO_ENERGY, wattHours } from "#core";
import {
  curtailment,
  type Draft,
  deposit,
  entry,
  exposure,
  funds,
  GATE_MS,
  keyOf,
  moves,
  NEXT_SLOT,
  promise,
  VALID,
  type Verdict,
} from "#testkit";

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

describe("curtail slot", () => {
  const curtail = VALID["curtail-slot"];
  const cutting = (): Draft =>
    curtail().without("unsold of dave", "deposit of dave", "left of dave", "deposit of dave after", "returned to dave");

  rule("verifies: with a cut, and where nothing has to be cut", () => {
    curtail()
      .without(
        "unsold of alice",
        "unsold of dave",
        "deposit of alice",
        "deposit of dave",
        "left of alice",
        "left of dave",
        "deposit of alice after",
        "deposit of dave after",
        "returned to alice",
        "returned to dave",
        "exposure of alice",
        "exposure of alice after",
        "exposure of dave",
        "exposure of dave after",
      )
      .replace("after", curtailment(4_000, { promised: wattHours(4_000) }))
      .verifies();
    return curtail().verifies();
  });
  rule("cuts all that is unsold where more is sold than the cap allows, and returns whole deposits", () => {
    const all = curtail()
      .changeCommand({ cap: NO_ENERGY })
      .replace("after", curtailment(0, { promised: wattHours(5_000), unsold: wattHours(3_000), cut: wattHours(3_000) }))
      .without("left of alice", "left of dave", "deposit of dave after")
      .change("deposit of alice after", { amount: micros(1_200_000) })
      .change("returned to alice", { amount: micros(1_200_000) })
      .change("returned to dave", { amount: micros(600_000) })
      .without("exposure of alice", "exposure of alice after", "exposure of dave", "exposure of dave after");
    moves(all, "alice", [{ promised: 4_000 }], [{ promised: 2_000 }]);
    return moves(all, "dave", [{ promised: 1_000 }], []).verifies();
  });
  rule("comes before the gate", () =>
    curtail()
      .until(GATE_MS + 1)
      .failsWith("curtail_before_gate"),
  );
  rule("replaces a cap of its slot alone", () =>
    curtail()
      .consumes("of the next slot", curtailment(1_000, { slot: NEXT_SLOT }))
      .failsWith("curtail_replaces_the_slots_own"),
  );
  rule("cuts nothing that was sold", () =>
    curtail()
      .change("unsold of dave", { owner: keyOf("bob") })
      .change("left of dave", { owner: keyOf("bob") })
      .without("exposure of dave", "exposure of dave after")
      .consumes("exposure of dave", exposure("dave", { promised: 1_000 }))
      .makes("exposure of dave after", exposure("dave", { promised: 667 }))
      .consumes("exposure of bob", exposure("bob", { bought: 1_000 }))
      .makes("exposure of bob after", exposure("bob", { bought: 667 }))
      .failsWith("curtail_cuts_unsold_promises_alone"),
  );
  rule("cuts nothing that is on auction or on offer, or that was checked", () => {
    const lock = { kind: "auction" as const, id: "auction" };
    curtail()
      .change("unsold of dave", { lock })
      .change("left of dave", { lock })
      .failsWith("curtail_cuts_unsold_promises_alone");
    return curtail()
      .change("unsold of dave", { delivered: NO_ENERGY })
      .change("left of dave", { delivered: NO_ENERGY })
      .failsWith("curtail_cuts_unsold_promises_alone");
  });
  rule("takes the promises in one order, whoever gains by another", () => {
    const swapped = curtail().without("unsold of alice", "unsold of dave");
    return swapped
      .consumes("unsold of dave", promise("dave", 1_000))
      .consumes("unsold of alice", promise("alice", 2_000))
      .without("left of alice", "left of dave")
      .makes("left of dave", promise("dave", 667))
      .makes("left of alice", promise("alice", 1_333))
      .failsWith("curtail_takes_promises_in_order");
  });
  rule("publishes the cap and the cut", () => {
    curtail()
      .change("after", { cap: wattHours(4_001) })
      .failsWith("curtail_recorded");
    curtail()
      .change("after", { cut: wattHours(999) })
      .failsWith("curtail_recorded");
    return curtail().makes("second", curtailment(4_000)).failsWith("curtail_recorded");
  });
  rule("publishes no less than what it shows to be promised", () =>
    curtail()
      .changeCommand({ cap: NO_ENERGY })
      .change("after", { cap: NO_ENERGY, promised: wattHours(1_000) })
      .failsWith("curtail_recorded"),
  );
  rule("shares the cut in proportion, by largest remainder", () =>
    curtail()
      .change("left of alice", { energy: wattHours(1_334) })
      .change("left of dave", { energy: wattHours(666) })
      .change("exposure of alice after", { entries: [entry({ promised: 3_334 })] })
      .change("exposure of dave after", { entries: [entry({ promised: 666 })] })
      .failsWith("curtail_shared_pro_rata"),
  );
  rule("leaves the rest of each promise as it was", () => {
    curtail().change("left of dave", { promiseId: "other" }).failsWith("curtail_shared_pro_rata");
    return curtail()
      .change("left of dave", { lock: { kind: "order", id: "of nobody" } })
      .failsWith("curtail_shared_pro_rata");
  });
  rule("releases of the deposits what was cut, rounded down, and leaves the rest locked", () => {
    curtail()
      .change("deposit of dave after", { amount: micros(400_199) })
      .change("returned to dave", { amount: micros(199_801) })
      .failsWith("curtail_releases_deposits");
    curtail()
      .change("deposit of dave after", { amount: micros(400_201) })
      .change("returned to dave", { amount: micros(199_799) })
      .failsWith("curtail_releases_deposits");
    return curtail()
      .without("deposit of dave", "deposit of dave after", "returned to dave")
      .failsWith("curtail_releases_deposits");
  });
  rule("touches no other deposit", () =>
    curtail()
      .consumes("deposit of bob", deposit("bob", 5_000))
      .makes("deposit of bob after", deposit("bob", 5_000))
      .failsWith("curtail_releases_deposits"),
  );
  rule("pays nobody", () =>
    curtail().replace("returned to dave", funds("mallory", 199_800)).failsWith("curtail_money_stays"),
  );
  rule("is signed by the grid authority", () =>
    curtail().notSignedBy("grid authority").signedBy("alice").failsWith("curtail_signed_by_grid_authority"),
  );
  rule("can't put all on one of them", () =>
    cutting()
      .without("exposure of dave", "exposure of dave after")
      .change("left of alice", { energy: wattHours(1_000) })
      .change("exposure of alice after", { entries: [entry({ promised: 3_000 })] })
      .change("deposit of alice after", { amount: micros(1_800_000) })
      .change("returned to alice", { amount: micros(600_000) })
      .failsWith("curtail_recorded"),
  );
});

describe("promises in a curtailed slot", () => {
  rule("are allowed up to the cap", () =>
    VALID["create-promises"]().cites("curtailment", curtailment(2_000)).verifies(),
  );
  rule("are refused beyond it, even of one supplier alone", () =>
    VALID["create-promises"]().cites("curtailment", curtailment(1_999)).failsWith("promise_within_curtailment"),
  );
  rule("of other slots are free", () =>
    VALID["create-promises"]()
      .cites("curtailment", curtailment(0, { slot: NEXT_SLOT }))
      .verifies(),
  );
});
