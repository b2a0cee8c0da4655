/**
 * What `settlements.csv` alone must satisfy, recomputed by hand formulas from its text and the published prices. It shares no
 * code with what writes the file: it parses with another parser, rounds with its own division, and knows nothing of ledgers.
 *
 * With produced, consumed, promised p, delivered d, bought b, sold s of one member and slot (watt-hours; prices per kWh):
 *   fed into the grid  i = max(0, produced − consumed)       drawn from it  w = max(0, consumed − produced)
 *   d = min(p, i)                                            shortfall f = p − d
 *   deposit lost  = ⌈f × emergency / 1000⌉                   grid fee = ⌊d × grid fee / 1000⌋
 *   right r to use energy: what was bought of others and kept, and of own promises kept what was delivered of them
 *   used u = min(r, w)
 *   feed-in = ⌊((i − d) + (r − u)) × feed-in / 1000⌋         retail = ⌈(w − u) × retail / 1000⌉
 * Of r, the file does not say how a shortfall was shared between promises sold and kept. Where that matters, r is bounded.
 */
import { parse } from "csv-parse/sync";

export type PublishedPrices = {
  /** Micros per kWh in the slot, by its id. */
  readonly feedIn: (slot: string) => bigint;
  readonly retail: (slot: string) => bigint;
  readonly emergency: bigint;
  readonly gridFee: bigint;
  readonly marketFee: bigint;
  /** Members whose meters are not those of a life without a market: their baseline can't be recomputed from the file. */
  readonly hasBattery: (member: string) => boolean;
};

export type SettlementsVerdict = {
  readonly slots: number;
  readonly rows: number;
  /** Rows whose feed-in and retail amounts follow exactly from the file; of the others, bounds were checked. */
  readonly exactRows: number;
  /** Sentences, each with slot and member; empty when the file is sound. */
  readonly faults: readonly string[];
};

type Row = { readonly slot: string; readonly member: string; readonly roles: string } & Readonly<
  Record<(typeof AMOUNTS)[number], bigint>
>;

const AMOUNTS = [
  "producedWh",
  "consumedWh",
  "promisedWh",
  "deliveredWh",
  "shortfallWh",
  "boughtWh",
  "soldWh",
  "tradeMicros",
  "feesMicros",
  "depositLostMicros",
  "feedInMicros",
  "retailMicros",
  "netMicros",
  "baselineMicros",
] as const;
const INFRASTRUCTURE = ["grid-authority", "marketplace", "power-company"];
/** Pieces that one member's promises of one slot can be in, and rounds that it can buy in: bounds for roundings. */
const PIECES_MAX = 64n;
const ROUNDS_MAX = 8n;

/** Checks a whole file. */
export function checkSettlements(csv: string, prices: PublishedPrices): SettlementsVerdict {
  const rows = rowsOf(csv);
  const bySlot = new Map<string, Row[]>();
  for (const row of rows) bySlot.set(row.slot, [...(bySlot.get(row.slot) ?? []), row]);
  const faults: string[] = [];
  let exactRows = 0;
  const members = [...new Set(rows.map(({ member }) => member))].sort();
  for (const [slot, own] of bySlot) {
    const fail = (member: string, what: string): void => void faults.push(`${slot} ${member}: ${what}`);
    const names = own.map(({ member }) => member);
    if (names.join() !== members.join()) fail("all", `has rows of ${names.join()}, not one of each member, sorted`);
    const settled = own
      .filter(({ roles }) => !INFRASTRUCTURE.includes(roles))
      .map((row) => checkMember(row, prices, fail));
    exactRows += settled.filter(({ isExact }) => isExact).length;
    checkSums(own, fail);
    checkInfrastructure(own, prices, fail);
    checkEnergyBalance(settled, fail);
  }
  if ([...bySlot.keys()].join() !== [...bySlot.keys()].sort().join()) faults.push("slots are not in time order");
  return { slots: bySlot.size, rows: rows.length, exactRows, faults };
}

export function rowsOf(csv: string): readonly Row[] {
  const records = parse(csv, { columns: true }) as readonly Readonly<Record<string, string>>[];
  return records.map((record) => {
    const amounts = Object.fromEntries(AMOUNTS.map((column) => [column, BigInt(record[column] ?? "missing")]));
    const { slot = "", member = "", roles = "" } = record;
    return { slot, member, roles, ...amounts } as Row;
  });
}

type Fail = (member: string, what: string) => void;
type Bounds = { readonly least: bigint; readonly most: bigint };
type SettledMember = Row & {
  readonly injected: bigint;
  readonly drawn: bigint;
  readonly feedInWh: bigint;
  readonly retailWh: bigint;
  readonly isExact: boolean;
};

function checkMember(row: Row, prices: PublishedPrices, fail: Fail): SettledMember {
  const is = (what: string, found: bigint, expected: bigint): void => {
    if (found !== expected) fail(row.member, `${what} is ${found}, not ${expected}`);
  };
  const injected = above(row.producedWh, row.consumedWh);
  const drawn = above(row.consumedWh, row.producedWh);
  is("delivered", row.deliveredWh, least(row.promisedWh, injected));
  is("shortfall", row.shortfallWh, row.promisedWh - row.deliveredWh);
  is("deposit lost", row.depositLostMicros, -ceil(row.shortfallWh * prices.emergency));
  if (row.soldWh > row.promisedWh + row.boughtWh) fail(row.member, "sold more than it promised and bought");
  if (row.boughtWh === 0n && row.soldWh === 0n) is("trade", row.tradeMicros, 0n);
  const marketFee = -row.feesMicros - floor(row.deliveredWh * prices.gridFee);
  const feeLeast = ceil(row.boughtWh * prices.marketFee);
  if (marketFee < feeLeast || marketFee > feeLeast + (row.boughtWh === 0n ? 0n : ROUNDS_MAX))
    fail(row.member, `fees of the market are ${marketFee}, not ${feeLeast}`);
  const right = rightOf(row);
  const atLeast = gridPart(row, injected, drawn, right.least);
  const atMost = gridPart(row, injected, drawn, right.most);
  const feedIn = prices.feedIn(row.slot);
  const retail = prices.retail(row.slot);
  within(
    row.member,
    "feed-in",
    row.feedInMicros,
    floor(atLeast.feedInWh * feedIn),
    floor(atMost.feedInWh * feedIn),
    fail,
  );
  within(
    row.member,
    "retail",
    row.retailMicros,
    -ceil(atLeast.retailWh * retail),
    -ceil(atMost.retailWh * retail),
    fail,
  );
  if (!prices.hasBattery(row.member))
    is("baseline", row.baselineMicros, floor(injected * feedIn) - ceil(drawn * retail));
  return { ...row, injected, drawn, ...atLeast, isExact: right.least === right.most };
}

/** What the member had a right to use or to be paid for, after the delivery was checked. */
function rightOf({ promisedWh, deliveredWh, shortfallWh, boughtWh, soldWh }: Row): Bounds {
  const held = promisedWh + boughtWh - soldWh;
  const exactly = (value: bigint): Bounds => ({ least: value, most: value });
  if (shortfallWh === 0n) return exactly(held);
  if (soldWh === 0n) return exactly(boughtWh + deliveredWh);
  if (boughtWh === 0n && soldWh === promisedWh) return exactly(0n);
  // Between: as much or as little as possible of what it holds is its own promises, of which it delivered a share.
  const share = (own: bigint): bigint => held - own + (own * deliveredWh) / promisedWh;
  const ownMost = least(promisedWh, held);
  const ownLeast = above(promisedWh, soldWh);
  return { least: above(share(ownMost), PIECES_MAX), most: share(ownLeast) + PIECES_MAX };
}

function gridPart(row: Row, injected: bigint, drawn: bigint, right: bigint): { feedInWh: bigint; retailWh: bigint } {
  const used = least(right, drawn);
  return { feedInWh: injected - row.deliveredWh + right - used, retailWh: drawn - used };
}

function within(member: string, what: string, found: bigint, one: bigint, other: bigint, fail: Fail): void {
  const [low, high] = one < other ? [one, other] : [other, one];
  if (found < low || found > high) fail(member, `${what} is ${found}, not ${low === high ? low : `${low} to ${high}`}`);
}

/** Sums over all members of one slot. */
function checkSums(rows: readonly Row[], fail: Fail): void {
  for (const row of rows) {
    const net = row.tradeMicros + row.feesMicros + row.depositLostMicros + row.feedInMicros + row.retailMicros;
    if (row.netMicros !== net) fail(row.member, `net is ${row.netMicros}, its columns sum to ${net}`);
  }
  const zero: readonly (readonly [string, bigint])[] = [
    ["net", sum(rows, "netMicros")],
    ["trade", sum(rows, "tradeMicros")],
    ["feed-in", sum(rows, "feedInMicros")],
    ["retail", sum(rows, "retailMicros")],
    ["bought less sold", sum(rows, "boughtWh") - sum(rows, "soldWh")],
  ];
  for (const [what, total] of zero) if (total !== 0n) fail("all", `${what} sums to ${total}, not 0`);
}

/** The marketplace and the grid authority get all fees; the power company gets lost deposits less the grid fee on them. */
function checkInfrastructure(rows: readonly Row[], prices: PublishedPrices, fail: Fail): void {
  const members = rows.filter(({ roles }) => !INFRASTRUCTURE.includes(roles));
  const deliveryFees = total(members.map((row) => floor(row.deliveredWh * prices.gridFee)));
  const shortfallFees = total(members.map((row) => floor(row.shortfallWh * prices.gridFee)));
  const expected: Readonly<Record<string, Partial<Record<(typeof AMOUNTS)[number], bigint>>>> = {
    "grid-authority": {
      feesMicros: deliveryFees + shortfallFees,
      depositLostMicros: 0n,
      feedInMicros: 0n,
      retailMicros: 0n,
    },
    marketplace: {
      feesMicros: -sum(members, "feesMicros") - deliveryFees,
      depositLostMicros: 0n,
      feedInMicros: 0n,
      retailMicros: 0n,
    },
    "power-company": { feesMicros: 0n, depositLostMicros: -sum(members, "depositLostMicros") - shortfallFees },
  };
  for (const row of rows.filter(({ roles }) => INFRASTRUCTURE.includes(roles))) {
    for (const [column, amount] of Object.entries(expected[row.roles] ?? {}) as [(typeof AMOUNTS)[number], bigint][])
      if (row[column] !== amount) fail(row.member, `${column} is ${row[column]}, not ${amount}`);
    for (const column of [
      "producedWh",
      "consumedWh",
      "promisedWh",
      "boughtWh",
      "soldWh",
      "tradeMicros",
      "baselineMicros",
    ] as const)
      if (row[column] !== 0n) fail(row.member, `${column} is ${row[column]}: it neither has a meter nor trades`);
  }
}

/**
 * What the power company takes less what it gives is what the community puts into the grid less what it draws, and what the
 * power company had to put in for promises that were sold and not kept.
 */
function checkEnergyBalance(members: readonly SettledMember[], fail: Fail): void {
  if (!members.every(({ isExact }) => isExact)) return;
  const withCompany = total(members.map(({ feedInWh, retailWh }) => feedInWh - retailWh));
  const withGrid = total(members.map(({ injected, drawn }) => injected - drawn));
  const replaced = withCompany - withGrid;
  const shortfall = sum(members, "shortfallWh");
  if (replaced < 0n || replaced > shortfall)
    fail(
      "all",
      `energy does not balance: the power company replaced ${replaced} Wh of ${shortfall} Wh that were missing`,
    );
}

function sum(rows: readonly Row[], column: (typeof AMOUNTS)[number]): bigint {
  return total(rows.map((row) => row[column]));
}

function total(values: readonly bigint[]): bigint {
  return values.reduce((left, right) => left + right, 0n);
}

/** A thousandth, rounded down: watt-hours times a price per kWh. */
function floor(product: bigint): bigint {
  const quotient = product / 1_000n;
  return product < 0n && quotient * 1_000n !== product ? quotient - 1n : quotient;
}

function ceil(product: bigint): bigint {
  return -floor(-product);
}

function above(value: bigint, level: bigint): bigint {
  return value > level ? value - level : 0n;
}

function least(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}
