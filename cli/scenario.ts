/** `SCENARIO.yaml`: which community, which days, which strategies. One strict schema; all errors at once, with line and mend. */
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { defaultRules } from "#backtest";
import { err, ok, parseLocalDay, type Result, zone } from "#core";
import type { GeneratorOptions } from "#data";
import { builtInStrategies, findStrategy } from "#strategies";

const generated = z.strictObject({
  source: z.literal("generated"),
  seed: z.int().nonnegative().optional(),
  days: z.int().min(3).max(3_660).optional(),
  homes: z.int().min(0).max(10_000).optional(),
  parks: z.int().min(0).max(1_000).optional(),
  slotMinutes: z.union([z.literal(15), z.literal(30), z.literal(60)]).optional(),
  timeZone: z.string().optional(),
  firstDay: z.iso.date().optional(),
  latitude: z.number().min(-66).max(66).optional(),
  longitude: z.number().min(-180).max(180).optional(),
  climate: z.enum(["continental", "sunny"]).optional(),
});
const measured = z.strictObject({ source: z.literal("measured") });
const automatic = z.strictObject({ source: z.literal("default") });
const micros = z.int();
const serviceName = z.string().min(1).max(40);

const schema: z.ZodType<Scenario> = z.strictObject({
  name: z.string().min(1).max(40),
  community: z.discriminatedUnion("source", [generated, measured, automatic]).default({ source: "default" }),
  from: z
    .string()
    .refine((text) => parseLocalDay(text).ok, "not a day; write it as 2031-06-01")
    .optional(),
  days: z.int().min(1).max(400).default(14),
  seed: z.int().nonnegative().default(1),
  rules: z
    .strictObject({
      emergencyMicrosPerKwh: micros.nonnegative().optional(),
      gridFeeMicrosPerKwh: micros.nonnegative().optional(),
      surplusMicrosPerKwh: micros.nonnegative().optional(),
      marketFeeMicrosPerKwh: micros.nonnegative().optional(),
      bidRiseMicrosPerKwh: micros.positive().optional(),
      promiseMinWh: z.int().positive().optional(),
      promiseMaxWh: z.int().positive().optional(),
      gateLeadMinutes: z.int().min(0).max(1_440).optional(),
    })
    .default({}),
  agency: serviceName.optional(),
  aggregator: serviceName.optional(),
  meterOperators: z.array(serviceName).max(20).optional(),
  members: z
    .record(z.string(), z.strictObject({ strategy: z.string(), config: z.record(z.string(), z.unknown()).default({}) }))
    .default({}),
});

/** A checked scenario. Prices in micros per kWh, energy in watt-hours. */
export type Scenario = {
  readonly name: string;
  readonly community: GeneratedCommunity | { readonly source: "measured" } | { readonly source: "default" };
  /** First local day; the community's demo day when absent. */
  readonly from?: string | undefined;
  readonly days: number;
  readonly seed: number;
  readonly rules: ScenarioRules;
  /** Name of a verification agency that joins and certifies what suppliers claim of their plants. */
  readonly agency?: string | undefined;
  /** Name of an aggregator that serves the homes: they have no nodes of their own. */
  readonly aggregator?: string | undefined;
  /** Names of meter operators that report beside the grid authority. */
  readonly meterOperators?: readonly string[] | undefined;
  /** Strategies of members, instead of the community's own. */
  readonly members: Readonly<
    Record<string, { readonly strategy: string; readonly config: Readonly<Record<string, unknown>> }>
  >;
};
type GeneratedCommunity = Omit<GeneratorOptions, "seed"> & {
  readonly source: "generated";
  readonly seed?: number | undefined;
};
type ScenarioRules = {
  readonly emergencyMicrosPerKwh?: number | undefined;
  readonly gridFeeMicrosPerKwh?: number | undefined;
  readonly surplusMicrosPerKwh?: number | undefined;
  readonly marketFeeMicrosPerKwh?: number | undefined;
  readonly bidRiseMicrosPerKwh?: number | undefined;
  readonly promiseMinWh?: number | undefined;
  readonly promiseMaxWh?: number | undefined;
  readonly gateLeadMinutes?: number | undefined;
};
/** `code` is `strategy_unknown`, `strategy_config_invalid` or `scenario_malformed`. */
export const SCENARIO_REFUSALS = [
  "scenario_malformed",
  "strategy_unknown",
  "strategy_config_invalid",
  "member_unknown",
] as const;
export type ScenarioProblem = {
  readonly code: (typeof SCENARIO_REFUSALS)[number];
  readonly line: number | null;
  readonly path: string;
  readonly problem: string;
  readonly mend: string;
};

/** Reads a scenario (outside input: never throws). */
export function parseScenario(text: string): Result<Scenario, readonly ScenarioProblem[]> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    return err(
      document.errors.map(({ message, pos }) => ({
        code: "scenario_malformed" as const,
        line: lines.linePos(pos[0]).line,
        path: "",
        problem: message,
        mend: "write it as YAML",
      })),
    );
  }
  const lineOf = (path: readonly PropertyKey[]): number | null => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as
        | { readonly range?: readonly number[] | null }
        | undefined;
      const start = node?.range?.[0];
      if (start !== undefined) return lines.linePos(start).line;
    }
    return null;
  };
  const content = contentOf(document);
  if (!content.ok) return content;
  const parsed = schema.safeParse(content.value);
  if (!parsed.success) return err(parsed.error.issues.map((issue) => schemaProblem(issue, lineOf)));
  const problems = [
    ...ruleProblems(parsed.data.rules, lineOf),
    ...Object.entries(parsed.data.members).flatMap(([member, { strategy, config }]) =>
      strategyProblems(member, strategy, config, lineOf),
    ),
  ];
  return problems.length > 0 ? err(problems) : ok(parsed.data);
}

/** What the document says; aliases of nothing, and aliases upon aliases that would fill the memory, are refused. */
function contentOf(document: ReturnType<typeof parseDocument>): Result<unknown, readonly ScenarioProblem[]> {
  try {
    return ok(document.toJS());
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return err([{ code: "scenario_malformed", line: 1, path: "", problem, mend: "write it without aliases" }]);
  }
}

type LineOf = (path: readonly PropertyKey[]) => number | null;

function schemaProblem(issue: z.core.$ZodIssue, lineOf: LineOf): ScenarioProblem {
  const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
  const mend =
    issue.code === "unrecognized_keys"
      ? "remove the key, or correct its spelling"
      : "see 'dream simulate --help' for an example";
  return { code: "scenario_malformed", line: lineOf(path), path: path.join("."), problem: issue.message, mend };
}

/** What only shows in two rules at once: a network with such parameters can't be founded. */
function ruleProblems(rules: ScenarioRules, lineOf: LineOf): readonly ScenarioProblem[] {
  const usual = defaultRules({ name: "any", timeZone: zone("UTC"), slotMinutes: 60 }, "any");
  const value = (own: number | undefined, otherwise: bigint): bigint => (own === undefined ? otherwise : BigInt(own));
  const pairs = [
    [
      "promiseMinWh",
      value(rules.promiseMinWh, usual.promiseMin),
      "promiseMaxWh",
      value(rules.promiseMaxWh, usual.promiseMax),
    ],
    [
      "gridFeeMicrosPerKwh",
      value(rules.gridFeeMicrosPerKwh, usual.gridFee),
      "emergencyMicrosPerKwh",
      value(rules.emergencyMicrosPerKwh, usual.emergencyPrice),
    ],
  ] as const;
  return pairs.flatMap(([low, least, high, most]) => {
    if (least <= most) return [];
    const named = rules[low] === undefined ? high : low;
    const problem = `${low} is ${least} and ${high} is ${most}`;
    return [
      {
        code: "scenario_malformed" as const,
        line: lineOf(["rules", named]),
        path: `rules.${named}`,
        problem,
        mend: `give a ${low} that is not above ${high}`,
      },
    ];
  });
}

function strategyProblems(member: string, name: string, config: unknown, lineOf: LineOf): readonly ScenarioProblem[] {
  const found = findStrategy(name);
  if (!found.ok) {
    const mend = `${found.error.mend} Built in are: ${[...builtInStrategies.keys()].join(", ")}.`;
    return [
      {
        code: "strategy_unknown",
        line: lineOf(["members", member, "strategy"]),
        path: `members.${member}.strategy`,
        problem: `there is no strategy ${JSON.stringify(name)}`,
        mend,
      },
    ];
  }
  const parsed = found.value.config.safeParse(config);
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) => {
    const path = ["members", member, "config", ...issue.path];
    return {
      code: "strategy_config_invalid" as const,
      line: lineOf(path),
      path: path.join("."),
      problem: issue.message,
      mend: `see the README of the strategy ${name}`,
    };
  });
}

export function describeProblems(fileName: string, problems: readonly ScenarioProblem[]): string {
  return problems
    .map(
      ({ code, line, path, problem, mend }) =>
        `${fileName}${line === null ? "" : `:${line}`}: [${code}] ${path === "" ? "" : `${path}: `}${problem}; ${mend}`,
    )
    .join("\n");
}
