/**
 * Many members on one aggregator: they join, are started again from one file, and live one slot of promises, orders and a pool
 * clearing. All stores survive a cut of the power. The other nodes of the network are in the same process.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientCommand } from "#contracts";
import {
  addLocalDays,
  invariant,
  localDayAt,
  micros,
  microsPerKwh,
  type SlotId,
  slotsOfLocalDay,
  unwrap,
  wattHours,
  zone,
} from "#core";
import { ownerClient } from "#ledger-client";
import {
  COMMIT_LOG_FILE,
  LocalNetwork,
  openSqliteCommitLog,
  openSqliteHostStore,
  openSqliteNodeStore,
} from "#ledger-node";
import { admissionPolicy, Marketplace, payAsClear } from "#marketplace";
import { systemEntropy } from "../network/keys.ts";
import { BENCH_RULES } from "./bench-rules.ts";

export const AGGREGATOR_PHASES = ["join", "fund", "start", "promise", "order", "clear"] as const;
export type AggregatorPhase = (typeof AGGREGATOR_PHASES)[number];
/** Memory is what is resident at the end of the phase, of the whole process. */
export type PhaseResult = {
  readonly phase: AggregatorPhase;
  readonly seconds: number;
  /** Time of a core that the process took: on a busy machine it says more than the time that passed. */
  readonly coreSeconds: number;
  readonly residentBytes: number;
  /** Transactions that became final in it. */
  readonly transactions: number;
};
export type AggregatorResult = {
  readonly members: number;
  readonly phases: readonly PhaseResult[];
  readonly clearedWh: bigint;
};
export type AggregatorRun = {
  readonly members: number;
  readonly onProgress: (done: number, total: number) => void;
};

const HOST = "aggregator";
/** Members that join in one transaction. */
const BATCH = 25;
/** Commands of different members that are under way at the same time. */
const AT_ONCE = 200;
const FUNDS = micros(10_000_000n);
const CAPACITY = wattHours(20_000n);

export async function runAggregator(run: AggregatorRun): Promise<AggregatorResult> {
  const folder = mkdtempSync(join(tmpdir(), "dream-bench-"));
  try {
    return await runIn(folder, run);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runIn(folder: string, { members, onProgress }: AggregatorRun): Promise<AggregatorResult> {
  const network = await foundedIn(folder);
  const names = Array.from({ length: members }, (_, index) => `member-${index}`);
  const slot = firstSlotOfTomorrow();
  const phases: PhaseResult[] = [];
  let total = 0;
  const measured = async (phase: AggregatorPhase, work: (step: (count: number) => void) => Promise<unknown>) => {
    const before = network.moneyHeld().transactions;
    const startMs = performance.now();
    const startCpu = process.cpuUsage();
    await work((count) => {
      total += count;
      onProgress(total, members * AGGREGATOR_PHASES.length);
    });
    const seconds = (performance.now() - startMs) / 1_000;
    const { user, system } = process.cpuUsage(startCpu);
    const coreSeconds = (user + system) / 1e6;
    const transactions = network.moneyHeld().transactions - before;
    phases.push({ phase, seconds, coreSeconds, residentBytes: process.memoryUsage().rss, transactions });
  };
  await measured("join", (step) => joinAll(network, names, step));
  await measured("fund", (step) => eachOf(names, step, (name) => fund(network, name)));
  await measured("start", async (step) => {
    await network.restartHost(HOST);
    step(members);
  });
  const submit = (name: string, command: ClientCommand): Promise<unknown> =>
    network.node(name).submit(command).then(unwrap);
  const suppliers = names.filter((_, index) => index % 2 === 0);
  await measured("promise", async (step) => {
    await eachOf(
      suppliers,
      (count) => step(2 * count),
      (name, index) => submit(name, promiseOf(slot, index)),
    );
  });
  const marketplace = network.node("marketplace").party;
  await measured("order", (step) =>
    eachOf(names, step, (name, index) => submit(name, orderOf(slot, index, marketplace))),
  );
  const operator = new Marketplace({
    client: ownerClient(network.node("marketplace")),
    method: payAsClear,
    nowMs: () => Date.now(),
  });
  await measured("clear", async (step) => {
    const [problem] = await operator.clearSlots([slot], true);
    invariant(problem === undefined, `the pool is cleared, was refused: ${problem?.refusal.tag}`);
    step(members);
  });
  const { issuedMicros, heldMicros } = network.moneyHeld();
  invariant(issuedMicros === heldMicros, "the money that was issued is the money that is held");
  network.close();
  return { members, phases, clearedWh: operator.rounds()[0]?.volume ?? 0n };
}

async function foundedIn(folder: string): Promise<LocalNetwork> {
  const defer = (task: () => void): void => void setImmediate(task);
  let openOrders: Parameters<typeof admissionPolicy>[0] = () => [];
  const network = await LocalNetwork.found({
    rules: BENCH_RULES,
    clock: { nowMs: () => Date.now() },
    entropy: systemEntropy,
    commitLog: openSqliteCommitLog(join(folder, COMMIT_LOG_FILE), "power-loss"),
    openStore: (name) => openSqliteNodeStore(join(folder, `${name}.sqlite`), "power-loss", defer),
    openHostStore: (name) => openSqliteHostStore(join(folder, `${name}.sqlite`), "power-loss", defer),
    defer,
    marketplacePolicy: admissionPolicy((order) => openOrders(order)),
  });
  const marketplace = network.node("marketplace");
  openOrders = ({ owner, orderId }) => marketplace.unspentOf("pool-order", { owner, id: orderId });
  await network.aggregator(HOST);
  return network;
}

async function joinAll(network: LocalNetwork, names: readonly string[], step: (count: number) => void): Promise<void> {
  for (let first = 0; first < names.length; first += BATCH) {
    const batch = names.slice(first, first + BATCH);
    const usual = { roles: ["prosumer"], capacityPerSlot: CAPACITY, holdingCapPerSlot: null } as const;
    await network.enrol(
      HOST,
      batch.map((name) => ({ name, ...usual })),
    );
    step(batch.length);
  }
}

async function fund(network: LocalNetwork, name: string): Promise<void> {
  const to = network.node(name).party;
  const command = { tag: "issue-funds", commandId: `funds/${name}`, to, amounts: [FUNDS] } as const;
  unwrap(await network.node("payment-provider").submit(command));
}

/** From 1 to 10 kWh, so that orders of many sizes meet. */
function energyOf(index: number): ReturnType<typeof wattHours> {
  return wattHours(1_000n + BigInt((index * 37) % 91) * 100n);
}

function promiseOf(slot: SlotId, index: number): ClientCommand {
  return { tag: "create-promises", commandId: `promise/${index}`, promises: [{ slot, energy: energyOf(index) }] };
}

/** Suppliers offer what they promised, between 0.05 and 0.15; the others bid between 0.10 and 0.30. */
function orderOf(slot: SlotId, index: number, marketplace: LocalNetwork["notaryKey"]): ClientCommand {
  const isOffer = index % 2 === 0;
  const place = BigInt((index * 7_919) % 1_000);
  const limit = microsPerKwh(isOffer ? 50_000n + place * 100n : 100_000n + place * 200n);
  const energy = energyOf(Math.floor(index / 2));
  const side = isOffer ? "offer" : "bid";
  return { tag: "place-orders", commandId: `order/${index}`, marketplace, orders: [{ side, slot, energy, limit }] };
}

/** Does the work of all, some at the same time; what one of them takes longer for does not hold up the others. */
async function eachOf(
  names: readonly string[],
  step: (count: number) => void,
  work: (name: string, index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < names.length; index = next++) {
      await work(names[index] ?? "", index);
      step(1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function firstSlotOfTomorrow(): SlotId {
  const timeZone = zone(BENCH_RULES.timeZone);
  const tomorrow = addLocalDays(localDayAt(timeZone, Date.now()), 1);
  const [first] = slotsOfLocalDay(timeZone, tomorrow, BENCH_RULES.slotMinutes);
  invariant(first !== undefined, "a day has slots");
  return first.id;
}
