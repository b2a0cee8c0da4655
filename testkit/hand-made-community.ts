/**
 * Communities written by hand: production, load and prices are what the test says, so what a run must come to can be worked
 * on paper. Everything is known as it would be in life: readings after their slot, prices at 11:00 the day before.
 */
import {
  addLocalDays,
  type LocalDay,
  localDay,
  localInstantMs,
  localMidnightMs,
  type MicrosPerKwh,
  microsPerKwh,
  type Slot,
  type SlotMinutes,
  slotsOfLocalDay,
  wattHours,
  type ZoneName,
  zone,
} from "#core";
import type { BatterySpec, Community, CommunityMember, CommunityRole, MeterSeries, TariffVintage } from "#data";

/** The same in every slot, or by slot: watt-hours, or micros per kWh. */
export type BySlot = number | ((slot: Slot, index: number) => number);

export type HandMadeMember = {
  readonly name: string;
  readonly roles: readonly CommunityRole[];
  /** Name of a built-in strategy; `null-strategy` unless said otherwise. */
  readonly strategy?: string;
  readonly strategyConfig?: Readonly<Record<string, unknown>>;
  readonly productionWh?: BySlot;
  readonly loadWh?: BySlot;
  /** The most that it may promise in a slot; none unless said otherwise. */
  readonly capacityWh?: number;
  readonly holdingCapWh?: number;
  readonly battery?: BatterySpec;
};

export type HandMadeOptions = {
  readonly members: readonly HandMadeMember[];
  readonly feedIn: BySlot;
  readonly retail: BySlot;
  /** First day of the run; the history lies before it. */
  readonly day?: string;
  /** Days that can be run. */
  readonly days?: number;
  readonly historyDays?: number;
  readonly timeZone?: string;
  readonly slotMinutes?: SlotMinutes;
};

const TELEMETRY_DELAY_MS = 900_000;

/** A community of the given members; `demoFirstDay` is the first day after its history. */
export function handMadeCommunity(options: HandMadeOptions): Community {
  const { members, historyDays = 3, days = 1, slotMinutes = 60 } = options;
  const timeZone = zone(options.timeZone ?? "UTC");
  const demoFirstDay = localDay(options.day ?? "2031-06-02");
  const firstDay = addLocalDays(demoFirstDay, -historyDays);
  const allDays = Array.from({ length: historyDays + days }, (_, index) => addLocalDays(firstDay, index));
  const slots = allDays.flatMap((day) => slotsOfLocalDay(timeZone, day, slotMinutes));
  return {
    name: "hand-made",
    source: "generated",
    description: "Made by hand for a test.",
    timeZone,
    slotMinutes,
    firstDay,
    lastDay: addLocalDays(firstDay, allDays.length - 1),
    demoFirstDay,
    members: members.map(memberOf),
    data: {
      meters: new Map(members.flatMap((member) => metersOf(member, slots)).map((series) => [series.name, series])),
      weather: new Map(),
      tariffs: allDays.map((day) => tariffOf(timeZone, day, slotMinutes, options)),
    },
  };
}

function memberOf(member: HandMadeMember): CommunityMember {
  const { name, roles, productionWh, loadWh, capacityWh = 0, holdingCapWh, battery } = member;
  return {
    name,
    roles,
    strategy: member.strategy ?? "null-strategy",
    strategyConfig: member.strategyConfig ?? {},
    capacityPerSlot: wattHours(capacityWh),
    ...(productionWh === undefined ? {} : { production: `${name}-pv` }),
    ...(loadWh === undefined ? {} : { load: `${name}-load` }),
    ...(holdingCapWh === undefined ? {} : { speculatorCapPerSlot: wattHours(holdingCapWh) }),
    ...(battery === undefined ? {} : { battery }),
  };
}

function metersOf({ name, productionWh, loadWh }: HandMadeMember, slots: readonly Slot[]): readonly MeterSeries[] {
  const [first] = slots;
  if (first === undefined) return [];
  const series = (suffix: string, kind: "pv" | "load", by: BySlot | undefined): readonly MeterSeries[] =>
    by === undefined
      ? []
      : [
          {
            name: `${name}-${suffix}`,
            kind,
            slotMinutes: first.minutes,
            startMs: first.startMs,
            energyWh: Float64Array.from(slots, (slot, index) => valueIn(by, slot, index)),
            telemetryDelayMs: TELEMETRY_DELAY_MS,
          },
        ];
  return [...series("pv", "pv", productionWh), ...series("load", "load", loadWh)];
}

function tariffOf(timeZone: ZoneName, day: LocalDay, minutes: SlotMinutes, options: HandMadeOptions): TariffVintage {
  const slots = slotsOfLocalDay(timeZone, day, minutes);
  const prices = (by: BySlot): readonly MicrosPerKwh[] =>
    slots.map((slot, index) => microsPerKwh(valueIn(by, slot, index)));
  return {
    knownAtMs: localInstantMs(timeZone, addLocalDays(day, -1), 11),
    startMs: slots[0]?.startMs ?? localMidnightMs(timeZone, day),
    slotMinutes: minutes,
    feedIn: prices(options.feedIn),
    retail: prices(options.retail),
  };
}

function valueIn(by: BySlot, slot: Slot, index: number): number {
  return typeof by === "number" ? by : by(slot, index);
}
