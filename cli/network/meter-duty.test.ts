/** Meter operators report what their files say, and the grid authority settles and corrects by what they agree on. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { microsPerKwh, slotsOfLocalDay, type TimerTask, wattHours, zone } from "#core";
import { DAY, keyOf, NEXT_SLOT, PARAMETERS, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";
import { reportReadings } from "./meter-duty.ts";
import { parseReadings, READINGS_HEADER } from "./readings-file.ts";
import { settleRecordedSlots } from "./settlement-duty.ts";

describe("a file of readings", () => {
  const names = new Map([["alice", keyOf("alice")]]);
  const parse = (...lines: readonly string[]) => parseReadings(`${lines.join("\n")}\n`, (name) => names.get(name));

  test("has the last reading of each member's slot", () => {
    const { bySlot, problems } = parse(
      READINGS_HEADER,
      `${SLOT},alice,100,20`,
      "",
      `${NEXT_SLOT},alice,0,0`,
      `${SLOT},alice,120,20\r`,
    );
    expect(problems).toEqual([]);
    expect(bySlot.get(SLOT)).toEqual([{ member: keyOf("alice"), produced: 120n, consumed: 20n }]);
    expect(bySlot.size).toBe(2);
  });

  test("has no line that is still being written", () => {
    const text = `${SLOT},alice,100,20\n${SLOT},alice,1`;
    expect(parseReadings(text, () => keyOf("alice")).bySlot.get(SLOT)).toMatchObject([{ produced: 100n }]);
  });

  test.each([
    ["2031-06-01,alice,1,2", /^line 1: 2031-06-01 is no slot/],
    [`${SLOT},carol,1,2`, /^line 1: carol is no member/],
    [`${SLOT},alice,-1,2`, /^line 1: has no whole watt-hours/],
    [`${SLOT},alice,1.5,2`, /^line 1: has no whole watt-hours/],
    [`${SLOT},alice,1`, /^line 1: is no reading/],
    [`${SLOT},alice,1,2,3`, /^line 1: is no reading/],
  ])("tells what is wrong with %s", (line, expected) => {
    const { bySlot, problems } = parse(line);
    expect(problems).toEqual([expect.stringMatching(expected)]);
    expect(bySlot.size).toBe(0);
  });
});

describe("two operators and a grid authority", () => {
  const METERS = ["first meter", "second meter"] as const;
  let small: SmallNetwork;
  let folder: string;
  let tasks: { atMs: number; task: TimerTask }[];
  let problems: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "dream-meters-"));
    tasks = [];
    problems = [];
    small = await SmallNetwork.found({ rules: { correctionMs: PARAMETERS.correctionMs } });
    await small.join("alice");
    await small.fund("alice", 5_000_000);
    await small.fund("power-company", 5_000_000);
    for (const name of METERS) await small.join(name, { roles: ["meter-operator"], capacityPerSlot: wattHours(0) });
    const slots = slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15);
    await small.run("power-company", {
      tag: "publish-tariff",
      commandId: "tariff",
      day: DAY,
      feedIn: slots.map(() => microsPerKwh(80_000)),
      retail: slots.map(() => microsPerKwh(300_000)),
    });
    await small.run("grid-authority", {
      tag: "amend-parameters",
      commandId: "meters",
      changes: {
        meterOperators: METERS.map((name) => small.key(name)),
        meterQuorum: 2,
        meterTolerance: wattHours(5),
      },
    });
    const timers = { at: (atMs: number, task: TimerTask) => void tasks.push({ atMs, task }) };
    const common = { clock: small.clock, timers, report: (problem: string) => void problems.push(problem) };
    for (const name of METERS)
      reportReadings({ ...common, node: small.node(name), file: join(folder, `${name}.csv`), pollMs: 10_000 });
    await settleRecordedSlots({ ...common, node: small.node("grid-authority"), retryMs: 30_000 });
  });
  afterEach(() => {
    small.close();
    rmSync(folder, { recursive: true });
  });

  function write(name: string, ...lines: readonly string[]): void {
    writeFileSync(join(folder, `${name}.csv`), `${[READINGS_HEADER, ...lines].join("\n")}\n`);
  }

  /** Lets a minute pass, and does what is due. */
  async function aMinute(): Promise<void> {
    small.clock.moveTo(small.clock.nowMs() + 60_000);
    for (let pass = 0; pass < 3; pass++)
      for (const due of tasks.splice(0)) {
        if (due.atMs <= small.clock.nowMs()) await due.task.run();
        else tasks.push(due);
      }
  }

  function settled(): unknown {
    return small.node("alice").unspent("slot-settlement")[0];
  }

  test("report after the slot, once; then the slot is settled, and corrected when both correct their files", async () => {
    for (const name of METERS) write(name, `${SLOT},alice,1000,300`);
    await aMinute();
    expect(small.node("grid-authority").unspent("meter-report")).toEqual([]);
    small.clock.moveTo(SLOT_END_MS);
    await aMinute();
    expect(settled()).toMatchObject({ produced: 1_000n, revision: 0 });
    expect(small.balance("alice")).toBe(5_056_000n);
    write("first meter", `${SLOT},alice,1000,300`, `${SLOT},alice,1200,300`);
    await aMinute();
    expect(settled()).toMatchObject({ produced: 1_000n, revision: 0 });
    write("second meter", `${SLOT},alice,1200,300`);
    for (let pass = 0; pass < 3; pass++) await aMinute();
    expect(settled()).toMatchObject({ produced: 1_200n, revision: 1 });
    expect(small.balance("alice")).toBe(5_072_000n);
    expect(problems).toEqual([]);
  });

  test("one of which is away: the reading waits, and comes with the other's report", async () => {
    write("first meter", `${SLOT},alice,1000,300`, `${SLOT},bob,1,1`);
    small.clock.moveTo(SLOT_END_MS);
    for (let pass = 0; pass < 3; pass++) await aMinute();
    expect(settled()).toBeUndefined();
    expect(problems).toEqual([expect.stringMatching(/first meter\.csv, line 3: bob is no member/)]);
    write("second meter", `${SLOT},alice,1003,300`);
    for (let pass = 0; pass < 6; pass++) await aMinute();
    expect(settled()).toMatchObject({ produced: 1_000n });
  });
});
