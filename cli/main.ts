/**
 * The `dream` command: the only place where parts are wired and `process` is read. What a command needs is loaded when it is
 * called: a node that runs for months does not hold the code of simulations and forecasts.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { defaultCacheDir } from "./cache-dir.ts";
import { codeHash } from "./code-hash.ts";
import type { DataCommandIo } from "./data.ts";
import { CommandFailure, EXIT } from "./exit.ts";
import type { NetworkIo } from "./network/commands.ts";
import type { CommandIo } from "./simulate.ts";

const packageJson = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};
const interrupted = new AbortController();
const clock = { nowMs: () => performance.now() };

const io: CommandIo & DataCommandIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: { DREAM_DATA: process.env["DREAM_DATA"] },
  cacheDir: defaultCacheDir({ XDG_CACHE_HOME: process.env["XDG_CACHE_HOME"] }, homedir()),
  version: packageJson.version,
  runtime: `node ${process.version}`,
  codeHash: () => codeHash(fileURLToPath(new URL("..", import.meta.url))),
  stopwatch: () => performance.now() / 1_000,
  noColour: process.env["NO_COLOR"] !== undefined && process.env["NO_COLOR"] !== "",
  signal: interrupted.signal,
};

const networkIo: NetworkIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  program: fileURLToPath(new URL("../../bin/dream", import.meta.url)),
  nodeEnv: { TZ: "UTC" },
  clock: { nowMs: () => Date.now() },
};

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** Whole numbers between commas, smallest first, each once. */
function wholeNumbers(min: number, max: number): (text: string) => readonly number[] {
  return (text) => [...new Set(text.split(",").map(wholeNumber(min, max)))].sort((left, right) => left - right);
}

function readInput(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    // biome-ignore lint/style/useErrorCause: the cause is in the third argument
    throw new CommandFailure(
      EXIT.notFound,
      `${file}: can't be read: ${error instanceof Error ? error.message : String(error)}; give a file, or - for standard input`,
      { cause: error },
    );
  }
}

function printOrFail(
  result:
    | { readonly ok: true; readonly value: string }
    | { readonly ok: false; readonly error: { readonly exitCode: 4; readonly message: string } },
): void {
  if (!result.ok) throw new CommandFailure(result.error.exitCode, result.error.message);
  process.stdout.write(result.value.endsWith("\n") ? result.value : `${result.value}\n`);
}

const program = new Command("dream")
  .description("An automated marketplace for promises of renewable energy.")
  .version(packageJson.version)
  .exitOverride()
  .showHelpAfterError("(dream --help lists the commands, dream COMMAND --help their options)");

program
  .command("demo")
  .description("lets the default community trade for some days on a signed ledger, and reports")
  .option("--days <n>", "days to simulate", wholeNumber(1, 60), 14)
  .option("--seed <n>", "seed of keys, agents and the generated community", wholeNumber(0, 2 ** 32), 1)
  .option("--once", "run once and end (it always does)")
  .option("--out <dir>", "run directory; a new temporary folder otherwise")
  .option("--no-progress", "no progress bar")
  .option("--json", "print the report as JSON")
  .addHelpText("after", "\nExample: dream demo --days 3 --out runs/first")
  .action(async (flags) => (await import("./simulate.ts")).demo(flags, io));

program
  .command("simulate")
  .argument("<scenario>", "scenario file, YAML")
  .description("simulates the community of a scenario file")
  .option("--from <day>", "first local day, such as 2018-10-01")
  .option("--to <day>", "last local day")
  .option("--seed <n>", "seed, instead of the scenario's", wholeNumber(0, 2 ** 32))
  .option("--out <dir>", "run directory; a new temporary folder otherwise")
  .option("--no-progress", "no progress bar")
  .option("--json", "print the report as JSON")
  .addHelpText("after", "\nExample: dream simulate examples/village.yaml --out runs/village")
  .action(async (scenario: string, flags) => (await import("./simulate.ts")).simulateFile(scenario, flags, io));

const ledger = program.command("ledger").description("looks into ledgers");
ledger
  .command("audit")
  .argument("<dir|url>", "run directory, folder of stores or of a network, or the address of a node that runs")
  .description("replays what was stored: ids, signatures, contracts, spent states, money; writes nothing")
  .option("--key <file>", "the auditor's key, for a node that runs")
  .option("--network <file>", "the network's directory; network.json beside the key without it")
  .option("--against <url>", "another node that runs, to compare with")
  .option("--json", "print the result as JSON")
  .action(async (target: string, flags) => {
    const { ledgerAudit } = await import("./ledger-audit.ts");
    process.exitCode = await ledgerAudit(target, flags, io);
  });

ledger
  .command("trace")
  .argument("<promise>", "id of a promise")
  .description(
    "follows a promise: who made, certified, sold, covered, delivered and used it; the audit says whether it is sound",
  )
  .requiredOption("--run <dir>", "run directory, or folder of stores or of a network")
  .option("--json", "print the result as JSON")
  .addHelpText("after", "\nExample: dream ledger trace plant/producer/0/12 --run runs/first")
  .action(async (promise: string, flags) => {
    (await import("./ledger-trace.ts")).ledgerTrace(promise, flags, io.stdout);
  });

const network = program.command("network").description("a ledger network whose nodes run as processes of this machine");
const timeoutSeconds = (text: string): number => wholeNumber(1, 3_600)(text);
network
  .command("init")
  .argument("<dir>", "folder of the network; new or empty")
  .description("makes keys, certificates, the founding transaction and a configuration for each node")
  .requiredOption("--members <file>", "members and rules, YAML")
  .option("--force", "throw away the network that the folder holds")
  .option("--tls", "encrypt connections; nodes and clients show certificates of the network's own authority")
  .option("--seed <text>", "derive the keys from a text: the same network each time, for rehearsals only")
  .option("--json", "print the result as JSON")
  .addHelpText("after", "\nExample: dream network init runs/village --members examples/network/members.yaml")
  .action(async (dir: string, flags) => (await import("./network/commands.ts")).init(dir, flags, networkIo));
network
  .command("up")
  .argument("<dir>", "folder of the network")
  .description("starts a process for each node that does not run, and waits until all answer")
  .option("--timeout-seconds <n>", "how long to wait", timeoutSeconds, 60)
  .option("--json", "print the result as JSON")
  .action(async (dir: string, flags) => {
    process.exitCode = await (await import("./network/commands.ts")).up(dir, flags, networkIo);
  });
network
  .command("status")
  .argument("<dir>", "folder of the network")
  .description("shows each node: height, what is under way, memory, peers")
  .option("--json", "print the result as JSON")
  .action(async (dir: string, flags) => {
    process.exitCode = await (await import("./network/commands.ts")).status(dir, flags, networkIo);
  });
network
  .command("down")
  .argument("<dir>", "folder of the network")
  .description("stops all nodes: each finishes what is in hand")
  .option("--timeout-seconds <n>", "how long to wait before a node is killed", timeoutSeconds, 20)
  .option("--json", "print the result as JSON")
  .action(async (dir: string, flags) => {
    process.exitCode = await (await import("./network/commands.ts")).down(dir, flags, networkIo);
  });
network
  .command("add")
  .argument("<dir>", "folder of the network")
  .description("lets a member join the running network: makes its node, starts it, and funds it")
  .requiredOption("--member <file>", "the member, YAML")
  .option("--seed <text>", "derive its key from a text, for rehearsals only")
  .option("--timeout-seconds <n>", "how long to wait for its node", timeoutSeconds, 60)
  .option("--json", "print the result as JSON")
  .action(async (dir: string, flags) => {
    process.exitCode = await (await import("./network/commands.ts")).add(dir, flags, networkIo);
  });

network
  .command("repair")
  .argument("<dir>", "folder of the network")
  .description(
    "gives the log of a stopped notary back what the nodes have and it lacks, after an old copy was restored",
  )
  .option("--json", "print the result as JSON")
  .action(async (dir: string, flags) => {
    process.exitCode = await (await import("./network/repair.ts")).repair(dir, flags, networkIo);
  });

program
  .command("node")
  .description("runs one node of a network until it is stopped by SIGTERM or SIGINT")
  .requiredOption("--config <file>", "the node's config.yaml")
  .action(async ({ config }: { config: string }) => {
    process.removeAllListeners("SIGINT"); // A node finishes what is in hand.
    const stopped = new Promise<void>((resolve) => {
      for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
    });
    const { runNode } = await import("./network/node-process.ts");
    await runNode(config, { stopped });
  });

const member = program.command("member").description("what concerns one member");
member
  .command("statement")
  .argument("<member>", "name or key of the member")
  .description("what the member used, by source and hour: own production, bought, last resort")
  .requiredOption("--run <dir>", "run directory, or folder of stores or of a network")
  .option("--from <day>", "first local day")
  .option("--to <day>", "last local day")
  .option("--json", "print the result as JSON")
  .addHelpText("after", "\nExample: dream member statement home-1 --run runs/first --from 2018-10-02")
  .action(async (name: string, flags) => {
    (await import("./member-statement.ts")).memberStatement(name, flags, io.stdout);
  });

const bench = program.command("bench").description("measures the ledger on this machine");
bench
  .command("ledger")
  .description("durable create-promise flows per second, in one process and across processes")
  .option("--members <n>", "members that send", wholeNumber(1, 1_000), 20)
  .option("--flows <n>", "flows of each member in a round, sent at once", wholeNumber(1, 1_000), 20)
  .option("--rounds <n>", "rounds that are measured", wholeNumber(1, 1_000), 4)
  .option("--no-progress", "no progress bar")
  .option("--json", "print the result as JSON")
  .action(async (flags) => (await import("./bench/ledger.ts")).benchLedger(flags, networkIo));
bench
  .command("paper")
  .description("the paper's experiment: memory and time per request of networks of processes")
  .option("--out <dir>", "folder of paper.csv and report.html; a new temporary folder otherwise")
  .option("--nodes <list>", "sizes of the network", wholeNumbers(6, 40), [6, 8, 10])
  .option("--requests <list>", "numbers of simultaneous requests", wholeNumbers(1, 1_000), [1, 10, 100])
  .option("--tasks <list>", "of create-promise, create-auction and bid; all otherwise")
  .option("--repeats <n>", "how often each run is made", wholeNumber(1, 100), 3)
  .option("--no-progress", "no progress bar")
  .option("--json", "print the result as JSON")
  .addHelpText("after", "\nExample: dream bench paper --nodes 6 --requests 1,10 --repeats 1 --out runs/paper")
  .action(async (flags) => (await import("./bench/paper.ts")).benchPaper(flags, networkIo));
const memberIo = { stdout: process.stdout, clock: networkIo.clock };
member
  .command("export")
  .argument("<member>", "name of the member")
  .description("writes all that a node keeps of its member to a file that another node can take over")
  .requiredOption("--from <dir|url>", "the node: its folder or its network's, or its address")
  .requiredOption("--out <file>", "file to write")
  .option("--key <file>", "the member's own key, where --from is an address")
  .option("--network <id>", "id of the network, where --from is an address")
  .addHelpText("after", "\nExample: dream member export alice --from runs/village --out alice.jsonl")
  .action(async (name: string, flags) => {
    await (await import("./member-data.ts")).memberExport(name, flags, memberIo);
  });
member
  .command("import")
  .argument("<file>", "file that dream member export wrote")
  .description("checks every proof of an exported member, and takes it over into a new node's store")
  .requiredOption("--to <dir>", "folder of the member's new node, which is not running")
  .addHelpText("after", "\nExample: dream member import alice.jsonl --to nodes/alice")
  .action(async (file: string, flags) => {
    await (await import("./member-data.ts")).memberImport(file, flags, memberIo);
  });
member
  .command("move")
  .argument("<member>", "name of the member")
  .description(
    "gives a member another aggregator, or a node of its own: signed here, carried to the notary by any node",
  )
  .requiredOption("--to <aggregator>", "name or key of the aggregator, or own-node")
  .requiredOption("--export <file>", "file that dream member export wrote")
  .requiredOption("--key <file>", "the member's own key")
  .requiredOption("--network <id>", "id of the network")
  .requiredOption("--notary <key>", "public key of the network's notary")
  .requiredOption("--by <url>", "address of the node that carries it, such as the grid authority's")
  .option("--by-key <key>", "public key of that node, where it is not the grid authority's")
  .option("--delegate <key>", "public key by which the aggregator will act for the member")
  .option("--days <n>", "how long the mandate lasts", wholeNumber(1, 3_660), 365)
  .option(
    "--energy-per-slot-wh <n>",
    "the mandate's limit of a slot; the member's capacity otherwise",
    wholeNumber(0, 1e12),
  )
  .option("--energy-per-day-wh <n>", "the mandate's limit of a day", wholeNumber(0, 1e12))
  .option("--bid-price-micros-max <n>", "the most that may be bid per kilowatt-hour", wholeNumber(0, 1e12))
  .option("--strategies <names>", "strategies that the aggregator may follow, between commas; any otherwise")
  .action(async (name: string, flags) => {
    await (await import("./member-data.ts")).memberMove(name, flags, memberIo);
  });

bench
  .command("aggregator")
  .description("time and memory of many members on one aggregator, in one slot")
  .option("--members <list>", "numbers of members, each in a run of its own", wholeNumbers(2, 100_000), [1_000, 10_000])
  .option("--no-progress", "no progress bar")
  .option("--json", "print the result as JSON")
  .action(async (flags) => (await import("./bench/aggregator.ts")).benchAggregator(flags, networkIo));
bench
  .command("aggregator-run", { hidden: true })
  .requiredOption("--members <n>", "members", wholeNumber(2, 100_000))
  .option("--no-progress", "no progress bar")
  .action(async ({ members, progress }: { members: number; progress: boolean }) => {
    const { benchAggregatorRun } = await import("./bench/aggregator.ts");
    await benchAggregatorRun(members, !progress, networkIo);
  });
bench.command("client", { hidden: true }).action(async () => {
  const { runClientProcess } = await import("./bench/client-process.ts");
  await runClientProcess();
});

const payments = program
  .command("payments")
  .description("the payment provider's desk: payment files, what the bank tells, webhooks");
const ofNode = (command: Command): Command =>
  command
    .requiredOption("--node <url|dir>", "the payment provider's node: its folder, or its address")
    .option("--home <dir>", "the provider's folder, where --node is an address");
const paymentsIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  clock: networkIo.clock,
  signal: interrupted.signal,
};
ofNode(payments.command("file"))
  .description("orders what is owed of the bank: an ISO 20022 pain.001 file, signed")
  .requiredOption("--out <file>", "the payment file; its signature goes beside it")
  .option("--day <day>", "when the bank is to pay, such as 2031-06-01; today otherwise")
  .option("--again <id>", "write a file that was made before once more, by its message id")
  .option("--json", "print the result as JSON")
  .addHelpText("after", "\nExample: dream payments file --node runs/village/payment-provider --out june.xml")
  .action(async (flags) => {
    process.exitCode = await (await import("./payments/commands.ts")).file(flags, paymentsIo);
  });
payments
  .command("verify")
  .argument("<file>", "payment file, with its signature beside it")
  .description("whether a payment file is as the provider signed it, and holds its schema")
  .requiredOption("--key <key>", "the provider's public key, 64 hexadecimal digits")
  .option("--json", "print the result as JSON")
  .action(async (path: string, flags) => {
    process.exitCode = await (await import("./payments/commands.ts")).verify(path, flags, paymentsIo);
  });
ofNode(payments.command("confirm"))
  .argument("<file>", "what the bank booked (camt.054), or a payment file that it has carried out")
  .description("closes on the ledger what the bank has paid")
  .option("--json", "print the result as JSON")
  .action(async (path: string, flags) => {
    process.exitCode = await (await import("./payments/commands.ts")).confirm(path, flags, paymentsIo);
  });
ofNode(payments.command("receive"))
  .argument("<file>", "what the bank booked (camt.054)")
  .description("issues on the ledger what members paid in, each payment once")
  .option("--json", "print the result as JSON")
  .action(async (path: string, flags) => {
    process.exitCode = await (await import("./payments/commands.ts")).receive(path, flags, paymentsIo);
  });
payments
  .command("notify")
  .description("delivers the webhooks that are owed")
  .requiredOption("--home <dir>", "the payment provider's folder")
  .option("--watch", "go on until stopped")
  .option("--again", "also try what was given up")
  .option("--json", "print the result as JSON")
  .action(async (flags) => {
    process.exitCode = await (await import("./payments/notify.ts")).notify(flags, paymentsIo);
  });
payments
  .command("list")
  .description("shows what was ordered of the bank, and what became of it")
  .requiredOption("--home <dir>", "the payment provider's folder")
  .option("--json", "print the result as JSON")
  .action(async (flags) => {
    process.exitCode = (await import("./payments/notify.ts")).list(flags, paymentsIo);
  });

const market = program.command("market").description("clears books of orders");
market
  .command("clear")
  .description("clears a book of bids and offers")
  .requiredOption("--method <name>", "pay-as-clear or pay-as-bid")
  .requiredOption("--input <file>", "book, JSON; - reads standard input")
  .option("--json", "print the result as JSON")
  .action(async ({ method, input, json }: { method: string; input: string; json?: boolean }) => {
    const { marketClear } = await import("./market-clear.ts");
    printOrFail(marketClear(readInput(input), input, method, clock, json === true));
  });

const data = program.command("data").description("fetches, lists and checks data sets");
data
  .command("get")
  .argument("<names...>", "names of measured sets, see 'dream data list'")
  .description("downloads measured sets from their public source into the cache")
  .option("--json", "print the result as JSON")
  .action(async (names: string[], flags) => {
    const { dataGet } = await import("./data.ts");
    process.exitCode = await dataGet(names, flags, io);
  });
data
  .command("list")
  .description("lists the measured sets, and whether they are at hand")
  .option("--json", "print the result as JSON")
  .action(async (flags) => {
    const { dataList } = await import("./data.ts");
    process.exitCode = dataList(flags, io);
  });
data
  .command("check")
  .argument("<dataset>", "path of a dataset.yaml, or the name of a shipped one")
  .description("reads a data set and lists what is wrong in it")
  .option("--root <dir>", "folder that the manifest's files are in")
  .option("--json", "print the result as JSON")
  .action(async (target: string, flags) => {
    const { dataCheck } = await import("./data.ts");
    process.exitCode = dataCheck(target, flags, io);
  });

const forecast = program.command("forecast").description("forecasts and their evaluation");
forecast
  .command("evaluate")
  .description("scores day-ahead forecasts of a data set's series, rolling origin, issued at 12:00 local")
  .requiredOption("--dataset <file>", "path of a dataset.yaml, or the name of a shipped one")
  .option("--series <name...>", "names of series; all energy series otherwise")
  .option("--test-from <day>", "first local day that is scored")
  .option("--test-to <day>", "last local day that is scored")
  .option("--model <name>", "forecaster, automatic otherwise")
  .option("--root <dir>", "folder that the manifest's files are in")
  .option("--json", "print the result as JSON")
  .action(
    async (flags: {
      dataset: string;
      series?: string[];
      testFrom?: string;
      testTo?: string;
      model?: string;
      root?: string;
      json?: boolean;
    }) => {
      const { cacheRoot, describeProblem, isShippedSet, loadDataSet, shippedManifest } = await import("#data");
      const { forecastEvaluate } = await import("./forecast.ts");
      const manifest = isShippedSet(flags.dataset) ? shippedManifest(flags.dataset) : flags.dataset;
      const measured = io.env.DREAM_DATA ?? cacheRoot(io.cacheDir);
      const root = flags.root ?? (isShippedSet(flags.dataset) ? join(measured, flags.dataset) : undefined);
      const loaded = loadDataSet(manifest, root === undefined ? {} : { root });
      if (!loaded.ok) throw new CommandFailure(EXIT.badInput, loaded.error.map(describeProblem).join("\n"));
      printOrFail(
        forecastEvaluate(
          loaded.value,
          {
            series: flags.series ?? [],
            json: flags.json === true,
            ...(flags.testFrom === undefined ? {} : { testFrom: flags.testFrom }),
            ...(flags.testTo === undefined ? {} : { testTo: flags.testTo }),
            ...(flags.model === undefined ? {} : { model: flags.model }),
          },
          clock,
        ),
      );
    },
  );

/** Prints what went wrong and sets the exit code; a bug shows its stack. */
function fail(error: unknown): void {
  if (error instanceof CommandFailure) {
    process.stderr.write(`dream: ${error.message}\n`);
    process.exitCode = error.exitCode;
  } else if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
  } else {
    process.stderr.write(
      `dream: this is a bug, please report it\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = EXIT.error;
  }
}

process.once("SIGINT", () => {
  interrupted.abort();
  process.exitCode = 130;
  setTimeout(() => process.exit(130), 500).unref();
});
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
});

await program.parseAsync().catch(fail);
