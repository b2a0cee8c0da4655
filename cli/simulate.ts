/** The bodies of `dream demo` and `dream simulate`. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  type CommunityServices,
  defaultRules,
  type Run,
  type RunRefusal,
  renderTerminal,
  runRefusal,
  runSimulation,
} from "#backtest";
import { addLocalDays, type LocalDay, localDay, microsPerKwh, parseLocalDay, toJson, wattHours } from "#core";
import { type Community, type CommunityMember, checkGeneratorOptions, generateCommunity } from "#data";
import { INFRASTRUCTURE_NAMES, type NetworkRules } from "#ledger-node";
import { findStrategy, type Strategy } from "#strategies";
import { type CommunitySource, DEFAULT_CURRENCY, defaultCommunity, measuredCommunity } from "./communities.ts";
import { CommandFailure, EXIT } from "./exit.ts";
import { progressBar } from "./progress.ts";
import { describeProblems, parseScenario, type Scenario } from "./scenario.ts";

export type CommandIo = CommunitySource & {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly version: string;
  /** Hash of the code that runs, and what runs it. */
  readonly codeHash: () => string;
  readonly runtime: string;
  readonly stopwatch: () => number;
  readonly noColour: boolean;
};

export type RunFlags = { readonly out?: string; readonly json?: boolean; readonly progress?: boolean };

/** What the demo's community hires, and what it pays for surplus: everything that a community can have. */
const DEMO_SERVICES = {
  aggregator: "neighbourhood",
  agency: "inspectorate",
  meterOperators: ["meter-east", "meter-west"],
  rules: { surplusMicrosPerKwh: 10_000 },
} as const;
/** What a green buyer pays on top for energy that is certified as renewable. */
const GREEN = {
  requires: { renewable: true },
  greenPremiumMicrosPerKwh: 20_000,
} as const;

/** The first member that only buys, buys green. */
function greenBuyer({ members }: Community): Scenario["members"] {
  const buyer = members.find(({ strategy }) => strategy === "load-follower");
  if (buyer === undefined) return {};
  const { name, strategy, strategyConfig } = buyer;
  return { [name]: { strategy, config: { ...strategyConfig, ...GREEN } } };
}

/** `dream demo`: the default community for some days. */
export async function demo(
  flags: RunFlags & { readonly days: number; readonly seed: number },
  io: CommandIo,
): Promise<void> {
  const community = defaultCommunity(io, flags.seed);
  const scenario: Scenario = {
    name: "demo",
    community: { source: "default" },
    days: flags.days,
    seed: flags.seed,
    ...DEMO_SERVICES,
    members: greenBuyer(community),
  };
  if (community.source === "generated")
    io.stderr.write(
      "No measured data at hand: this is a generated community. 'dream data get citylearn2022 pvod' fetches measured data, DREAM_DATA=DIR names a folder that has them.\n",
    );
  const latest = addLocalDays(community.lastDay, 1 - flags.days);
  const firstDay = latest < community.demoFirstDay ? latest : community.demoFirstDay;
  await runAndShow(community, firstDay, scenario, flags, io);
}

/** `dream simulate SCENARIO.yaml`. */
export async function simulateFile(
  file: string,
  flags: RunFlags & { readonly from?: string; readonly to?: string; readonly seed?: number },
  io: CommandIo,
): Promise<void> {
  if (!existsSync(file))
    throw new CommandFailure(EXIT.notFound, `${file}: there is no such scenario; give the path of a YAML file`);
  const parsed = parseScenario(readFileSync(file, "utf8"));
  if (!parsed.ok) throw new CommandFailure(EXIT.badInput, describeProblems(file, parsed.error));
  const scenario = { ...parsed.value, ...(flags.seed === undefined ? {} : { seed: flags.seed }) };
  const community = communityOf(file, scenario, io);
  checkMembers(file, scenario, community);
  const firstDay =
    dayOption("--from", flags.from) ?? (scenario.from === undefined ? community.demoFirstDay : localDay(scenario.from));
  const to = dayOption("--to", flags.to);
  const days = to === undefined ? scenario.days : Math.round((Date.parse(to) - Date.parse(firstDay)) / 86_400_000) + 1;
  if (days < 1) throw new CommandFailure(EXIT.badInput, `--to ${to} is before ${firstDay}; give a later day`);
  await runAndShow(community, firstDay, { ...scenario, days }, flags, io);
}

function dayOption(name: string, text: string | undefined): LocalDay | undefined {
  if (text === undefined) return undefined;
  const day = parseLocalDay(text);
  if (!day.ok)
    throw new CommandFailure(EXIT.badInput, `${name} is not a day: ${JSON.stringify(text)}; write it as 2031-06-01`);
  return day.value;
}

function communityOf(file: string, scenario: Scenario, io: CommandIo): Community {
  const { community } = scenario;
  if (community.source === "default") return defaultCommunity(io, scenario.seed);
  if (community.source === "measured") {
    const found = measuredCommunity(io);
    if (found === undefined)
      throw new CommandFailure(
        EXIT.notFound,
        `${file}: community.source: measured data are not at hand; run 'dream data get citylearn2022 pvod', or set DREAM_DATA to a folder that has them`,
      );
    return found;
  }
  const { source: _, ...asked } = community;
  const options = { ...asked, seed: community.seed ?? scenario.seed };
  const checked = checkGeneratorOptions(options);
  if (!checked.ok) {
    throw new CommandFailure(
      EXIT.badInput,
      checked.error
        .map(
          ({ option, found, expected }) =>
            `${file}: [scenario_malformed] community.${option}: was ${found}; give ${expected}`,
        )
        .join("\n"),
    );
  }
  return generateCommunity(options);
}

function checkMembers(file: string, scenario: Scenario, community: Community): void {
  const { members } = scenario;
  const names = community.members.map(({ name }) => name);
  checkServices(file, scenario, [...names, ...INFRASTRUCTURE_NAMES]);
  const unknown = Object.keys(members).filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new CommandFailure(
      EXIT.badInput,
      unknown
        .map(
          (name) =>
            `${file}: [member_unknown] members.${name}: the community has no such member; it has ${names.slice(0, 20).join(", ")}`,
        )
        .join("\n"),
    );
}

/** Services are members too: each needs a name of its own. */
function checkServices(
  file: string,
  { agency, aggregator, meterOperators = [] }: Scenario,
  taken: readonly string[],
): void {
  const services: readonly (readonly [string, string | undefined])[] = [
    ["agency", agency],
    ["aggregator", aggregator],
    ...meterOperators.map((name) => ["meterOperators", name] as const),
  ];
  const names = new Set(taken);
  for (const [key, name] of services) {
    if (name === undefined) continue;
    if (names.has(name))
      throw new CommandFailure(
        EXIT.badInput,
        `${file}: [scenario_malformed] ${key}: there is a member ${name} already; give another name`,
      );
    names.add(name);
  }
}

/** Makes a strategy choice for each member: the scenario's, else the community's own. */
function strategiesFor({
  members,
}: Scenario): (member: CommunityMember) => { readonly strategy: Strategy; readonly config: unknown } {
  return (member) => {
    const chosen = members[member.name] ?? { strategy: member.strategy, config: member.strategyConfig };
    const found = findStrategy(chosen.strategy);
    if (!found.ok)
      throw new CommandFailure(
        EXIT.badInput,
        `member ${member.name}: there is no strategy ${chosen.strategy}; ${found.error.mend}`,
      );
    return { strategy: found.value, config: found.value.config.parse(chosen.config) };
  };
}

function rulesOf(community: Community, { rules }: Scenario): NetworkRules {
  const base = defaultRules(community, DEFAULT_CURRENCY);
  const price = (value: number | undefined, otherwise: NetworkRules["gridFee"]): NetworkRules["gridFee"] =>
    value === undefined ? otherwise : microsPerKwh(value);
  return {
    ...base,
    emergencyPrice: price(rules.emergencyMicrosPerKwh, base.emergencyPrice),
    gridFee: price(rules.gridFeeMicrosPerKwh, base.gridFee),
    surplusPrice: price(rules.surplusMicrosPerKwh, base.surplusPrice ?? microsPerKwh(0n)),
    marketFee: price(rules.marketFeeMicrosPerKwh, base.marketFee),
    bidRiseMin: price(rules.bidRiseMicrosPerKwh, base.bidRiseMin),
    promiseMin: rules.promiseMinWh === undefined ? base.promiseMin : wattHours(rules.promiseMinWh),
    promiseMax: rules.promiseMaxWh === undefined ? base.promiseMax : wattHours(rules.promiseMaxWh),
    gateLeadMs: rules.gateLeadMinutes === undefined ? base.gateLeadMs : rules.gateLeadMinutes * 60_000,
  };
}

function servicesIn({ agency, aggregator, meterOperators }: Scenario): CommunityServices {
  return {
    ...(agency === undefined ? {} : { agency }),
    ...(aggregator === undefined ? {} : { aggregator }),
    ...(meterOperators === undefined ? {} : { meterOperators }),
  };
}

async function runAndShow(
  community: Community,
  firstDay: LocalDay,
  scenario: Scenario,
  flags: RunFlags,
  io: CommandIo,
): Promise<void> {
  const period = { community, firstDay, days: scenario.days };
  const refusal = runRefusal(period, flags.out === undefined ? undefined : resolve(flags.out));
  if (refusal !== undefined) throw new CommandFailure(EXIT.badInput, describeRefusal(refusal));
  const directory = runDirectory(scenario.name, flags.out);
  const progress = progressBar(io.stderr, "slots", flags.json === true || flags.progress === false);
  const run = await runSimulation({
    name: scenario.name,
    version: io.version,
    ...period,
    seed: scenario.seed,
    currency: DEFAULT_CURRENCY,
    rules: rulesOf(community, scenario),
    strategyOf: strategiesFor(scenario),
    ...servicesIn(scenario),
    directory,
    request: { ...scenario, from: firstDay },
    codeHash: io.codeHash(),
    runtime: io.runtime,
    defer: (task) => void setImmediate(task),
    stopwatch: io.stopwatch,
    onProgress: (done, total) => progress.update(done, total),
  });
  progress.stop();
  if (!run.ok) throw new CommandFailure(EXIT.badInput, describeRefusal(run.error));
  show(run.value, flags, io);
}

function show({ report, directory }: Run, flags: RunFlags, io: CommandIo): void {
  if (flags.json === true) {
    const { timeline: _, gainByDay: __, ...summary } = report;
    io.stdout.write(`${toJson({ ...summary, directory }, 2)}\n`);
    return;
  }
  const colour = io.stdout.isTTY === true && !io.noColour;
  io.stdout.write(
    `${renderTerminal(report, { columns: io.stdout.columns ?? 100, colour, unicode: true, htmlPath: join(directory, "report.html") })}\n`,
  );
}

function describeRefusal(refusal: RunRefusal): string {
  switch (refusal.tag) {
    case "directory_in_use":
      return `${refusal.directory} already holds a run; give another folder with --out, or remove it`;
    case "days_not_covered":
      return `the community has data from ${refusal.firstDay} to ${refusal.lastDay}; choose days within (--from, --to or days:)`;
    case "tariff_missing":
      return `no tariff was published for ${refusal.day}; choose other days`;
  }
}

/** The folder asked for, else a new one among the system's temporary files. */
function runDirectory(name: string, out: string | undefined): string {
  if (out === undefined) return mkdtempSync(join(tmpdir(), `dream-${name.replace(/[^a-z0-9-]/gi, "-")}-`));
  const directory = resolve(out);
  try {
    mkdirSync(directory, { recursive: true });
    readdirSync(directory);
  } catch (error) {
    // biome-ignore lint/style/useErrorCause: the cause is in the third argument
    throw new CommandFailure(
      EXIT.badInput,
      `--out ${out} can't be used: ${error instanceof Error ? error.message : String(error)}; give a folder that can be written`,
      { cause: error },
    );
  }
  return directory;
}
