/** One run of the experiment: a network made afresh, a batch of requests sent at once, and what it took. */
import { invariant } from "#core";
import { type BenchNetwork, type BenchProgram, deployNetwork } from "../bench-network.ts";
import { slotsOfTomorrow } from "../bench-slots.ts";
import { type BenchRequest, monotonicMs } from "../client-messages.ts";
import { type Clients, spanMs, startClients } from "../clients.ts";
import type { Run, RunPlan } from "./experiment.ts";
import { type TaskPlan, type TaskStage, taskPlan } from "./tasks.ts";
import { type BenchMember, biddersOf, membersOf, suppliersOf } from "./topology.ts";
import { sampledWhile, type WatchedProcess } from "./usage.ts";

/** Processes that send requests. More would take more of a small machine from the nodes. */
const CLIENTS = 2;
/** For each member that may do the task: the first requests of a process compile its code. */
const WARM_UP_ROUNDS = 3;
const HOUR_MS = 3_600_000;

export async function runOnce(plan: RunPlan, program: BenchProgram): Promise<Run> {
  const members = membersOf(plan.nodes);
  const network = await deployNetwork(`paper-${plan.nodes}`, members, program);
  let clients: Clients | undefined;
  try {
    clients = await startClients(CLIENTS, program);
    return await measured(plan, { network, clients, members });
  } finally {
    await clients?.close();
    await network.close();
  }
}

type Deployed = {
  readonly network: BenchNetwork;
  readonly clients: Clients;
  readonly members: readonly BenchMember[];
};

async function measured(plan: RunPlan, deployed: Deployed): Promise<Run> {
  const { network, clients } = deployed;
  const stage = stageOf(deployed);
  await clients.send(await prepared(network, warmUp(plan, stage)));
  const requests = await prepared(network, taskPlan(plan.task, plan.requests, "run", stage));
  await network.quiet();
  const { result: answers, usage } = await sampledWhile(processesOf(deployed), () => clients.send(requests));
  await network.quiet();
  const firstMs = Math.min(...answers.map(({ sentMs }) => sentMs));
  invariant(answers.length === plan.requests, "each request has its answer");
  const batchSeconds = spanMs(answers) / 1_000;
  const refusals: Record<string, number> = {};
  for (const { refusal } of answers) if (refusal !== null) refusals[refusal] = (refusals[refusal] ?? 0) + 1;
  return {
    ...plan,
    batchSeconds,
    secondsPerRequest: batchSeconds / plan.requests,
    quietSeconds: (monotonicMs() - firstMs) / 1_000,
    answerSeconds: answers.map(({ sentMs, answeredMs }) => (answeredMs - sentMs) / 1_000),
    refusals,
    usage,
  };
}

/** The auctions end long after the run. */
function stageOf({ network, members }: Deployed): TaskStage {
  const nowMs = Date.now();
  const slots = slotsOfTomorrow(nowMs + HOUR_MS);
  return {
    suppliers: suppliersOf(members),
    bidders: biddersOf(members),
    marketplace: network.party("grid-authority").key,
    slots,
    deadlineMs: nowMs + HOUR_MS / 2,
  };
}

/** A few requests of the same task by each member. */
function warmUp({ task }: RunPlan, stage: TaskStage): TaskPlan {
  const members = task === "create-promise" || task === "create-auction" ? stage.suppliers : stage.bidders;
  return taskPlan(task === "bid-contended" ? "bid" : task, WARM_UP_ROUNDS * members.length, "warm-up", stage);
}

/** What the requests need is on the ledger, and known to all, before they are sent. */
async function prepared(network: BenchNetwork, { preparation, requests }: TaskPlan): Promise<readonly BenchRequest[]> {
  for (const step of preparation) {
    await network.prepare(step);
    await network.quiet();
  }
  return requests.map(({ member, command }) => ({ sender: network.sender(member), command }));
}

function processesOf({ network, clients, members }: Deployed): readonly WatchedProcess[] {
  return [
    { pid: process.pid, usageClass: "infrastructure" },
    ...clients.pids.map((pid) => ({ pid, usageClass: "client" as const })),
    ...members.map(({ name, usageClass }) => ({ pid: network.pidOf(name), usageClass })),
  ];
}
