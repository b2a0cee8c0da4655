/** Durable create-promise flows across processes: a process for each member's node and for each role of the infrastructure. */
import type { ClientCommand } from "#contracts";
import { invariant, wattHours } from "#core";
import { CommandFailure, EXIT } from "../exit.ts";
import { type MemberEntry, USUAL_MEMBER } from "../network/members-file.ts";
import { type BenchNetwork, type BenchProgram, deployNetwork } from "./bench-network.ts";
import { slotsOfTomorrow } from "./bench-slots.ts";
import type { BenchRequest } from "./client-messages.ts";
import { type Clients, spanMs, startClients } from "./clients.ts";

export type AcrossProcessesOptions = {
  readonly members: number;
  readonly flowsPerMember: number;
  readonly rounds: number;
  readonly program: BenchProgram;
  readonly onRound?: (done: number) => void;
};

export type AcrossProcessesResult = {
  /** Of nodes and of clients. */
  readonly processes: number;
  readonly members: number;
  readonly flows: number;
  readonly flowsPerSecond: number;
};

const ENERGY = wattHours(100n);
const CLIENTS = 2;
const WARM_UP_FLOWS = 2;

/** @throws CommandFailure when the network does not start, or a flow is refused. */
export async function benchAcrossProcesses(options: AcrossProcessesOptions): Promise<AcrossProcessesResult> {
  const { program } = options;
  const names = Array.from({ length: options.members }, (_, index) => `member-${index}`);
  const network = await deployNetwork("bench", names.map(prosumer), program);
  let clients: Clients | undefined;
  try {
    clients = await startClients(CLIENTS, program);
    await runRound(network, clients, names, { ...options, flowsPerMember: WARM_UP_FLOWS, round: "warm-up" });
    let spentMs = 0;
    for (let round = 0; round < options.rounds; round++) {
      spentMs += await runRound(network, clients, names, { ...options, round: `${round}` });
      options.onRound?.(round + 1);
    }
    const flows = options.members * options.flowsPerMember * options.rounds;
    return {
      processes: network.parties.length + CLIENTS,
      members: options.members,
      flows,
      flowsPerSecond: (flows / spentMs) * 1_000,
    };
  } finally {
    await clients?.close();
    await network.close();
  }
}

function prosumer(name: string): MemberEntry {
  return { ...USUAL_MEMBER, name, roles: ["prosumer"], capacityWhPerSlot: 1_000_000n };
}

/** Sends a round's commands at once; gives the milliseconds until the last was answered. */
async function runRound(
  network: BenchNetwork,
  clients: Clients,
  names: readonly string[],
  { flowsPerMember, round }: { readonly flowsPerMember: number; readonly round: string },
): Promise<number> {
  const slots = slotsOfTomorrow(Date.now());
  const requests = Array.from({ length: flowsPerMember }).flatMap((_, flow) =>
    names.map((name): BenchRequest => {
      const slot = slots[flow % slots.length];
      invariant(slot !== undefined, "a day has slots");
      const commandId = `promise/${round}/${name}/${flow}`;
      const command: ClientCommand = { tag: "create-promises", commandId, promises: [{ slot, energy: ENERGY }] };
      return { sender: network.sender(name), command };
    }),
  );
  const answers = await clients.send(requests);
  const refused = answers.find(({ refusal }) => refusal !== null);
  if (refused !== undefined)
    throw new CommandFailure(EXIT.error, `bench: a flow was refused: ${refused.refusal}; see docs/refusals.md`);
  return spanMs(answers);
}
