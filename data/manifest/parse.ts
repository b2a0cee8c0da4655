/** Reads a `dataset.yaml`: all errors at once, each with its line, its field and how to mend it. Opens no file. */
import { type Document, isMap, isPair, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import type { z } from "zod";
import { err, ok, type Result } from "#core";
import { type DataProblem, newProblemList, type ProblemList } from "./problems.ts";
import { type Manifest, manifestSchema } from "./schema.ts";
import { WEATHER_UNITS } from "./units.ts";

/** A manifest larger than this is no manifest. */
export const MANIFEST_CHARACTERS_MAX = 1_000_000;

/** Every key that a manifest may have anywhere: what a misspelt one is compared with. */
export const KNOWN_FIELDS: readonly string[] = [
  ..."name licence source timeZone timestamps resolutionMinutes telemetryDelayMinutes root series".split(" "),
  ..."kind file column unit scale capacityKw member latitude longitude tiltDegrees azimuthDegrees emptyIsZero".split(
    " ",
  ),
  ..."variable for issued daysBefore at publishedAfterMinutes zone marks start startField outside where".split(" "),
];

/** A checked manifest, and where in its text each field stands, for problems found later in the data. */
export type ParsedManifest = {
  readonly manifest: Manifest;
  readonly lineOf: (path: readonly (string | number)[]) => number | null;
};

/** Parses the text of a manifest; `file` is the name that problems carry (outside input: never throws). */
export function parseManifest(text: string, file: string): Result<ParsedManifest, readonly DataProblem[]> {
  const problems = newProblemList();
  const addAt = (line: number | null, field: string, problem: string, mend: string): void =>
    problems.add(`${field} ${problem}`, {
      severity: "error",
      file,
      line,
      field: field === "" ? "(whole file)" : field,
      problem,
      mend,
    });
  if (text.length > MANIFEST_CHARACTERS_MAX) {
    addAt(null, "", `has more than ${MANIFEST_CHARACTERS_MAX} characters`, "name the manifest, not a data file");
    return err(problems.list());
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const fault of document.errors) {
    addAt(lines.linePos(fault.pos[0]).line, "", `is not valid YAML: ${fault.message}`, "correct the YAML at this line");
  }
  if (document.errors.length > 0) return err(problems.list());
  const lineOf = (path: readonly (string | number)[]): number | null => lineOfPath(document, lines, path);
  const add: AddProblem = (path, problem, mend) => addAt(lineOf(path), fieldName(path), problem, mend);
  const raw = plainValue(document);
  const parsed = manifestSchema.safeParse(raw);
  for (const issue of parsed.error?.issues ?? []) addIssue(issue, raw, add);
  checkTies(raw, add);
  return parsed.success && !problems.hasErrors() ? ok({ manifest: parsed.data, lineOf }) : err(inLineOrder(problems));
}

type AddProblem = (path: readonly (string | number)[], problem: string, mend: string) => void;

function inLineOrder(problems: ProblemList): readonly DataProblem[] {
  return [...problems.list()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** Aliases could blow a small text up; the library refuses beyond 100 and the refusal is an error like others. */
function plainValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}

/** `series[2].unit`, with the series' number from 0 as in the path of other tools. */
function fieldName(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? key : `${text}.${key}`),
    "",
  );
}

/** The line of the key at `path`, or of the nearest thing around it that exists. */
function lineOfPath(document: Document, lines: LineCounter, path: readonly (string | number)[]): number | null {
  for (let length = path.length; length > 0; length--) {
    const parent =
      length === 1 ? document.contents : (document.getIn(path.slice(0, length - 1), true) as Node | undefined);
    const key = path[length - 1];
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
      : undefined;
    const node = (pair?.key ?? document.getIn(path.slice(0, length), true)) as Node | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return document.contents?.range ? lines.linePos(document.contents.range[0]).line : null;
}

function addIssue(
  issue: z.core.$ZodIssue,
  raw: unknown,
  add: AddProblem,
  under: readonly (string | number)[] = [],
): void {
  const path = [...under, ...(issue.path as (string | number)[])];
  const value = valueAt(raw, path);
  if (issue.code === "unrecognized_keys") {
    for (const key of issue.keys) add([...path, key], "is not a field that is known here", mendKey(key));
  } else if (issue.code === "invalid_union" && issue.errors.length > 0) {
    // Of several shapes, speak of the one that the text comes nearest to.
    const nearest = [...issue.errors].sort((a, b) => a.length - b.length)[0] ?? [];
    for (const inner of nearest) addIssue(inner as z.core.$ZodIssue, raw, add, path);
  } else if (value === undefined) {
    add(path, "is missing", `add ${String(path.at(-1) ?? "the fields of a data set")}: …`);
  } else {
    const choices = choicesOf(issue);
    if (choices === undefined) add(path, `${show(value)} ${shortMessage(issue)}`, "correct the value");
    else add(path, `${show(value)} is not one of ${choices.join(", ")}`, mendChoice(value, choices));
  }
}

function choicesOf(issue: z.core.$ZodIssue): readonly string[] | undefined {
  if (issue.code === "invalid_value") return issue.values.map(String);
  if (issue.code === "invalid_union" && "options" in issue) return (issue.options as unknown[]).map(String);
  return undefined;
}

function shortMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") return `must be ${/^[aeiou]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`;
  return issue.message.replace(/^Invalid input: /, "").replace(/^Too (small|big): /, "is out of range: ");
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function mendKey(key: string): string {
  const like = nearestWord(key, KNOWN_FIELDS);
  return like === undefined ? "remove it, or see docs/data.md for the fields" : `write ${like}`;
}

function mendChoice(value: unknown, choices: readonly string[]): string {
  const like = nearestWord(String(value), choices);
  return like === undefined ? `write one of ${choices.join(", ")}` : `write ${like}`;
}

function valueAt(raw: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      isRecord(value) || Array.isArray(value) ? (value as Record<string | number, unknown>)[key] : undefined,
    raw,
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What ties fields together; reads the raw text's values so that it speaks up even when other fields are wrong. */
function checkTies(raw: unknown, add: AddProblem): void {
  if (!isRecord(raw) || !Array.isArray(raw["series"])) return;
  const list = raw["series"] as unknown[];
  const energyNames = new Set<unknown>();
  const seen = new Map<unknown, number>();
  list.forEach((series, index) => {
    if (!isRecord(series)) return;
    if (["pv", "load", "wind"].includes(String(series["kind"]))) energyNames.add(series["name"]);
    const first = seen.get(series["name"]);
    if (first !== undefined)
      add(
        ["series", index, "name"],
        `${show(series["name"])} is also the name of series[${first}]`,
        "give each series a name of its own",
      );
    else if (series["name"] !== undefined) seen.set(series["name"], index);
  });
  list.forEach((series, index) => {
    if (isRecord(series)) checkSeriesTies(series, index, raw, energyNames, add);
  });
}

function checkSeriesTies(
  series: Record<string, unknown>,
  index: number,
  raw: Record<string, unknown>,
  energyNames: ReadonlySet<unknown>,
  add: AddProblem,
): void {
  const at = (field: string): readonly (string | number)[] => ["series", index, field];
  if (raw["timestamps"] === undefined && series["timestamps"] === undefined) {
    add(
      at("timestamps"),
      "neither the series nor the data set says where the instants of its rows are",
      "add timestamps: { column: … } or { start: … }",
    );
  }
  if (series["unit"] === "W/kW" && series["capacityKw"] === undefined) {
    add(at("capacityKw"), "is needed for the unit W/kW", "add capacityKw: the plant's nameplate in kW");
  }
  if (series["for"] !== undefined && !energyNames.has(series["for"])) {
    add(at("for"), `${show(series["for"])} is not a pv, load or wind series of this data set`, "name one that is");
  }
  const units = WEATHER_UNITS[series["variable"] as keyof typeof WEATHER_UNITS];
  if (units !== undefined && series["unit"] !== undefined && !Object.hasOwn(units, String(series["unit"]))) {
    const choices = Object.keys(units);
    add(
      at("unit"),
      `${show(series["unit"])} is not a unit of ${String(series["variable"])}`,
      mendChoice(series["unit"], choices),
    );
  }
}

/** The word of the list that differs in the fewest letters, when that is few. */
function nearestWord(word: string, words: readonly string[]): string | undefined {
  const scored = words.map((other) => ({ other, letters: letterDistance(word.toLowerCase(), other.toLowerCase()) }));
  const best = scored.sort((a, b) => a.letters - b.letters)[0];
  return best !== undefined && best.letters <= Math.max(1, Math.floor(word.length / 3)) ? best.other : undefined;
}

/** Levenshtein's distance: insertions, deletions and replacements of single letters. */
function letterDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
