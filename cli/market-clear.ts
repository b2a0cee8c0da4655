/**
 * `dream market clear`: reads a book, clears it by a pool's method, shows the trades. Files, standard input and exit
 * codes are the caller's; here text goes in and a value or the full list of what is wrong comes out.
 */
import Table from "cli-table3";
import * as z from "zod";
import { err, ok, type Result, toJson } from "#core";
import {
  type Book,
  type ClearingRefusal,
  checkBook,
  meritOrderChart,
  type OrderDraft,
  type Side,
  TRADING_METHODS,
  type TradingMethod,
  tradingMethod,
} from "#marketplace";

/** Something wrong in what the user gave: where, what must hold there, and how to mend it. */
export type InputProblem = {
  /** Line in the file, from 1; null where there is none (an option, or a file that can't be located in). */
  readonly line: number | null;
  /** Field, such as `bids[3].energyWh`; an option such as `--method`; empty for the whole file. */
  readonly path: string;
  /** What must hold and what was there instead. */
  readonly fault: string;
  readonly mend: string;
  /** The admission's refusal code, where one refused. */
  readonly code?: ClearingRefusal["tag"];
};

/** What the command ends with when its input is bad: exit code 4 and text for stderr that lists every problem. */
export type CliError = { readonly exitCode: 4; readonly message: string; readonly problems: readonly InputProblem[] };

/** What `--json` prints; bigints as decimal strings. */
export type MarketClearOutput = {
  readonly method: string;
  /** Null without trades, and for methods in which each trade has its own price. */
  readonly priceMicrosPerKwh: string | null;
  readonly volumeWh: string;
  readonly trades: readonly {
    readonly bid: string;
    readonly offer: string;
    readonly energyWh: string;
    readonly priceMicrosPerKwh: string;
  }[];
  /** Time of the clearing alone, without reading and checking the book. */
  readonly clearSeconds: number;
};

/** A clock for measuring: `performance.now` in the command, a manual one in tests. */
export type Stopwatch = { nowMs(): number };

/**
 * The whole command: book text in, text for stdout out.
 * @param fileName - For messages; `-` is standard input.
 */
export function marketClear(
  bookText: string,
  fileName: string,
  method: string,
  clock: Stopwatch,
  asJson: boolean,
): Result<string, CliError> {
  const read = readInput(bookText, fileName, method);
  if (!read.ok) return read;
  const output = clearBook(read.value.book, read.value.method, clock);
  return ok(asJson ? toJson(output) : renderClearing(output, read.value.book));
}

/** Clears a book given as JSON text. A bad book or an unknown method gives every problem at once. */
export function clearBookCommand(
  bookText: string,
  fileName: string,
  method: string,
  clock: Stopwatch,
): Result<MarketClearOutput, CliError> {
  const read = readInput(bookText, fileName, method);
  return read.ok ? ok(clearBook(read.value.book, read.value.method, clock)) : read;
}

function clearBook(book: Book, method: TradingMethod, clock: Stopwatch): MarketClearOutput {
  const startMs = clock.nowMs();
  const clearing = method.clear(book);
  const endMs = clock.nowMs();
  return {
    method: method.name,
    priceMicrosPerKwh: clearing.price === null ? null : clearing.price.toString(),
    volumeWh: clearing.volume.toString(),
    trades: clearing.trades.map(({ bid, offer, energy, price }) => ({
      bid,
      offer,
      energyWh: energy.toString(),
      priceMicrosPerKwh: price.toString(),
    })),
    clearSeconds: Number(((endMs - startMs) / 1_000).toFixed(6)),
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading

type Input = { readonly book: Book; readonly method: TradingMethod };

function readInput(bookText: string, fileName: string, methodName: string): Result<Input, CliError> {
  const method = tradingMethod(methodName);
  const read = readBook(bookText);
  if (method !== undefined && read.ok) return ok({ book: read.value, method });
  const known = TRADING_METHODS.map(({ name }) => name).join(" or ");
  const unknownMethod = {
    line: null,
    path: "--method",
    fault: `must be a trading method, was ${shown(methodName)}`,
    mend: `give ${known}`,
  };
  const problems = [...(method === undefined ? [unknownMethod] : []), ...(read.ok ? [] : read.error)];
  return err({
    exitCode: 4,
    message: problemsText(problems, fileName === "-" ? "(standard input)" : fileName),
    problems,
  });
}

function problemsText(problems: readonly InputProblem[], fileName: string): string {
  const lines = problems.map(({ line, path, fault, mend, code }) => {
    const where = path.startsWith("--") ? "" : `${fileName}${line === null ? "" : `:${line}`}: `;
    return `${where}${path === "" ? "" : `${shortened(path, 120)}: `}${fault}; ${mend}${code === undefined ? "" : ` [${code}]`}`;
  });
  return lines.join("\n");
}

const DECIMAL = z.string().regex(/^(0|-?[1-9]\d{0,29})$/);
const ORDER = z.strictObject({
  id: z.string(),
  owner: z.string(),
  priceMicrosPerKwh: DECIMAL,
  energyWh: DECIMAL,
  sequence: z.int().min(0).optional(),
});
const BOOK = z.strictObject({ bids: z.array(z.unknown()), offers: z.array(z.unknown()) });

const ORDER_FIELDS = Object.keys(ORDER.shape);
const BOOK_FIELDS = Object.keys(BOOK.shape);

/** For each field: what must hold, and how to mend it. */
const FIELD_RULES: Readonly<Record<string, readonly [must: string, mend: string]>> &
  Readonly<Record<keyof typeof ORDER.shape, readonly [must: string, mend: string]>> = {
  bids: ["must be a list of orders", 'give "bids": [] when there are none'],
  offers: ["must be a list of orders", 'give "offers": [] when there are none'],
  id: [
    "must be text of 1 to 200 characters without control characters (Unicode NFC)",
    "give each order a name of its own",
  ],
  owner: [
    "must be text of 1 to 200 characters without control characters (Unicode NFC)",
    "give the member that the order is for",
  ],
  priceMicrosPerKwh: [
    "must be a whole number of micros per kWh",
    'give a decimal string such as "250000" (0.25 per kWh)',
  ],
  energyWh: ["must be a positive whole number of watt-hours", 'give a decimal string such as "1000" (1 kWh)'],
  sequence: [
    "must be an arrival number 0, 1, 2, …",
    "give a whole number up to 2^53-1, or leave it out: then the place in the file counts",
  ],
};
const ORDER_RULE = [
  "must be an order",
  'give {"id":"b1","owner":"A","priceMicrosPerKwh":"250000","energyWh":"1000"}',
] as const;
const BOOK_RULE = ["must be a book", 'give {"bids":[…],"offers":[…]}'] as const;

/** Reads untrusted text: never throws. Problems come in the order of the file. */
function readBook(bookText: string): Result<Book, readonly InputProblem[]> {
  const text = bookText.replace(/^\ufeff/, "");
  const scan = scanJson(text);
  if (scan.fault !== null) {
    const { line, column, expected } = scan.fault;
    return err([
      {
        line,
        path: "",
        fault: `is not JSON: expected ${expected} at column ${column}`,
        mend: "correct the text there",
      },
    ]);
  }
  const parsed: unknown = JSON.parse(text);
  const problems = new Problems(scan.lines);
  for (const path of scan.repeated)
    problems.add(path, "must not be given twice in one object", "remove one of the two");
  const outer = BOOK.safeParse(parsed);
  if (!outer.success) {
    problems.addIssues(outer.error.issues, parsed, "", BOOK_RULE, BOOK_FIELDS);
    return err(problems.inFileOrder());
  }
  const bids = readSide("bid", outer.data.bids, problems);
  const offers = readSide("offer", outer.data.offers, problems);
  const checked = checkBook({ bids: bids.map(({ draft }) => draft), offers: offers.map(({ draft }) => draft) });
  if (checked.ok && problems.isEmpty()) return ok(checked.value);
  for (const refused of checked.ok ? [] : checked.error) {
    const index = (refused.side === "bid" ? bids : offers)[refused.index]?.index ?? 0;
    for (const refusal of refused.refusals) problems.addRefusal(refused.side, index, refused.draft, refusal);
  }
  return err(problems.inFileOrder());
}

/** The orders of a side that have the right shape, with their places in the file; the others become problems. */
function readSide(
  side: Side,
  items: readonly unknown[],
  problems: Problems,
): readonly { readonly index: number; readonly draft: OrderDraft }[] {
  return items.flatMap((item, index) => {
    const parsed = ORDER.safeParse(item);
    if (!parsed.success) {
      problems.addIssues(parsed.error.issues, item, `${side}s[${index}]`, ORDER_RULE, ORDER_FIELDS);
      return [];
    }
    const { id, owner, priceMicrosPerKwh, energyWh, sequence = index } = parsed.data;
    return [{ index, draft: { id, owner, limit: BigInt(priceMicrosPerKwh), energy: BigInt(energyWh), sequence } }];
  });
}

/** Collects problems and finds their lines. */
class Problems {
  readonly #lines: ReadonlyMap<string, number>;
  readonly #found = new Map<string, InputProblem>();

  constructor(lines: ReadonlyMap<string, number>) {
    this.#lines = lines;
  }

  isEmpty(): boolean {
    return this.#found.size === 0;
  }

  inFileOrder(): readonly InputProblem[] {
    return [...this.#found.values()].sort((left, right) => (left.line ?? 0) - (right.line ?? 0));
  }

  /** One problem per path: the first that is found there. A field that is missing is at the line of its object. */
  add(path: string, fault: string, mend: string, code?: ClearingRefusal["tag"]): void {
    if (this.#found.has(path)) return;
    const line =
      this.#lines.get(path) ??
      this.#lines.get(path.replace(/(\.[^.[]*|\[[^[]*\])$/, "")) ??
      this.#lines.get("") ??
      null;
    this.#found.set(path, code === undefined ? { line, path, fault, mend } : { line, path, fault, mend, code });
  }

  addIssues(
    issues: readonly z.core.$ZodIssue[],
    value: unknown,
    parentPath: string,
    parentRule: readonly [must: string, mend: string],
    fields: readonly string[],
  ): void {
    for (const issue of issues) {
      if (issue.code === "unrecognized_keys") {
        for (const key of issue.keys) this.#addUnknownField(parentPath, key, fields);
        continue;
      }
      const field = issue.path[0];
      const [must, mend] = typeof field === "string" ? (FIELD_RULES[field] ?? parentRule) : parentRule;
      const was = typeof field === "string" ? fieldOf(value, field) : value;
      const path = typeof field === "string" ? fieldPath(parentPath, field) : parentPath;
      this.add(path, was === undefined ? `is missing: ${must}` : `${must}, was ${shown(was)}`, mend);
    }
  }

  #addUnknownField(parentPath: string, key: string, fields: readonly string[]): void {
    const near = fields.find((field) => key !== "" && field.toLowerCase().startsWith(key.toLowerCase()));
    const mend = near === undefined ? `remove it; the fields are ${fields.join(", ")}` : `write ${shown(near)}`;
    this.add(fieldPath(parentPath, key), "is not a known field", mend);
  }

  addRefusal(side: Side, index: number, draft: OrderDraft, refusal: ClearingRefusal): void {
    const [field, fault, mend] = explained(side, draft, refusal);
    this.add(field === null ? `${side}s` : `${side}s[${index}].${field}`, fault, mend, refusal.tag);
  }
}

type OrderField = keyof typeof ORDER.shape;

/** A refusal in words: the field (null: the whole side), what must hold there, how to mend it. */
function explained(
  side: Side,
  draft: OrderDraft,
  refusal: ClearingRefusal,
): readonly [field: OrderField | null, fault: string, mend: string] {
  switch (refusal.tag) {
    case "order_malformed":
      return fieldFault(refusal.field, draft[refusal.field]);
    case "order_id_reused": {
      const fault = `must be used once, over bids and offers, was ${shown(refusal.id)} again`;
      return ["id", fault, "rename one of the orders"];
    }
    case "energy_not_positive":
      return fieldFault("energyWh", draft.energy);
    case "energy_out_of_range": {
      const fault = `must be at most ${refusal.max} watt-hours, was ${shown(draft.energy)}`;
      return ["energyWh", fault, "give less energy"];
    }
    case "price_out_of_band": {
      const fault = `must be in ${refusal.min}…${refusal.max} micros per kWh, was ${shown(draft.limit)}`;
      return ["priceMicrosPerKwh", fault, "give a price in the band"];
    }
    case "self_cross": {
      const other = `${side === "bid" ? "offer" : "bid"} ${shown(refusal.otherId)} at "${refusal.otherLimit}"`;
      const fault = `must not meet an order of the same owner: ${shown(draft.owner)} has ${other}, was ${shown(draft.limit)}`;
      return ["priceMicrosPerKwh", fault, "remove one of the two orders, or keep the bid below the offer"];
    }
    case "book_full": {
      const { orders, energy } = refusal;
      const fault = `must fit in the largest book: ${orders} orders and ${energy} Wh are in, and there was more`;
      return [null, fault, "give fewer or smaller orders"];
    }
  }
}

function fieldFault(field: OrderField, was: unknown): readonly [field: OrderField, fault: string, mend: string] {
  const [must, mend] = FIELD_RULES[field];
  return [field, `${must}, was ${shown(was)}`, mend];
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, field)
    ? (value as Record<string, unknown>)[field]
    : undefined;
}

function fieldPath(parentPath: string, key: string): string {
  if (!/^[A-Za-z_]\w*$/.test(key)) return `${parentPath}[${printable(toJson(key))}]`;
  return parentPath === "" ? key : `${parentPath}.${key}`;
}

/** A value from outside as short, printable text: bigints in quotes, as they were in the file. */
function shown(value: unknown): string {
  return shortened(printable(toJson(value)), 60);
}

/** Text without characters that steer a terminal or hide: those become `\u{…}`. */
function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

function shortened(text: string, lengthMax: number): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text;
}

// ---------------------------------------------------------------------------------------------------------------------
// Lines of a JSON text

type JsonScan = {
  /** Line, from 1, on which each value begins, by path (`""` is the whole). */
  readonly lines: ReadonlyMap<string, number>;
  /** Fields given twice in one object, where the second would silently win. */
  readonly repeated: readonly string[];
  readonly fault: { readonly line: number; readonly column: number; readonly expected: string } | null;
};

const JSON_DEPTH_MAX = 32;
const JSON_NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const JSON_WORD = /true|false|null/y;

/** Where everything is in a JSON text (RFC 8259), or where it stops being one. Nested at most 32 deep. */
export function scanJson(text: string): JsonScan {
  const scanner = new JsonScanner(text);
  const expected = scanner.scan();
  return {
    lines: scanner.lines,
    repeated: scanner.repeated,
    fault: expected === null ? null : { ...scanner.position(), expected },
  };
}

/** Each step returns null, or what it expected where it stopped. */
class JsonScanner {
  readonly lines: Map<string, number> = new Map();
  readonly repeated: string[] = [];
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string) {
    this.#text = text;
  }

  position(): { readonly line: number; readonly column: number } {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  scan(): string | null {
    const fault = this.#value("", JSON_DEPTH_MAX);
    if (fault !== null) return fault;
    this.#skipSpace();
    return this.#at === this.#text.length ? null : "the end of the text";
  }

  #value(path: string, depth: number): string | null {
    this.#skipSpace();
    this.lines.set(path, this.#line);
    const first = this.#text[this.#at];
    if (first === "{")
      return depth === 0 ? "less nesting" : this.#items("}", (index) => this.#member(path, index, depth - 1));
    if (first === "[")
      return depth === 0 ? "less nesting" : this.#items("]", (index) => this.#value(`${path}[${index}]`, depth - 1));
    if (first === '"') return this.#string() === null ? "a string that ends on its line" : null;
    return this.#match(JSON_NUMBER) || this.#match(JSON_WORD) ? null : "a value";
  }

  /** What is between brackets, separated by commas. */
  #items(close: string, item: (index: number) => string | null): string | null {
    this.#at += 1;
    this.#skipSpace();
    if (this.#take(close)) return null;
    for (let index = 0; ; index++) {
      const fault = item(index);
      if (fault !== null) return fault;
      this.#skipSpace();
      if (this.#take(close)) return null;
      if (!this.#take(",")) return `"," or "${close}"`;
    }
  }

  #member(path: string, _index: number, depth: number): string | null {
    this.#skipSpace();
    if (this.#text[this.#at] !== '"') return "a field name in double quotes";
    const name = this.#string();
    if (name === null) return "a string that ends on its line";
    const own = fieldPath(path, JSON.parse(name) as string);
    if (this.lines.has(own)) this.repeated.push(own);
    this.#skipSpace();
    return this.#take(":") ? this.#value(own, depth) : '":"';
  }

  /** The string with its quotes; null, and a position at the fault, when it is not one. */
  #string(): string | null {
    const start = this.#at;
    this.#at += 1;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code) || code < 0x20) return null;
      if (code === 0x5c && !this.#match(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y)) return null;
      if (code === 0x5c) continue;
      this.#at += 1;
      if (code === 0x22) return this.#text.slice(start, this.#at);
    }
  }

  #skipSpace(): void {
    for (; ; this.#at++) {
      const character = this.#text[this.#at];
      if (character === "\n") {
        this.#line += 1;
        this.#lineStart = this.#at + 1;
      } else if (character !== " " && character !== "\t" && character !== "\r") return;
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(sticky: RegExp): boolean {
    sticky.lastIndex = this.#at;
    if (!sticky.test(this.#text)) return false;
    this.#at = sticky.lastIndex;
    return true;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Showing

const TRADES_SHOWN_MAX = 15;
const NAME_COLUMNS_MAX = 28;
const CHART = { columns: 64, rows: 12 };

/** At most 40 lines for people: the result, the first trades, and with the book its merit order with the clearing point. */
export function renderClearing(output: MarketClearOutput, book?: Book): string {
  const { method, priceMicrosPerKwh, volumeWh, trades, clearSeconds } = output;
  const price = priceMicrosPerKwh === null ? "" : ` at ${decimal(priceMicrosPerKwh, 6)} per kWh`;
  const sizes = book === undefined ? "" : ` (bids: ${book.bids.length}, offers: ${book.offers.length})`;
  const summary =
    trades.length === 0
      ? `${method}: nothing trades${sizes}`
      : `${method}: ${decimal(volumeWh, 3)} kWh${price} in ${trades.length} ${trades.length === 1 ? "trade" : "trades"}, ${(clearSeconds * 1_000).toFixed(3)} ms`;
  const chart = book === undefined ? [] : meritOrderChart(book, CHART);
  const legend =
    chart.length === 0 ? [] : ["", "price per kWh; b bids, o offers, * both, : volume, + price row", ...chart];
  return [summary, ...tradeTable(trades), ...legend].join("\n");
}

function tradeTable(trades: MarketClearOutput["trades"]): readonly string[] {
  if (trades.length === 0) return [];
  const table = new Table({
    head: ["bid", "offer", "kWh", "price per kWh"],
    colAligns: ["left", "left", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const { bid, offer, energyWh, priceMicrosPerKwh } of trades.slice(0, TRADES_SHOWN_MAX)) {
    table.push([nameCell(bid), nameCell(offer), decimal(energyWh, 3), decimal(priceMicrosPerKwh, 6)]);
  }
  const more = trades.length - TRADES_SHOWN_MAX;
  return [...table.toString().split("\n"), ...(more > 0 ? [`… and ${more} more (all of them with --json)`] : [])];
}

/** A whole number of smallest units, as text, with `places` decimals: exact, and the same in every locale. */
function decimal(units: string, places: number): string {
  const sign = units.startsWith("-") ? "-" : "";
  const digits = units.slice(sign.length).padStart(places + 1, "0");
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

function nameCell(name: string): string {
  return shortened(printable(name), NAME_COLUMNS_MAX);
}
