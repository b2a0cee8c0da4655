/**
 * Durable create-promise flows in one process: every member has a node with a store of its own, all in files that survive a
 * cut of the power, and a notary that signs after its commit. Nothing is left out: contracts are checked by each signer and by
 * the notary, and all signatures by all who rely on them.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientCommand, Receipt } from "#contracts";
import {
  addLocalDays,
  invariant,
  localDayAt,
  micros,
  type SlotId,
  slotsOfLocalDay,
  unwrap,
  wattHours,
  zone,
} from "#core";
import { COMMIT_LOG_FILE, LocalNetwork, openSqliteCommitLog, openSqliteNodeStore } from "#ledger-node";
import { systemEntropy } from "../network/keys.ts";
import { BENCH_RULES } from "./bench-rules.ts";
import { meanCost, measureSignatureCost, type SignatureCost } from "./signature-cost.ts";

export type OneProcessOptions = {
  readonly members: number;
  readonly flowsPerMember: number;
  readonly rounds: number;
  readonly onRound?: (done: number, total: number) => void;
};

/** Rates are flows per second. */
export type OneProcessResult = {
  readonly flows: number;
  readonly flowsPerSecond: number;
  readonly signsPerFlow: number;
  readonly verifiesPerFlow: number;
  readonly cost: SignatureCost;
  /** Flows per second if nothing but the signatures took time, on the one core that the process uses. */
  readonly signatureLimit: number;
  /** Share of that limit that was reached. */
  readonly ratio: number;
};

const FUNDS = micros(1_000_000_000n);
const ENERGY = wattHours(100n);

export async function benchOneProcess(options: OneProcessOptions): Promise<OneProcessResult> {
  const folder = mkdtempSync(join(tmpdir(), "dream-bench-"));
  try {
    return await benchIn(folder, options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function benchIn(folder: string, options: OneProcessOptions): Promise<OneProcessResult> {
  const network = await foundedIn(folder, options.members);
  const nowMs = (): number => performance.now();
  const costs = [measureSignatureCost(nowMs)];
  const before = { ...network.counters };
  let spentMs = 0;
  for (let round = 0; round < options.rounds; round++) {
    const startMs = nowMs();
    await runRound(network, options, round);
    spentMs += nowMs() - startMs;
    costs.push(measureSignatureCost(nowMs));
    options.onRound?.(round + 1, options.rounds);
  }
  const flows = options.members * options.flowsPerMember * options.rounds;
  const signsPerFlow = (network.counters.signatures - before.signatures) / flows;
  const verifiesPerFlow = (network.counters.verifications - before.verifications) / flows;
  network.close();
  const cost = meanCost(costs);
  const signatureLimit = 1e6 / (signsPerFlow * cost.signMicros + verifiesPerFlow * cost.verifyMicros);
  const flowsPerSecond = (flows / spentMs) * 1_000;
  return {
    flows,
    flowsPerSecond,
    signsPerFlow,
    verifiesPerFlow,
    cost,
    signatureLimit,
    ratio: flowsPerSecond / signatureLimit,
  };
}

async function foundedIn(folder: string, members: number): Promise<LocalNetwork> {
  const defer = (task: () => void): void => void setImmediate(task);
  const network = await LocalNetwork.found({
    rules: BENCH_RULES,
    clock: { nowMs: () => Date.now() },
    entropy: systemEntropy,
    commitLog: openSqliteCommitLog(join(folder, COMMIT_LOG_FILE), "power-loss"),
    openStore: (name) => openSqliteNodeStore(join(folder, `${name}.sqlite`), "power-loss", defer),
    defer,
  });
  for (let index = 0; index < members; index++) {
    const node = await network.join({
      name: `member-${index}`,
      roles: ["prosumer"],
      capacityPerSlot: wattHours(100_000n),
      holdingCapPerSlot: null,
    });
    const issued = await network.node("payment-provider").submit({
      tag: "issue-funds",
      commandId: `funds/${index}`,
      to: node.party,
      amounts: [FUNDS, FUNDS],
    });
    unwrap(issued);
  }
  return network;
}

async function runRound(network: LocalNetwork, options: OneProcessOptions, round: number): Promise<void> {
  const slots = slotsOfTheWeek();
  const flows: Promise<Receipt>[] = [];
  for (let member = 0; member < options.members; member++) {
    for (let flow = 0; flow < options.flowsPerMember; flow++) {
      const slot = slots[(round * options.flowsPerMember + flow) % slots.length];
      invariant(slot !== undefined, "a day has slots");
      const commandId = `promise/${round}/${member}/${flow}`;
      const command: ClientCommand = { tag: "create-promises", commandId, promises: [{ slot, energy: ENERGY }] };
      flows.push(
        network
          .node(`member-${member}`)
          .submit(command)
          .then((result) => unwrap(result)),
      );
    }
  }
  await Promise.all(flows);
}

/** Slots of the coming week, day after day in turn: a member promises for all of them, and has an exposure for each day. */
function slotsOfTheWeek(): readonly SlotId[] {
  const timeZone = zone(BENCH_RULES.timeZone);
  const today = localDayAt(timeZone, Date.now());
  const days = Array.from({ length: 7 }, (_, index) =>
    slotsOfLocalDay(timeZone, addLocalDays(today, index + 1), BENCH_RULES.slotMinutes).map(({ id }) => id),
  );
  const longest = Math.max(...days.map(({ length }) => length));
  return Array.from({ length: longest }, (_, index) => days.flatMap((slots) => slots[index] ?? [])).flat();
}
