/** Waits until a healed network has nothing more to do, and shows that nothing is left locked. */
import { setTimeout as sleep } from "node:timers/promises";
import { type State, wholeCents } from "#contracts";
import { micros, microsPerKwh, slotOf, sumEnergy } from "#core";
import type { Clients } from "./clients.ts";
import type { Stage } from "./stage.ts";
import type { StageClock } from "./stage-clock.ts";

export type QuietParts = { readonly stage: Stage; readonly clock: StageClock; readonly clients: Clients };

const POLL_MS = 400;
/** Seen quiet so often in a row: between two duties a node may look as if it had none. */
const QUIET_POLLS = 4;
/** Auctions and orders that are due at once are left to their owners this long after the grace period. */
const DUE_MS = 0;

/** Undefined once all is quiet; else, after the time, what is still under way. */
export async function untilQuiet(parts: QuietParts, timeoutMs: number): Promise<string | undefined> {
  const untilMs = Date.now() + timeoutMs;
  let quiet = 0;
  for (;;) {
    const busy = await whatIsBusy(parts);
    quiet = busy.length === 0 ? quiet + 1 : 0;
    if (quiet === QUIET_POLLS) return undefined;
    if (Date.now() > untilMs) return busy.length === 0 ? "quiet for a moment only" : busy.join("; ");
    await sleep(POLL_MS);
  }
}

async function whatIsBusy({ stage, clock, clients }: QuietParts): Promise<readonly string[]> {
  const nodes = stage.parties.filter(({ roles }) => roles.some((role) => role !== "notary"));
  const statuses = await Promise.all(
    nodes.map(async ({ name }) => {
      const status = await clients.owner(name).status();
      if (!status.ok) return [`${name} does not show its status`];
      const { pending, outbox } = status.value;
      return pending + outbox === 0 ? [] : [`${name} has ${pending} commands and ${outbox} messages under way`];
    }),
  );
  return [...statuses.flat(), ...(await whatIsDue({ stage, clock, clients }))];
}

/** What the nodes must do by themselves: end and settle auctions, give back orders, settle slots with readings. */
async function whatIsDue({ stage, clock, clients }: QuietParts): Promise<readonly string[]> {
  const grid = stage.network.holder("grid-authority");
  const market = stage.network.holder("marketplace");
  const nowMs = clock.nowMs() - DUE_MS;
  const isOver = (state: Extract<State, { readonly slot: unknown }>): boolean => slotOf(state.slot).startMs <= nowMs;
  try {
    const [auctions, readings, orders] = await Promise.all([
      clients.owner(grid).states("auction"),
      clients.owner(grid).states("meter-reading"),
      clients.owner(market).states("pool-order"),
    ]);
    return [
      ...auctions
        .filter(({ state }) => state.deadlineMs <= nowMs || isOver(state))
        .map(({ state }) => `auction ${state.auctionId} is ${state.status} after its deadline`),
      ...readings.map(({ state }) => `${state.member.slice(0, 16)} is not settled for ${state.slot}`),
      ...orders.filter(({ state }) => isOver(state)).map(({ state }) => `order ${state.orderId} is not given back`),
    ];
  } catch {
    return ["the grid authority or the marketplace does not show its states"];
  }
}

/** Every member uses all the free funds and promises that its node shows. Gives what could not be used, and how much was. */
export async function useEverything(
  { stage, clock, clients }: QuietParts,
  members: readonly string[],
): Promise<{ readonly problems: readonly string[]; readonly used: number }> {
  const problems: string[] = [];
  let used = 0;
  const marketplace = stage.network.key(stage.network.holder("marketplace"));
  for (const name of members) {
    const key = stage.network.key(name);
    const owner = clients.owner(name);
    const open = (await owner.states("power-promise"))
      .map(({ state }) => state)
      .filter(
        ({ owner: of, lock, slot }) => of === key && lock === null && slotOf(slot).startMs > clock.nowMs() + 60_000,
      );
    for (const slot of new Set(open.map((promise) => promise.slot))) {
      const energy = sumEnergy(open.filter((promise) => promise.slot === slot).map((promise) => promise.energy));
      const { told } = await clients.carryOut(
        { party: name, as: "owner" },
        {
          tag: "create-auction",
          commandId: `all-of-${name}-in-${slot}`,
          marketplace,
          slot,
          energy,
          basePrice: microsPerKwh(100_000n),
          deadlineMs: slotOf(slot).startMs - 1_000,
        },
      );
      if (told.tag === "refused") problems.push(`${name} can't use its ${energy} Wh in ${slot}: ${told.reason}`);
      else used += 1;
    }
    const funds = (await owner.states("funds")).map(({ state }) => state).filter((state) => state.owner === key);
    const amount = micros(funds.reduce((sum, state) => sum + state.amount, 0n));
    if (wholeCents(amount) === 0n) continue;
    const { told } = await clients.carryOut(
      { party: name, as: "owner" },
      { tag: "redeem-funds", commandId: `all-funds-of-${name}`, amount },
    );
    if (told.tag === "refused") problems.push(`${name} can't use its ${amount} micros: ${told.reason}`);
    else used += 1;
  }
  return { problems, used };
}
