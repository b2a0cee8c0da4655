/**
 * Observers: what the network parameters grant is shown, the rest is proved without being shown. And the law behind all notices:
 * nobody is sent a byte of what it may not know.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ClientCommand,
  componentNonce,
  decodeNotice,
  decodeSignedTransaction,
  isNotarySignatureValid,
  type Notice,
  openComponents,
  type PeerRequest,
  participantsOf,
  type SignedTransaction,
  type State,
  type StateTag,
} from "#contracts";
import { type Hash, microsPerKwh, type Prng, seededPrng, unwrap, wattHours } from "#core";
import { DEADLINE_MS, NEXT_SLOT, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";

const TRADERS = ["alice", "bob", "carol"];
const GRANTED: readonly StateTag[] = ["delivery-record", "deposit", "funds"];
const INFRASTRUCTURE = ["grid-authority", "power-company", "payment-provider", "marketplace", "verifier"];
const PUBLIC: readonly StateTag[] = ["network-parameters", "member", "tariff", "auction"];
/** Written here a second time: what the grid authority may see of others. */
const WATCHED: readonly StateTag[] = [
  "power-promise",
  "deposit",
  "meter-reading",
  "delivery-record",
  "bid",
  "exposure",
  "exposure-index",
];

let small: SmallNetwork;
const sent: { readonly to: string; readonly request: PeerRequest }[] = [];

beforeAll(async () => {
  small = await SmallNetwork.found();
  for (const name of TRADERS) await small.join(name);
  await small.join("dave", { roles: ["consumer"] });
  await small.join("regulator", { roles: ["observer"], capacityPerSlot: wattHours(0) });
  await small.join("statistician", { roles: ["observer"], capacityPerSlot: wattHours(0) });
  await small.run("grid-authority", {
    tag: "amend-parameters",
    commandId: "observers",
    changes: {
      observers: [
        { key: small.key("regulator"), sees: GRANTED },
        { key: small.key("statistician"), sees: [] },
      ],
    },
  });
  const names = [...TRADERS, "dave", "regulator", "statistician", ...INFRASTRUCTURE];
  const nameOf = new Map(names.map((name) => [small.key(name), name]));
  small.wire.intercept = (_from, to, request, next) => {
    const name = nameOf.get(to);
    if (name !== undefined) sent.push({ to: name, request });
    return next(request);
  };
  for (const name of TRADERS) await small.fund(name, 9_000_000, 9_000_000);
  const random = seededPrng(3, "observers");
  for (let index = 0; index < 120; index++) {
    const [name, command] = randomCommand(random, `random ${index}`);
    await small.submit(name, command);
  }
  small.clock.moveTo(SLOT_END_MS);
  const readings = TRADERS.map((name) => ({
    member: small.key(name),
    produced: wattHours(3_000),
    consumed: wattHours(0),
  }));
  await small.run("grid-authority", { tag: "record-meters", commandId: "meters", slot: SLOT, readings });
  for (const name of TRADERS)
    await small.submit("grid-authority", {
      tag: "check-delivery",
      commandId: `check ${name}`,
      supplier: small.key(name),
      slot: SLOT,
    });
  small.wire.intercept = undefined;
});
afterAll(() => small.close());

/** Promises, orders, rounds, auctions and bids at random: some of them are refused. */
function randomCommand(random: Prng, commandId: string): readonly [string, ClientCommand] {
  const draw = (below: number): number => random.nextUint32() % below;
  const name = TRADERS[draw(TRADERS.length)] ?? "alice";
  const slot = draw(2) === 0 ? SLOT : NEXT_SLOT;
  const energy = wattHours(200 + draw(800));
  const marketplace = small.key("marketplace");
  const auctions = small.node(name).unspent("auction");
  const auction = auctions[draw(Math.max(1, auctions.length))];
  switch (draw(5)) {
    case 0:
      return [name, { tag: "create-promises", commandId, promises: [{ slot, energy }] }];
    case 1: {
      const side = draw(2) === 0 ? "bid" : "offer";
      const orders = [{ side, slot, energy, limit: microsPerKwh(side === "bid" ? 200_000 : 100_000) }] as const;
      return [name, { tag: "place-orders", commandId, marketplace, orders }];
    }
    case 2:
      return ["marketplace", randomRound(commandId, slot)];
    case 3: {
      const basePrice = microsPerKwh(100_000);
      return [
        name,
        { tag: "create-auction", commandId, marketplace, slot, energy, basePrice, deadlineMs: DEADLINE_MS },
      ];
    }
    default: {
      const price = microsPerKwh(150_000 + 1_000 * draw(50));
      return [name, { tag: "bid", commandId, auctionId: auction?.auctionId ?? "none", price }];
    }
  }
}

/** Trades the first bid with the first offer of another, or releases all orders. */
function randomRound(commandId: string, slot: typeof SLOT): ClientCommand {
  const orders = small
    .node("marketplace")
    .unspent("pool-order")
    .filter((order) => order.slot === slot);
  const offers = orders.filter(({ side }) => side === "offer");
  const pairs = orders
    .filter(({ side }) => side === "bid")
    .flatMap((bid) => offers.filter(({ owner }) => owner !== bid.owner).map((offer) => ({ bid, offer })));
  const price = microsPerKwh(150_000);
  const trades = pairs.slice(0, 1).map(({ bid, offer }) => {
    const energy = bid.energy < offer.energy ? bid.energy : offer.energy;
    return { bid: bid.orderId, offer: offer.orderId, energy, price };
  });
  return { tag: "clear-pool", commandId, slot, price, isFinal: trades.length === 0, trades };
}

/** All transactions by id, and the states that each consumes, in order. */
function transactions(): ReadonlyMap<Hash, { readonly signed: SignedTransaction; readonly inputs: readonly State[] }> {
  const all = [...small.commitLog.scan()].map(({ bytes }) => unwrap(decodeSignedTransaction(new Uint8Array(bytes))));
  const byId = new Map(all.map((signed) => [signed.transaction.id, signed]));
  return new Map(
    all.map((signed) => {
      const inputs = signed.transaction.content.inputs.flatMap(
        ({ txId, index }) => byId.get(txId)?.transaction.content.outputs[index] ?? [],
      );
      return [signed.transaction.id, { signed, inputs }];
    }),
  );
}

function noticesTo(name: string): readonly { readonly notice: Notice; readonly bytes: Uint8Array }[] {
  return sent.flatMap(({ to, request }) =>
    to === name && request.tag === "notice"
      ? [{ notice: unwrap(decodeNotice(request.notice)), bytes: request.notice }]
      : [],
  );
}

function concerns(name: string, state: State): boolean {
  const isWatched = name === "grid-authority" && WATCHED.includes(state.tag);
  return PUBLIC.includes(state.tag) || isWatched || participantsOf(state).includes(small.key(name));
}

/** Positions of the components that the party may know of a transaction that it did not sign. */
function allowedTo(name: string, { transaction }: SignedTransaction, inputs: readonly State[]): ReadonlySet<number> {
  const { counts, content } = transaction;
  const granted = name === "regulator" ? GRANTED : [];
  const mayKnow = (state: State): boolean => concerns(name, state) || granted.includes(state.tag);
  const firstOutput = counts.inputs + counts.references;
  const head = firstOutput + counts.outputs;
  const isConcerned = [...inputs, ...content.outputs].some((state) => concerns(name, state));
  const heads = isConcerned ? (content.command.tag === "clear-pool" ? [1, 2, 3] : [0, 1, 2, 3]) : [2];
  return new Set([
    ...inputs.flatMap((state, index) => (mayKnow(state) ? [index] : [])),
    ...content.outputs.flatMap((state, index) => (mayKnow(state) ? [firstOutput + index] : [])),
    ...heads.map((index) => head + index),
  ]);
}

describe("law: need to know", () => {
  test.each([...TRADERS, "dave", "regulator", "statistician", ...INFRASTRUCTURE])(
    "%s is sent no byte and no nonce of what it may not know",
    (name) => {
      const all = transactions();
      for (const { notice, bytes } of noticesTo(name)) {
        const known = all.get(notice.txId);
        if (known === undefined) throw new Error("a notice is of a final transaction");
        const { transaction } = known.signed;
        const allowed = allowedTo(name, known.signed, known.inputs);
        for (const { position } of notice.tearOff.revealed) expect(allowed.has(position), `${position}`).toBe(true);
        const text = Buffer.from(bytes);
        expect(text.includes(Buffer.from(transaction.salt))).toBe(false);
        for (const [position, component] of transaction.components.entries()) {
          if (allowed.has(position)) continue;
          expect(text.includes(Buffer.from(componentNonce(transaction.salt, position)))).toBe(false);
          // A window of a few bytes may occur by chance.
          if (component.length > 16)
            expect(text.includes(Buffer.from(component)), transaction.content.command.tag).toBe(false);
        }
      }
      for (const { to, request } of sent) {
        if (to !== name || (request.tag !== "final" && request.tag !== "sign")) continue;
        const { content } = unwrap(decodeSignedTransaction(request.transaction)).transaction;
        expect(content.signers).toContain(small.key(name));
      }
    },
  );

  test("the run had something to hide from everybody", () => {
    const tags = new Set([...transactions().values()].map(({ signed }) => signed.transaction.content.command.tag));
    for (const tag of ["create-promises", "place-orders", "clear-pool", "create-auction", "bid", "check-delivery"])
      expect(tags).toContain(tag);
    for (const name of [...TRADERS, "dave", "grid-authority"]) expect(noticesTo(name).length).toBeGreaterThan(5);
  });
});

describe("an observer", () => {
  test("is shown the granted states of every transaction, and keeps them as long as they are unspent", () => {
    for (const tag of GRANTED) {
      const expected = [...INFRASTRUCTURE, ...TRADERS]
        .flatMap((name) => small.node(name).unspent(tag))
        .filter(
          (state, index, all) =>
            all.findIndex((each) => JSON.stringify(each, text) === JSON.stringify(state, text)) === index,
        );
      const seen = small.node("regulator").unspent(tag);
      expect(new Set(seen.map((state) => JSON.stringify(state, text)))).toEqual(
        new Set(expected.map((state) => JSON.stringify(state, text))),
      );
      expect(seen.length).toBeGreaterThan(0);
    }
    for (const tag of ["power-promise", "pool-order", "bid", "meter-reading"] as const)
      expect(small.node("regulator").unspent(tag)).toEqual([]);
    for (const tag of GRANTED) expect(small.node("statistician").unspent(tag)).toEqual([]);
  });

  test.each(["regulator", "statistician"])(
    "%s can count all transactions and check the notary's signature of each",
    (name) => {
      const counted = new Set(noticesTo(name).map(({ notice }) => notice.txId));
      const since = new Set(sent.flatMap(({ request }) => (request.tag === "final" ? [request.transaction] : [])));
      expect(since.size).toBeGreaterThan(20);
      const missed = [...transactions().entries()].filter(([txId]) => !counted.has(txId));
      // Before the random run: those of the foundation, of the members' joining, and of the observers' grant.
      for (const [, { signed }] of missed)
        expect(["genesis", "join", "amend-parameters"]).toContain(signed.transaction.content.command.tag);
      for (const { notice } of noticesTo(name)) {
        expect(isNotarySignatureValid(small.ledger.networkId, notice.txId, notice.notarySignature)).toBe(true);
        expect(openComponents(notice.tearOff, notice.txId).ok).toBe(true);
      }
    },
  );

  test("sees neither signers nor command nor signatures where nothing concerns it", () => {
    const hidden = noticesTo("statistician").filter(
      ({ notice }) => unwrap(openComponents(notice.tearOff, notice.txId)).outputs.size === 0,
    );
    expect(hidden.length).toBeGreaterThan(10);
    for (const { notice } of hidden.filter(({ notice }) => notice.tearOff.revealed.length === 1)) {
      const shown = unwrap(openComponents(notice.tearOff, notice.txId));
      expect([shown.signers, shown.command, shown.window, notice.signatures]).toEqual([
        undefined,
        undefined,
        undefined,
        [],
      ]);
      expect(shown.notary).toBe(small.ledger.notaryKey);
    }
  });

  test("alone is shown a transaction without its signers: others take that for a part held back", async () => {
    const [hidden] = noticesTo("statistician").filter(({ notice }) => notice.signatures.length === 0);
    if (hidden === undefined) throw new Error("the statistician was shown something");
    expect(await small.send("marketplace", "dave", { tag: "notice", notice: hidden.bytes })).toMatchObject({
      tag: "refused",
      refusal: { tag: "transaction_malformed" },
    });
  });

  test("finds what it saw after a restart", async () => {
    const before = await small.vaultOf("regulator");
    await small.ledger.restart("regulator");
    expect(await small.vaultOf("regulator")).toEqual(before);
  });
});

function text(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}
