/** Fakes and builders for tests: hand-written, deterministic, used by everyone. */

export { AgentStage, type AgentStageOptions, type HookCall, type Told } from "./agent-stage.ts";
export {
  arbClientCommand,
  arbClientCommandOf,
  arbLedgerRefusal,
  arbNodeEvent,
  arbPoolRound,
  CLIENT_COMMAND_TAGS,
} from "./api-arbitraries.ts";
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
export { type Booking, bankNotification } from "./bank.ts";
export { chromiumPath, launchBrowser } from "./browser.ts";
export {
  AGENCY,
  agencyRecord,
  auction,
  bid,
  CERTIFIED_SOLAR,
  CONTRADICTION,
  certificate,
  curtailment,
  DAY,
  DEADLINE_MS,
  deliveryRecord,
  deposit,
  dispute,
  disputeVote,
  type EntryAmounts,
  entry,
  exposure,
  exposureIndex,
  funds,
  GATE_MS,
  keyOf,
  MARKETPLACE,
  mandate,
  margin,
  member,
  meterOperator,
  meterReport,
  NEXT_SLOT,
  order,
  PARAMETERS,
  promise,
  RENEWABLE,
  type RecordAmounts,
  reading,
  redemption,
  type SettlementAmounts,
  SLOT,
  SLOT_END_MS,
  SLOT_START_MS,
  SOLAR,
  signerOf,
  signersOf,
  slotSettlement,
  standingVote,
  tariff,
  verifier,
} from "./builders.ts";
export { DraftingWorld, type FinalTransaction, type WorldParts } from "./drafting-world.ts";
export { type BySlot, type HandMadeMember, type HandMadeOptions, handMadeCommunity } from "./hand-made-community.ts";
export { HttpParties, type HttpPartiesOptions, overHttp, systemClock } from "./http-wire.ts";
export { type CommandPatch, Draft, type StatePatch, transaction, type Verdict } from "./ledger-dsl.ts";
export {
  arbLedgerRefusalOf,
  arbPeerReply,
  arbPeerReplyOf,
  arbPeerRequest,
  arbPeerRequestOf,
  PEER_REPLY_TAGS,
  PEER_REQUEST_TAGS,
} from "./message-arbitraries.ts";
export { PaymentDesk, PROVIDER_ACCOUNT } from "./payment-desk.ts";
export {
  type CommandEnd,
  type HostProcess,
  type NetworkParty,
  ProcessNetwork,
  type ProcessNetworkOptions,
} from "./process-network.ts";
export { joinLife, LIFE_TARIFF, moveToCommand, promiseLife } from "./promise-life.ts";
export { type InMemoryOptions, type InMemoryRun, runInMemory } from "./run-in-memory.ts";
export { type RawAnswer, type RequestFaults, ServedNode, type ServedOptions } from "./served-node.ts";
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
  amendMemberByVotes,
  closes,
  endAuctionWithoutBid,
  joinServed,
  METERED_PARAMETERS,
  moveMemberHome,
  moves,
  recordMetersOfReports,
  settleAuctionWithoutSeller,
  settledExposure,
  settleSlotOfSpeculator,
  settleSlotOfSupplier,
  settleSlotWithoutTrades,
  TRADES,
  VALID,
} from "./valid-transactions.ts";
