/** What the services of a community did in a run, counted from what the grid authority sees and from the members' settlements. */
import type { NodeEvent, State, StateOf, StateTag } from "#contracts";
import { type LocalDay, localDayAt, type PublicKey, type SlotId, slotOf, type ZoneName } from "#core";
import { type HistoryStep, type Statement, statementOf } from "#ledger-node";
import type { ServicesReport } from "./report/index.ts";

/** One member's month. */
export type MonthlyStatement = { readonly member: string; readonly month: string; readonly statement: Statement };

export class ServiceBook {
  readonly #steps = new Map<PublicKey, HistoryStep[]>();
  #reports = 0n;
  #readings = 0n;
  #disagreements = 0n;
  #certified = 0n;
  #certifiedSold = 0n;
  #contradicted = 0n;
  #covers = 0;
  #covered = 0n;
  #released = 0n;
  #surplus = 0n;

  /** What the grid authority is told. */
  addWatched({ command, consumed, made }: NodeEvent): void {
    switch (command?.tag) {
      case "report-meters":
        this.#reports += BigInt(of(made, "meter-report").length);
        return;
      case "record-meters":
        for (const { disagreed } of of(made, "meter-reading")) {
          this.#readings += 1n;
          this.#disagreements += BigInt(disagreed.length);
        }
        return;
      case "certify-claims":
        this.#certified += sum(of(made, "certificate").map(({ energy }) => energy));
        return;
      case "close-certificates":
        this.#contradicted += recorded(made) - recorded(consumed);
        return;
      case "substitute":
        this.#covers += 1;
        this.#covered += sum(command.covers.map(({ energy }) => energy));
        this.#released +=
          sum(of(consumed, "deposit").map(({ amount }) => amount)) -
          sum(of(made, "deposit").map(({ amount }) => amount));
        return;
    }
  }

  /** What a member is told of its own settlements. */
  addSettlement(party: PublicKey, { txId, command, consumed, made }: NodeEvent): void {
    if (command?.tag !== "settle-slot" && command?.tag !== "correct-settlement") return;
    const own = of(made, "slot-settlement").filter(({ member }) => member === party);
    if (own.length === 0) return;
    this.#surplus += sum(own.map(({ surplusAmount }) => surplusAmount));
    this.#certifiedSold += sum(
      of(consumed, "power-promise")
        .filter(({ owner, supplier, claims }) => owner === party && supplier !== party && claims?.certifiedBy != null)
        .map(({ energy }) => energy),
    );
    const steps = this.#steps.get(party) ?? [];
    steps.push({ txId, atMs: null, command, consumed, made });
    this.#steps.set(party, steps);
  }

  report(): ServicesReport {
    return {
      meters: { reports: this.#reports, readings: this.#readings, disagreements: this.#disagreements },
      claims: {
        certifiedWh: this.#certified,
        certifiedSoldWh: this.#certifiedSold,
        contradictedWh: this.#contradicted,
      },
      covers: { transactions: this.#covers, energyWh: this.#covered, depositReleasedMicros: this.#released },
      surplusMicros: this.#surplus,
    };
  }

  /** A statement for each member and each local month that it was settled in. */
  statements(names: ReadonlyMap<PublicKey, string>, timeZone: ZoneName): readonly MonthlyStatement[] {
    return [...this.#steps].flatMap(([party, steps]) =>
      [...monthsOf(steps, timeZone)].map(([month, { from, to }]) => ({
        member: names.get(party) ?? party,
        month,
        statement: statementOf(steps, party, timeZone, { from, to }),
      })),
    );
  }
}

type Days = { readonly from: LocalDay; readonly to: LocalDay };

function monthsOf(steps: readonly HistoryStep[], timeZone: ZoneName): ReadonlyMap<string, Days> {
  const slots = new Set(steps.flatMap(({ made }) => of(made, "slot-settlement").map(({ slot }): SlotId => slot)));
  const days = [...new Set([...slots].map((slot) => localDayAt(timeZone, slotOf(slot).startMs)))].sort();
  const months = new Map<string, Days>();
  for (const day of days) {
    const month = day.slice(0, 7);
    months.set(month, { from: months.get(month)?.from ?? day, to: day });
  }
  return months;
}

function of<T extends StateTag>(states: readonly State[], tag: T): readonly StateOf<T>[] {
  return states.filter((state): state is StateOf<T> => state.tag === tag);
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}

function recorded(states: readonly State[]): bigint {
  return sum(of(states, "agency-record").map(({ contradicted }) => contradicted));
}
