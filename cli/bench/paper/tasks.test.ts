/** Who sends what in the experiment: laws over all tasks, networks and numbers of requests. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { publicKey, signerFromSeed } from "#core";
import { isSoundCommand } from "../../../ledger-node/command-check.ts";
import { slotsOfTomorrow } from "../bench-slots.ts";
import { type RunTask, TASKS } from "./experiment.ts";
import { type TaskStage, taskPlan } from "./tasks.ts";
import { biddersOf, membersOf, NODES_MIN, suppliersOf } from "./topology.ts";

const NOW_MS = Date.parse("2031-06-01T10:00Z");
const marketplace = publicKey(signerFromSeed(new Uint8Array(32).fill(1)).publicKey);

function stageOf(nodes: number): TaskStage {
  const members = membersOf(nodes);
  return {
    suppliers: suppliersOf(members),
    bidders: biddersOf(members),
    marketplace,
    slots: slotsOfTomorrow(NOW_MS),
    deadlineMs: NOW_MS + 1_000,
  };
}

const plans = fc.record({
  task: fc.constantFrom<RunTask>(...TASKS, "bid-contended"),
  nodes: fc.integer({ min: NODES_MIN, max: 20 }),
  count: fc.integer({ min: 1, max: 300 }),
});

describe("the networks", () => {
  test("are the paper's: six nodes, and pairs of a consumer and a producer more", () => {
    const names = (nodes: number): readonly string[] => membersOf(nodes).map(({ name }) => name);
    expect(names(6)).toEqual(["grid-authority", "power-company", "notary", "consumer-1", "producer-1", "prosumer-1"]);
    expect(names(8).slice(6)).toEqual(["consumer-2", "producer-2"]);
    expect(names(10).slice(8)).toEqual(["consumer-3", "producer-3"]);
    expect(suppliersOf(membersOf(6))).toEqual(["power-company", "producer-1", "prosumer-1"]);
    expect(biddersOf(membersOf(6))).toEqual(["power-company", "consumer-1", "producer-1", "prosumer-1"]);
  });
});

describe("the requests", () => {
  test("are as many as asked for, dealt evenly, each with an id of its own, and sound", () => {
    fc.assert(
      fc.property(plans, ({ task, nodes, count }) => {
        const { preparation, requests } = taskPlan(task, count, "run", stageOf(nodes));
        expect(requests).toHaveLength(count);
        const all = [...preparation.flat(), ...requests];
        expect(new Set(all.map(({ member, command }) => `${member} ${command.commandId}`)).size).toBe(all.length);
        for (const { command } of all) expect(isSoundCommand(command)).toBe(true);
        if (task !== "create-promise" && task !== "create-auction") return;
        const counts = suppliersOf(membersOf(nodes)).map(
          (name) => requests.filter(({ member }) => member === name).length,
        );
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });

  test("of bids are never by whose auction it is, and on an auction each unless they contend", () => {
    fc.assert(
      fc.property(plans, ({ task, nodes, count }) => {
        if (task !== "bid" && task !== "bid-contended") return;
        const { preparation, requests } = taskPlan(task, count, "run", stageOf(nodes));
        const sellers = new Map(preparation[1]?.map(({ member, command }) => [command.commandId, member]));
        expect(sellers.size).toBe(task === "bid" ? count : 1);
        const prices = requests.map(({ member, command }) => {
          if (command.tag !== "bid") return expect.unreachable("a bid is a bid");
          expect(sellers.get(command.auctionId)).toBeDefined();
          expect(sellers.get(command.auctionId)).not.toBe(member);
          return command.price;
        });
        if (task === "bid-contended") expect(prices).toEqual([...new Set(prices)].sort((a, b) => (a < b ? -1 : 1)));
      }),
      { numRuns: 60 },
    );
  });

  test("are for slots of which their member has promised as much before", () => {
    fc.assert(
      fc.property(plans, ({ task, nodes, count }) => {
        if (task === "create-promise") return;
        const { preparation, requests } = taskPlan(task, count, "run", stageOf(nodes));
        const energies = (tag: string): ReadonlyMap<string, bigint> => {
          const sums = new Map<string, bigint>();
          for (const { member, command } of [...preparation.flat(), ...requests]) {
            const parts =
              command.tag !== tag
                ? []
                : command.tag === "create-promises"
                  ? command.promises
                  : command.tag === "create-auction"
                    ? [command]
                    : [];
            for (const { slot, energy } of parts)
              sums.set(`${member} ${slot}`, (sums.get(`${member} ${slot}`) ?? 0n) + energy);
          }
          return sums;
        };
        expect(energies("create-auction")).toEqual(energies("create-promises"));
      }),
      { numRuns: 60 },
    );
  });
});
