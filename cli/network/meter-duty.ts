/**
 * A meter operator's duty: report the readings of its file once their slots are over, and again when they are corrected. What could
 * not be reported is tried again with the next look at the file. What was reported before a restart is not reported again: the
 * command's id is made from what it says.
 */
import { existsSync, readFileSync } from "node:fs";
import { correctableUntilMs, type Metered } from "#contracts";
import { type Clock, canonicalJson, hashOf, type SlotId, slotOf, type Timers } from "#core";
import type { LedgerNode } from "#ledger-node";
import { parseReadings } from "./readings-file.ts";

export type MeterDutyOptions = {
  readonly node: LedgerNode;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly file: string;
  readonly pollMs: number;
  readonly report: (problem: string) => void;
};

const PRIORITY = 1;
/** What one command holds. */
const READINGS_MAX = 4_000;

export function reportReadings(options: MeterDutyOptions): void {
  const { clock, timers, pollMs, report } = options;
  const duty = new MeterDuty(options);
  const schedule = (atMs: number): void => timers.at(atMs, { priority: PRIORITY, source: "meter readings", run });
  const run = async (): Promise<void> => {
    await duty.look().catch((error: unknown) => report(error instanceof Error ? error.message : String(error)));
    schedule(clock.nowMs() + pollMs);
  };
  schedule(clock.nowMs());
}

class MeterDuty {
  readonly #options: MeterDutyOptions;
  /** The last reading of each member's slot that was reported. */
  readonly #reported = new Map<string, string>();
  readonly #told = new Set<string>();

  constructor(options: MeterDutyOptions) {
    this.#options = options;
  }

  async look(): Promise<void> {
    const { node, clock, file } = this.#options;
    const [parameters] = node.unspent("network-parameters");
    if (parameters?.meterOperators.includes(node.party) !== true || !existsSync(file)) return;
    const keys = new Map(node.unspent("member").map(({ name, key }) => [name, key]));
    const { bySlot, problems } = parseReadings(readFileSync(file, "utf8"), (name) => keys.get(name));
    for (const problem of problems) this.#tell(`${file}, ${problem}`);
    const nowMs = clock.nowMs();
    for (const [slot, readings] of bySlot) {
      const isDue = slotOf(slot).endMs <= nowMs && nowMs < correctableUntilMs(slot, parameters);
      const changed = readings.filter((reading) => this.#reported.get(nameOf(slot, reading)) !== textOf(reading));
      for (let first = 0; isDue && first < changed.length; first += READINGS_MAX)
        await this.#report(slot, changed.slice(first, first + READINGS_MAX));
    }
  }

  async #report(slot: SlotId, readings: readonly Metered[]): Promise<void> {
    const commandId = `report-meters/${hashOf(canonicalJson([slot, readings]))}`;
    const done = await this.#options.node.submit({ tag: "report-meters", commandId, slot, readings });
    if (done.ok) for (const reading of readings) this.#reported.set(nameOf(slot, reading), textOf(reading));
    else this.#tell(`report-meters for ${slot} was refused: ${done.error.tag}`);
  }

  /** The file is read often: what is wrong with it is said once. */
  #tell(problem: string): void {
    if (this.#told.has(problem)) return;
    this.#told.add(problem);
    this.#options.report(problem);
  }
}

function nameOf(slot: SlotId, { member }: Metered): string {
  return `${slot} ${member}`;
}

function textOf({ produced, consumed }: Metered): string {
  return `${produced} ${consumed}`;
}
