/** A community: its members, their plants and batteries, and the data that are measured or generated for them. */
import type { LocalDay, SlotMinutes, WattHours, ZoneName } from "#core";
import type { DataStore } from "./series.ts";

export type CommunityRole = "producer" | "prosumer" | "consumer" | "storage-provider" | "speculator";

export type BatterySpec = {
  readonly capacityWh: number;
  /** Limit of charging and of discharging, in watts. */
  readonly powerW: number;
  /** Energy out over energy in, 0…1, for a whole cycle. */
  readonly roundTripEfficiency: number;
};

export type CommunityMember = {
  readonly name: string;
  readonly roles: readonly CommunityRole[];
  /** Name of a built-in strategy. */
  readonly strategy: string;
  readonly strategyConfig: Readonly<Record<string, unknown>>;
  /** Names of meter series in the store; absent where the member has no such plant or load. */
  readonly production?: string;
  readonly load?: string;
  /** Name of the weather forecast for the member's plant, when there is one. */
  readonly weather?: string;
  readonly site?: { readonly latitude: number; readonly longitude: number };
  /** The most energy that the member can put into the grid in one slot. */
  readonly capacityPerSlot: WattHours;
  readonly battery?: BatterySpec;
  /** The most energy that a speculator may hold in one slot. */
  readonly speculatorCapPerSlot?: WattHours;
};

export type Community = {
  readonly name: string;
  readonly source: "measured" | "generated";
  /** What it is made of, in one or two plain sentences: the first line of every report. */
  readonly description: string;
  readonly timeZone: ZoneName;
  readonly slotMinutes: SlotMinutes;
  /** First and last local day with data. */
  readonly firstDay: LocalDay;
  readonly lastDay: LocalDay;
  /** A period that shows the market well: where the demo starts. */
  readonly demoFirstDay: LocalDay;
  readonly members: readonly CommunityMember[];
  readonly data: DataStore;
};
