/** From runs to medians, shares, growth and verdicts: tables worked by hand, and laws. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { invariant } from "#core";
import { paperSummary } from "./aims.ts";
import {
  type ClassUsage,
  type Experiment,
  failedOf,
  type Machine,
  type Run,
  runPlans,
  type UsageClass,
} from "./experiment.ts";
import { PAPER_COLUMNS, paperCsv } from "./paper-csv.ts";
import { aimSentences, summaryText } from "./paper-text.ts";
import {
  cellResults,
  growthByNodes,
  growthByRequests,
  largestMemberNode,
  memoryShares,
  spreadOf,
  verdictOf,
} from "./statistics.ts";
import { usageByClass } from "./usage.ts";

const MACHINE: Machine = {
  measuredAt: "2031-06-01T10:00:00.000Z",
  runtime: "node v20.20.2",
  cpu: "Example",
  cores: 2,
  memoryBytes: 8_000_000_000,
  loadBefore: 0.5,
  loadAfter: 2.25,
};
const EXPERIMENT: Experiment = { nodes: [6, 10], requests: [10, 100], tasks: ["create-promise"], repeats: 3 };

function used(usageClass: UsageClass, meanBytes: number, processPeakBytes = meanBytes): ClassUsage {
  return { usageClass, processes: 1, samples: 2, meanBytes, peakBytes: meanBytes, processPeakBytes, cpuSeconds: 0.05 };
}

function run(nodes: number, requests: number, milliseconds: number, patch: Partial<Run> = {}): Run {
  const secondsPerRequest = milliseconds / 1_000;
  return {
    task: "create-promise",
    nodes,
    requests,
    repeat: 0,
    batchSeconds: secondsPerRequest * requests,
    secondsPerRequest,
    quietSeconds: secondsPerRequest * requests + 0.1,
    answerSeconds: Array.from({ length: requests }, () => secondsPerRequest),
    refusals: {},
    usage: [used("infrastructure", 60e6), used("consumer", 90e6), used("notary", 50e6)],
    ...patch,
  };
}

const RUNS: readonly Run[] = [
  ...[20, 22, 30].map((time) => run(6, 10, time)),
  ...[18, 20, 21].map((time) => run(6, 100, time)),
  ...[24, 26, 28].map((time) => run(10, 10, time)),
  ...[30, 33, 36].map((time) => run(10, 100, time)),
];

describe("runs", () => {
  test("take every cell once in each repeat, there and back", () => {
    const plans = runPlans({ ...EXPERIMENT, tasks: ["create-promise", "bid"], repeats: 2 });
    const texts = plans.map(({ task, nodes, requests, repeat }) => `${task} ${nodes} ${requests} ${repeat}`);
    expect(texts).toHaveLength(2 * 9);
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts.slice(0, 3)).toEqual(["create-promise 6 10 0", "create-promise 6 100 0", "bid 6 10 0"]);
    expect(texts[8]).toBe("bid-contended 6 100 0");
    expect(texts.slice(9).map((text) => text.slice(0, -2))).toEqual(
      texts
        .slice(0, 9)
        .map((text) => text.slice(0, -2))
        .reverse(),
    );
  });

  test("have bids on one auction only where there are bids, and more than one at once", () => {
    const contended = (patch: Partial<Experiment>): boolean =>
      runPlans({ ...EXPERIMENT, ...patch }).some(({ task }) => task === "bid-contended");
    expect(contended({})).toBe(false);
    expect(contended({ tasks: ["bid"] })).toBe(true);
    expect(contended({ tasks: ["bid"], requests: [1] })).toBe(false);
  });
});

describe("cells", () => {
  test("have the median, the least and the most of their repeats", () => {
    expect(
      cellResults(RUNS).map(({ nodes, requests, secondsPerRequest }) => [nodes, requests, secondsPerRequest]),
    ).toEqual([
      [6, 10, { median: 0.022, min: 0.02, max: 0.03 }],
      [6, 100, { median: 0.02, min: 0.018, max: 0.021 }],
      [10, 10, { median: 0.026, min: 0.024, max: 0.028 }],
      [10, 100, { median: 0.033, min: 0.03, max: 0.036 }],
    ]);
  });

  test("have the time of a core that all processes together took for a request", () => {
    const [cell] = cellResults([run(6, 10, 1), run(6, 10, 1), run(6, 10, 1, { usage: [used("notary", 1)] })]);
    expect(cell?.cpuSecondsPerRequest.max).toBeCloseTo(0.015);
    expect(cell?.cpuSecondsPerRequest.median).toBeCloseTo(0.015);
    expect(cell?.cpuSecondsPerRequest.min).toBeCloseTo(0.005);
  });

  test("add up what was refused, and take the median of the memory", () => {
    const [cell] = cellResults([
      run(6, 10, 1, { refusals: { state_conflict: 2 }, usage: [used("consumer", 90e6, 91e6)] }),
      run(6, 10, 1, { refusals: { state_conflict: 1, node_unreachable: 1 }, usage: [used("consumer", 80e6, 99e6)] }),
      run(6, 10, 1, { usage: [used("consumer", 100e6, 100e6)] }),
    ]);
    expect(cell).toMatchObject({ failed: 4, refusals: { state_conflict: 3, node_unreachable: 1 } });
    expect(cell?.usage).toMatchObject([{ usageClass: "consumer", meanBytes: 90e6, processPeakBytes: 100e6 }]);
  });

  test("have their median between the least and the most", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 9 }), (values) => {
        const { median, min, max } = spreadOf(values);
        expect(min).toBeLessThanOrEqual(median);
        expect(median).toBeLessThanOrEqual(max);
        expect(values).toContain(min);
        expect(values).toContain(max);
      }),
    );
  });
});

describe("growth", () => {
  test("by requests is between the two largest numbers, in each network", () => {
    const growths = growthByRequests(cellResults(RUNS), EXPERIMENT);
    expect(growths.map(({ to, ratio }) => [to.nodes, ratio.toFixed(3)])).toEqual([
      [6, "0.909"],
      [10, "1.269"],
    ]);
    expect(growths[1]?.ratioMin).toBeCloseTo(30 / 28);
    expect(growths[1]?.ratioMax).toBeCloseTo(36 / 24);
  });

  test("by nodes is from the smallest network to the largest, for each number", () => {
    const growths = growthByNodes(cellResults(RUNS), EXPERIMENT);
    expect(growths.map(({ to, ratio }) => [to.requests, ratio.toFixed(3)])).toEqual([
      [10, "1.182"],
      [100, "1.650"],
    ]);
  });

  test("is not there where one size was measured", () => {
    const one: Experiment = { ...EXPERIMENT, nodes: [6], requests: [10] };
    expect(growthByRequests(cellResults(RUNS), one)).toEqual([]);
    expect(growthByNodes(cellResults(RUNS), one)).toEqual([]);
  });

  test("meets the aim, misses it, or is within the noise of the repeats", () => {
    const [six, ten] = growthByRequests(cellResults(RUNS), EXPERIMENT);
    invariant(six !== undefined && ten !== undefined, "there are two networks");
    expect(verdictOf(six, 1)).toBe("met");
    expect(verdictOf(ten, 1)).toBe("missed");
    expect(verdictOf(ten, 1.2)).toBe("noise");
    expect(verdictOf(ten, 1.27)).toBe("met");
  });
});

describe("memory", () => {
  const processes = [
    { pid: 1, usageClass: "consumer" },
    { pid: 2, usageClass: "consumer" },
    { pid: 3, usageClass: "client" },
  ] as const;

  test("is added up by class in each sample", () => {
    const samples = [
      new Map([
        [1, { bytes: 100, cpuMs: 1_000 }],
        [2, { bytes: 50, cpuMs: 200 }],
        [3, { bytes: 7, cpuMs: 5 }],
      ]),
      new Map([
        [1, { bytes: 90, cpuMs: 1_500 }],
        [2, { bytes: 70, cpuMs: 300 }],
        [3, { bytes: 9, cpuMs: 5 }],
      ]),
    ];
    expect(usageByClass(processes, samples)).toEqual([
      {
        usageClass: "client",
        processes: 1,
        samples: 2,
        meanBytes: 8,
        peakBytes: 9,
        processPeakBytes: 9,
        cpuSeconds: 0,
      },
      {
        usageClass: "consumer",
        processes: 2,
        samples: 2,
        meanBytes: 155,
        peakBytes: 160,
        processPeakBytes: 100,
        cpuSeconds: 0.6,
      },
    ]);
  });

  test("is shared out: parts of it all, that add up to one", () => {
    const shares = memoryShares(run(6, 10, 1).usage);
    expect([...shares]).toEqual([
      ["infrastructure", 0.3],
      ["consumer", 0.45],
      ["notary", 0.25],
    ]);
  });

  test("of the largest node is that of a member, not of an authority or a client", () => {
    const large = run(10, 100, 1, { usage: [used("client", 500e6), used("producer", 180e6, 97e6)] });
    expect(largestMemberNode([...RUNS, large])).toEqual({
      bytes: 97e6,
      usageClass: "producer",
      run: { task: "create-promise", nodes: 10, requests: 100 },
    });
  });
});

describe("what is said", () => {
  const summary = paperSummary(EXPERIMENT, RUNS, MACHINE);

  test("names the aims that are missed, and where", () => {
    const { byRequests, byNodes, memory: memorySaid, failures } = aimSentences(summary);
    expect(byRequests).toBe(
      "time per request × 0.91 to × 1.27. Aim: does not grow: met in 1 of 2, missed in 1. Worst: Create power promise, 10 nodes, 100 requests, × 1.27 (× 1.07 to × 1.50 in the repeats).",
    );
    expect(byNodes).toMatch(
      /× 1\.18 to × 1\.65\. Aim: grows by less than a third: met in 1 of 2, missed in 1\. Worst:/,
    );
    expect(memorySaid).toMatch(/largest member's node 90 MB \(consumer; .*less than 120 MB: met\.$/);
    expect(failures).toBe("all 660 were carried out.");
  });

  test("never hides what was refused", () => {
    const refusals = { state_conflict: 3, "counterparty_refused/node_unreachable": 1 };
    const failed = paperSummary(EXPERIMENT, [...RUNS, run(6, 10, 1, { refusals })], MACHINE);
    expect(summaryText(failed)).toContain(
      "Requests: 4 of 670 were refused: state_conflict 3, counterparty_refused/node_unreachable 1.",
    );
  });

  test("keeps bids on one auction apart", () => {
    const contended = run(6, 10, 5, { task: "bid-contended", refusals: { already_highest: 7 } });
    const both = paperSummary(EXPERIMENT, [...RUNS, contended], MACHINE);
    expect(both.failed).toBe(0);
    expect(both.cells).toHaveLength(4);
    expect(aimSentences(both).contended).toMatch(/3 of 10 were carried out; refused: already_highest 7\.$/);
  });

  test("fits on a terminal, with the machine and its load", () => {
    const text = summaryText(summary);
    expect(text).toContain("2 cores (Example) · 8 GB · node v20.20.2 · load 0.5 before, 2.3 after");
    expect(text).toContain("│ 22.0 (20.0–30.0) │");
    expect(text).toContain("12 runs, each with a network of its own: 6 and 10 nodes · 10 and 100 requests at once");
  });
});

describe("paper.csv", () => {
  test("has a row for each run and class, of plain fields", () => {
    const runs = [run(6, 10, 20), run(10, 100, 33, { repeat: 2, refusals: { state_conflict: 2, exists: 1 } })];
    const lines = paperCsv(runs).split("\n");
    expect(lines).toHaveLength(1 + 6 + 1);
    expect(lines[0]).toBe(PAPER_COLUMNS.join(","));
    expect(PAPER_COLUMNS).toEqual(
      expect.arrayContaining(["task", "nodes", "requests", "usageClass", "residentBytes", "secondsPerRequest"]),
    );
    expect(lines[1]).toBe(
      "create-promise,6,10,1,infrastructure,1,60000000,60000000,60000000,2,0.05,0.020000,0.200000,0.300000,0,",
    );
    expect(lines[6]).toMatch(/^create-promise,10,100,3,notary,.*,3,exists:1 state_conflict:2$/);
    for (const text of lines.slice(0, -1)) expect(text.split(",")).toHaveLength(PAPER_COLUMNS.length);
    expect(failedOf({ refusals: { state_conflict: 2, exists: 1 } })).toBe(3);
  });
});
