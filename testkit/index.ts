/** Fakes and builders for tests: hand-written, deterministic, used by everyone. */

export { AgentStage, type AgentStageOptions, type HookCall, type Told } from "./agent-stage.ts";
export {
  arbCommand,
  arbDay,
  arbEnergy,
  arbHash,
  arbKey,
  arbMoney,
  arbPrice,
  arbSlot,
  arbState,
  arbStateOf,
  arbTransaction,
  STATE_TAGS,
} from "./arbitraries.ts";
export { chromiumPath, launchBrowser } from "./browser.ts";
export {
  auction,
  bid,
  DAY,
  DEADLINE_MS,
  deliveryRecord,
  deposit,
  type EntryAmounts,
  entry,
  exposure,
  exposureIndex,
  funds,
  GATE_MS,
  keyOf,
  MARKETPLACE,
  mandate,
  member,
  NEXT_SLOT,
  order,
  PARAMETERS,
  promise,
  type RecordAmounts,
  reading,
  type SettlementAmounts,
  SLOT,
  SLOT_END_MS,
  SLOT_START_MS,
  signerOf,
  signersOf,
  slotSettlement,
  tariff,
} from "./builders.ts";
export { type BySlot, type HandMadeMember, type HandMadeOptions, handMadeCommunity } from "./hand-made-community.ts";
export { type CommandPatch, Draft, type StatePatch, transaction, type Verdict } from "./ledger-dsl.ts";
export { type InMemoryOptions, type InMemoryRun, runInMemory } from "./run-in-memory.ts";
export {
  type Interception,
  ManualClock,
  SMALL_NETWORK_RULES,
  SmallNetwork,
  type SmallNetworkOptions,
} from "./small-network.ts";
export {
  evenQuantiles,
  FakeStrategyContext,
  fakeContextFor,
  NO_POSITION,
  surplusForecast,
  USUAL_RULES,
} from "./strategy-context.ts";
export { StrategyStage } from "./strategy-stage.ts";
export {
  endAuctionWithoutBid,
  moves,
  settleSlotOfSupplier,
  settleSlotWithoutTrades,
  TRADES,
  VALID,
} from "./valid-transactions.ts";
