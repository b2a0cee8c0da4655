/** The bodies of `dream data get`, `list` and `check`. Reads no ambient thing: what they may touch comes in `io`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SingleBar } from "cli-progress";
import Table from "cli-table3";
import { toJson } from "#core";
import {
  cacheRoot,
  checkDataSet,
  type DataSetReport,
  type DownloadProgress,
  describeDownloadError,
  describeProblem,
  downloadSet,
  isShippedSet,
  type ListedSet,
  listSets,
  PINNED_SETS,
  type PinnedSet,
  pinnedSet,
  shippedManifest,
} from "#data";

export type DataCommandIo = {
  readonly stdout: { write(text: string): unknown };
  /** Progress and messages; a progress bar is drawn only where it is a terminal. */
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly env: { readonly DREAM_DATA?: string | undefined };
  readonly cacheDir: string;
  /** Ends a download; what has come is kept for the next time. */
  readonly signal?: AbortSignal;
};

/** Exit codes as every `dream` command has them. */
const EXIT = { ok: 0, error: 1, notFound: 2, badInput: 4 } as const;

export type GetOptions = { readonly json?: boolean; readonly baseUrl?: string };

/** `dream data get NAME…`: fetches measured sets into the cache. Gives the exit code. */
export async function dataGet(names: readonly string[], options: GetOptions, io: DataCommandIo): Promise<number> {
  const choice = chosenSets(names, io);
  if (!choice.ok) return choice.exit;
  const reports: {
    readonly set: string;
    readonly folder: string;
    readonly fetched: readonly string[];
    readonly present: readonly string[];
  }[] = [];
  for (const set of choice.sets) {
    const progress = progressBar(set, io);
    const done = await downloadSet(set, cacheRoot(io.cacheDir), {
      ...(options.baseUrl === undefined ? {} : { baseUrl: options.baseUrl }),
      ...(io.signal === undefined ? {} : { signal: io.signal }),
      onProgress: progress.show,
      onRetry: (failure, waitMs) =>
        progress.say(`${describeDownloadError(failure)} Trying again in ${waitMs / 1_000} s.`),
    });
    progress.end();
    if (!done.ok) {
      io.stderr.write(`${describeDownloadError(done.error)}\n`);
      return EXIT.error;
    }
    reports.push({ set: set.name, ...done.value });
    for (const { name, why } of set.otherFiles) io.stderr.write(`${set.name}/${name} is not fetched: ${why}.\n`);
    if (options.json !== true)
      io.stdout.write(
        `${set.name}: ${done.value.fetched.length} fetched, ${done.value.present.length} already there, in ${done.value.folder} (${set.licence}, ${set.source})\n`,
      );
  }
  if (options.json === true) io.stdout.write(`${toJson({ sets: reports }, 2)}\n`);
  return EXIT.ok;
}

type Choice =
  | { readonly ok: true; readonly sets: readonly PinnedSet[] }
  | { readonly ok: false; readonly exit: number };

function chosenSets(names: readonly string[], io: DataCommandIo): Choice {
  const known = PINNED_SETS.filter(({ files }) => files.length > 0).map(({ name }) => name);
  const refuse = (text: string, exit: number): Choice => {
    io.stderr.write(`${text}\n`);
    return { ok: false, exit };
  };
  if (names.length === 0) return refuse(`Name at least one set: ${known.join(", ")}.`, EXIT.badInput);
  const sets: PinnedSet[] = [];
  for (const name of names) {
    const set = pinnedSet(name);
    if (set === undefined)
      return refuse(
        `There is no set named ${JSON.stringify(name)}. Sets that can be fetched: ${known.join(", ")}.`,
        EXIT.notFound,
      );
    if (set.files.length === 0) {
      return refuse(
        `${name} cannot be fetched: ${set.otherFiles[0]?.why ?? "it has no public source"}. Name a folder that has it in DREAM_DATA.`,
        EXIT.error,
      );
    }
    sets.push(set);
  }
  return { ok: true, sets };
}

type ProgressBar = {
  readonly show: (progress: DownloadProgress) => void;
  readonly say: (text: string) => void;
  readonly end: () => void;
};

/** A bar with the time left on a terminal; elsewhere only messages. */
function progressBar(set: PinnedSet, io: DataCommandIo): ProgressBar {
  const say = (text: string): void => void io.stderr.write(`${text}\n`);
  if (io.stderr.isTTY !== true) return { show: () => undefined, say, end: () => undefined };
  const bar = new SingleBar({
    stream: io.stderr,
    format: `${set.name} [{bar}] {percentage} % of {megabytes} MB, {eta_formatted} left, {file}`,
    hideCursor: true,
    etaBuffer: 50,
  });
  const megabytes = megabytesOf(set.files.reduce((sum, file) => sum + file.bytes, 0));
  bar.start(100, 0, { megabytes, file: "" });
  return {
    show: ({ file, doneBytes, totalBytes }) => bar.update((100 * doneBytes) / totalBytes, { file }),
    say: (text) => say(`\n${text}`),
    end: () => bar.stop(),
  };
}

function megabytesOf(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** `dream data list`: measured sets, their licence and size, and whether they are here. Gives the exit code. */
export function dataList(options: { readonly json?: boolean }, io: DataCommandIo): number {
  const sets = listSets(io.env.DREAM_DATA, cacheRoot(io.cacheDir));
  if (options.json === true) {
    io.stdout.write(`${toJson({ sets }, 2)}\n`);
    return EXIT.ok;
  }
  const table = new Table({
    head: ["set", "what", "licence", "MB", "here"],
    style: { head: [], border: [] },
    colWidths: [15, 62, 11, 7, 22],
    wordWrap: true,
  });
  for (const set of sets)
    table.push([set.name, set.title, set.licence, set.bytes === 0 ? "-" : megabytesOf(set.bytes), whereText(set)]);
  io.stdout.write(`${table.toString()}\n`);
  for (const set of sets) for (const text of notFetchedTexts(set)) io.stdout.write(`${text}\n`);
  return EXIT.ok;
}

function whereText({ presence, from, bytes }: ListedSet): string {
  if (presence === "absent") return bytes === 0 ? "no" : "no (dream data get)";
  return `${presence === "complete" ? "yes" : "in part"}, ${from ?? ""}`;
}

function notFetchedTexts({ name, notFetched }: ListedSet): readonly string[] {
  const reasons = new Map<string, string[]>();
  for (const file of notFetched) reasons.set(file.why, [...(reasons.get(file.why) ?? []), file.name]);
  return [...reasons].map(([why, files]) => `${name}: get does not fetch ${files.join(", ")}: ${why}.`);
}

export type CheckOptions = { readonly json?: boolean; readonly root?: string };

/** `dream data check dataset.yaml` (or the name of a measured set). Gives the exit code. */
export function dataCheck(target: string, options: CheckOptions, io: DataCommandIo): number {
  const place = checkedPlace(target, options, io);
  if (place === undefined) {
    io.stderr.write(
      isShippedSet(target)
        ? `${target} is not on this machine: run dream data get ${target}, or name a folder that has it in DREAM_DATA.\n`
        : `${target} does not exist. Name the dataset.yaml of a data set, or a measured set.\n`,
    );
    return EXIT.notFound;
  }
  const report = checkDataSet(place.manifest, place.root === undefined ? {} : { root: place.root });
  io.stdout.write(options.json === true ? `${toJson(report, 2)}\n` : reportText(report));
  return report.ok ? EXIT.ok : EXIT.badInput;
}

/** A file that exists is a manifest; else the name of a measured set stands for its manifest and its folder. */
function checkedPlace(
  target: string,
  options: CheckOptions,
  io: DataCommandIo,
): { readonly manifest: string; readonly root?: string } | undefined {
  if (existsSync(target)) return { manifest: target, ...(options.root === undefined ? {} : { root: options.root }) };
  if (!isShippedSet(target)) return undefined;
  const listed = listSets(io.env.DREAM_DATA, cacheRoot(io.cacheDir)).find(({ name }) => name === target);
  const found =
    listed?.from === "DREAM_DATA" ? io.env.DREAM_DATA : listed?.from === "cache" ? cacheRoot(io.cacheDir) : undefined;
  const root = options.root ?? (found === undefined ? undefined : join(found, target));
  return root === undefined ? undefined : { manifest: shippedManifest(target), root };
}

function reportText(report: DataSetReport): string {
  const lines = report.problems.map(describeProblem);
  if (report.series.length > 0) {
    const table = new Table({
      head: ["series", "kind", "slot", "from", "to", "slots", "missing", "kWh"],
      style: { head: [], border: [] },
    });
    for (const { name, kind, slotMinutes, from, to, slots, missingSlots, totalKwh } of report.series) {
      table.push([name, kind, `${slotMinutes} min`, from, to, slots, missingSlots, totalKwh ?? ""]);
    }
    lines.push(table.toString());
  }
  const verdict = report.ok ? "can be used" : "cannot be used";
  return `${[...lines, `${report.name ?? report.file} ${verdict}: ${report.errors} errors, ${report.warnings} warnings.`].join("\n")}\n`;
}
