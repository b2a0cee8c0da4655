/** The wire form of transactions: fixed bytes and ids, one encoding, refusals, limits. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildTransaction,
  type Command,
  decodeTransaction,
  encodeTransaction,
  refKey,
  type State,
  type StateRef,
  type StateTag,
  stateCodec,
  type Transaction,
  type WireTransaction,
} from "#contracts";
import {
  type CborValue,
  compareText,
  decodeCbor,
  encodeCbor,
  equalBytes,
  hashOf,
  InvariantError,
  type LocalDay,
  type PublicKey,
  type SlotId,
  sha256,
  signerFromSeed,
  toHex,
} from "#core";
import { arbCommand, arbStateOf, arbTransaction, funds, keyOf, STATE_TAGS, VALID } from "#testkit";
import { commandCodec } from "./commands.ts";
import { INPUTS_MAX, OUTPUTS_MAX, REFERENCES_MAX, SIGNERS_MAX, TRANSACTION_BYTES_MAX } from "./transaction.ts";

const SALT = Uint8Array.from({ length: 32 }, (_, index) => index);
const EMPTY: Transaction = {
  inputs: [],
  references: [],
  outputs: [],
  command: { tag: "issue-funds" },
  signers: [keyOf("payment provider")],
  notary: keyOf("notary"),
  window: { fromMs: null, untilMs: 1_938_074_400_000 },
};
const ref = (index: number): StateRef => ({ txId: hashOf(`transaction ${index >> 3}`), index: index & 7 });
const build = (content: Partial<Transaction>): WireTransaction => buildTransaction({ ...EMPTY, ...content }, SALT);
const decoded = (wire: WireTransaction): ReturnType<typeof decodeTransaction> =>
  decodeTransaction(encodeTransaction(wire));
/** The bytes of `wire` with other components, whatever they are. */
const withComponents = (
  wire: WireTransaction,
  components: readonly Uint8Array[],
  counts: WireTransaction["counts"] = wire.counts,
): Uint8Array => encodeTransaction({ ...wire, components, counts });

/** The id, computed a second time from what the documentation of the format says. */
function idOf(bytes: Uint8Array): string {
  const outer = decodeCbor(bytes);
  if (!outer.ok) throw new Error("a transaction is CBOR");
  const [version, salt, counts, components] = outer.value as readonly [
    number,
    Uint8Array,
    readonly number[],
    readonly Uint8Array[],
  ];
  const uint32 = (value: number): Uint8Array =>
    Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
  const leaves = components.map((component, index) =>
    sha256(Uint8Array.of(0), sha256(Uint8Array.of(1), salt, uint32(index)), component),
  );
  return toHex(sha256(Uint8Array.of(2), uint32(version), ...counts.map(uint32), ...leaves));
}

describe("golden vectors: an accidental change of the wire form fails here", () => {
  const key = (seed: number): PublicKey => signerFromSeed(new Uint8Array(32).fill(seed)).publicKey;
  const slot = "2031-06-01T10:15Z/PT15M" as SlotId;
  const day = "2031-06-01" as LocalDay;
  /** One state of each kind, every field different from its neighbours. */
  const states = {
    "network-parameters": {
      tag: "network-parameters",
      networkId: "golden",
      epoch: 1,
      currency: "EUR",
      slotMinutes: 15,
      timeZone: "Europe/Berlin",
      gridAuthority: key(1),
      powerCompany: key(2),
      paymentProvider: key(3),
      notaries: [key(4)],
      verifiers: [key(5), key(6)],
      verifierQuorum: 2,
      promiseMin: 100n,
      promiseMax: 1_000_000n,
      emergencyPrice: 600_000n,
      gridFee: 10_000n,
      bidRiseMin: 1_000n,
      priceMin: -500_000n,
      priceMax: 1_000_001n,
      gateLeadMs: 300_000,
      settlementGraceMs: 600_000,
      observers: [{ key: key(7), sees: ["deposit", "delivery-record"] }],
    },
    member: {
      tag: "member",
      name: "Ærø Vind",
      key: key(1),
      roles: ["producer", "speculator"],
      standing: "probation",
      capacityPerSlot: 2n ** 62n,
      holdingCapPerSlot: null,
      marketFee: 5n,
    },
    funds: { tag: "funds", owner: key(1), amount: 5_000_000n },
    "power-promise": {
      tag: "power-promise",
      promiseId: "p",
      slot,
      energy: 1n,
      supplier: key(1),
      owner: key(2),
      lock: { kind: "order", id: "o" },
      delivered: 0n,
    },
    deposit: { tag: "deposit", supplier: key(1), slot, amount: 7n },
    auction: {
      tag: "auction",
      auctionId: "a",
      seller: key(1),
      marketplace: key(2),
      slot,
      energy: 1n,
      basePrice: -2n,
      marketFee: 3n,
      deadlineMs: 4,
      status: "ended",
      highestPrice: 5n,
      highestBidder: key(3),
    },
    bid: { tag: "bid", auctionId: "a", bidder: key(1), price: -1n, locked: 2n },
    "pool-order": {
      tag: "pool-order",
      orderId: "o",
      side: "offer",
      owner: key(1),
      marketplace: key(2),
      slot,
      energy: 1n,
      limit: -2n,
      marketFee: 3n,
      locked: 4n,
      sequence: 5,
    },
    exposure: { tag: "exposure", member: key(1), day, entries: [{ slot, promised: 1n, bought: 2n, bidding: 3n }] },
    "exposure-index": { tag: "exposure-index", member: key(1), openedDays: [day] },
    tariff: { tag: "tariff", day, slots: [slot], feedIn: [-1n], retail: [2n] },
    "meter-reading": { tag: "meter-reading", member: key(1), slot, produced: 1n, consumed: 2n },
    "delivery-record": {
      tag: "delivery-record",
      supplier: key(1),
      slot,
      promised: 1n,
      delivered: 2n,
      depositLost: 3n,
      gridFee: 4n,
    },
    "slot-settlement": {
      tag: "slot-settlement",
      member: key(1),
      slot,
      produced: 1n,
      consumed: 2n,
      used: 3n,
      feedInEnergy: 4n,
      feedInAmount: -5n,
      retailEnergy: 6n,
      retailAmount: 7n,
    },
    mandate: {
      tag: "mandate",
      mandateId: "m",
      principal: key(1),
      delegate: key(2),
      flows: ["bid", "place-orders"],
      energyPerSlotMax: 1n,
      expiresMs: 2,
    },
    "standing-vote": { tag: "standing-vote", voter: key(1), member: key(2), standing: "suspended", expiresMs: 3 },
  } as unknown as Readonly<Record<StateTag, State>>;

  test("one small transaction, byte by byte", () => {
    const wire = buildTransaction({ ...EMPTY, outputs: [states.funds], signers: [key(3)], notary: key(4) }, SALT);
    expect(toHex(encodeTransaction(wire))).toBe(
      "84015820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f8300000185582f826566756e64738258208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c1a004c4b404e826b69737375652d66756e6473805823815820ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d158225820ca93ac1705187071d67b83c7ff0efe8108e8ec4530575d7726879333dbdabe7c4b82f61b000001c33e3c7500",
    );
    expect(wire.id).toBe("1e707beca9b00e99f8990c151abcf48fe2fbf3dd09958a8be960b87425a2733c");
  });

  test.each<readonly [StateTag, string]>([
    ["network-parameters", "cc9ba10530329e255c0bf7e81c59fff86d65c1d105e938ca86f05370beebab1e"],
    ["member", "c1c774b5b1bcf6ea11c4f91688d478ba6e30d89cea597c5106f6ffae141296a0"],
    ["funds", "3921b247b104cdc9b4f3bb401d6312a13e5c167a2128199e9f6b19aaae1b7b7e"],
    ["power-promise", "da8eabae0f30583ebcffab9cc6564878218edfe55dbd06f52519c776f6df3a64"],
    ["deposit", "6e3d6fcde0573b033f646877923f30eb28447dea613fccff659418d90c4fecc8"],
    ["auction", "530a3de70c7115eb1f0b5c51355bff9dba2a34b863878ee28a94f350cb82925e"],
    ["bid", "9da94989de81f52320d579408efbe0e284183d4652ea5e42b3cc306b2fe4f82f"],
    ["pool-order", "9f045288d33e213625413a54f494555dcf00772da94e1b33affea414afc7fe71"],
    ["exposure", "5d9b5bac93d9f47862c30d43915dd8efee55d282c8285ce30ba2a5b120fee018"],
    ["exposure-index", "22f9641500b5c2471fd8c8c0ccc6d340dba1c05e22f7e114ac3b0da3d19b34f2"],
    ["tariff", "8233213cb5722cc893a1fc0f90e4089c2e054ecdc8ceb29c860dd54ccb330270"],
    ["meter-reading", "d48762d53235baddfb709e81baacdffe6c6c679df10adbcb1863d1b4cd716702"],
    ["delivery-record", "07d7f37225740c318a412d05db3aefae46476a8d738032f6df6c3ffd07544703"],
    ["slot-settlement", "0b47921707462a2d116a02dad66a3c3a79213842043bfe376d6a3d034503fc3a"],
    ["mandate", "037809e34e7228031a44395ec28a03fdae4848d84d01a5bb5a5b8e5845d3b23a"],
    ["standing-vote", "937ae2c53099d48251d099cae22727524f8a0922c05c11ea4ef8dbfd05312511"],
  ])("a state of kind %s", (tag, hash) => {
    expect(hashOf(encodeCbor(stateCodec.encode(states[tag])))).toBe(hash);
  });

  test("a transaction with all of them, inputs, references and trades", () => {
    const command = {
      tag: "clear-pool",
      slot,
      price: null,
      isFinal: true,
      trades: [{ bid: "b", offer: "o", energy: 1n, price: -1n }],
    } as unknown as Command;
    const content: Transaction = {
      inputs: [
        { txId: hashOf("first"), index: 0 },
        { txId: hashOf("second"), index: 4_095 },
      ],
      references: [{ txId: hashOf("third"), index: 1 }],
      outputs: Object.values(states),
      command,
      signers: [key(1), key(2)],
      notary: key(4),
      window: { fromMs: 1, untilMs: 2 },
    };
    const wire = buildTransaction(content, SALT);
    expect(Object.keys(states).sort()).toEqual([...STATE_TAGS].sort());
    expect(wire.id).toBe("5ba760913080ba805b03d7fbd1eed968bfed5fb3829dce9860fd170d5ebad99e");
    expect(idOf(encodeTransaction(wire))).toBe(wire.id); // By the format's description, written a second time.
  });
});

describe("round trips", () => {
  test.each(STATE_TAGS)("states of kind %s", (tag) => {
    fc.assert(
      fc.property(arbStateOf(tag) as fc.Arbitrary<State>, (state) => {
        const read = decodeCbor(encodeCbor(stateCodec.encode(state)));
        expect(read.ok && stateCodec.decode(read.value, "")).toEqual({ ok: true, value: state });
      }),
      { numRuns: 40 },
    );
  });

  test("commands", () => {
    fc.assert(
      fc.property(arbCommand, (command) => {
        const read = decodeCbor(encodeCbor(commandCodec.encode(command)));
        expect(read.ok && commandCodec.decode(read.value, "")).toEqual({ ok: true, value: command });
      }),
    );
  });

  test("whole transactions come back as they were, with the same id and the same bytes", () => {
    fc.assert(
      fc.property(arbTransaction, fc.uint8Array({ minLength: 32, maxLength: 32 }), (content, salt) => {
        const wire = buildTransaction(content, salt);
        const bytes = encodeTransaction(wire);
        const read = decodeTransaction(bytes);
        expect(read).toEqual({ ok: true, value: wire });
        expect(wire.content).toEqual(content);
        expect(read.ok && equalBytes(encodeTransaction(read.value), bytes)).toBe(true);
        expect(idOf(bytes)).toBe(wire.id);
      }),
      { numRuns: 60 },
    );
  });

  test("signers are sorted and named once when a transaction is built", () => {
    const names = ["alice", "bob", "carol", "dave"].map(keyOf);
    const wire = build({ signers: [...names, ...names].reverse() });
    expect(wire.content.signers).toEqual([...names].sort(compareText));
    expect(decoded(wire).ok).toBe(true);
  });
});

describe("every byte counts", () => {
  const wire = buildTransaction(VALID["end-auction"]().resolved().content, SALT);
  const bytes = encodeTransaction(wire);

  test("changing any byte is refused or gives another id", () => {
    let accepted = 0;
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [0x01, 0x80]) {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ flip;
        const read = decodeTransaction(changed);
        if (read.ok) {
          accepted++;
          expect(read.value.id).not.toBe(wire.id);
        }
      }
    }
    expect(accepted).toBeGreaterThan(100); // Amounts and the salt have free bits: not everything is refused.
  });

  test("cutting off or adding bytes is refused", () => {
    for (let length = 0; length < bytes.length; length += 7)
      expect(decodeTransaction(bytes.slice(0, length)).ok).toBe(false);
    expect(decodeTransaction(Uint8Array.of(...bytes, 0)).ok).toBe(false);
  });

  test("another salt, another order of components, other counts: another id", () => {
    expect(buildTransaction(wire.content, sha256(SALT)).id).not.toBe(wire.id);
    const two = build({ outputs: [funds("alice", 1), funds("bob", 2)] });
    const [first, second, ...rest] = two.components;
    const swapped = decodeTransaction(withComponents(two, [second as Uint8Array, first as Uint8Array, ...rest]));
    expect(swapped.ok && swapped.value.id).not.toBe(two.id);
    const cited = build({ inputs: [ref(1)], references: [ref(2)] });
    const moved = decodeTransaction(withComponents(cited, cited.components, { inputs: 2, references: 0, outputs: 0 }));
    expect(moved.ok && moved.value.id).not.toBe(cited.id); // A reference is not turned into an input.
  });

  test("random bytes and spoiled transactions never throw", () => {
    const arbSpoiled = fc.tuple(arbTransaction, fc.nat(), fc.nat({ max: 255 })).map(([content, at, byte]) => {
      const spoiled = Uint8Array.from(encodeTransaction(buildTransaction(content, SALT)));
      spoiled[at % spoiled.length] = byte;
      return spoiled;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), arbSpoiled), (input) => {
        expect(typeof decodeTransaction(input).ok).toBe("boolean");
      }),
      { numRuns: 150 },
    );
  });

  test("well-formed CBOR of another shape never throws", () => {
    const arbPart: fc.Arbitrary<CborValue> = fc.oneof(
      fc.constantFrom<CborValue>(null, 1, -1, 2 ** 40, "x", [], [0, 0, 0], [1, 0, 0], SALT),
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(arbPart, { minLength: 3, maxLength: 5 }), (parts) => {
        expect(decodeTransaction(encodeCbor(parts))).toEqual({ ok: false, error: "transaction_malformed" });
      }),
      { numRuns: 300 },
    );
  });
});

describe("refused", () => {
  test("a state twice: as two inputs, as two references, as both", () => {
    const twice = build({ inputs: [ref(1), ref(2)] });
    const [first, , ...rest] = twice.components;
    expect(decodeTransaction(withComponents(twice, [first as Uint8Array, first as Uint8Array, ...rest]))).toEqual({
      ok: false,
      error: "transaction_duplicate_input",
    });
    const cited = build({ inputs: [ref(1)], references: [ref(2)] });
    const [input, , ...others] = cited.components;
    expect(decodeTransaction(withComponents(cited, [input as Uint8Array, input as Uint8Array, ...others]))).toEqual({
      ok: false,
      error: "transaction_duplicate_input",
    });
  });

  test("signers out of order, twice, or none", () => {
    const wire = build({});
    const signers = (...names: readonly string[]): Uint8Array => {
      const keys = encodeCbor(names.map((name) => Uint8Array.from(Buffer.from(keyOf(name), "hex"))));
      return withComponents(
        wire,
        wire.components.map((component, index) => (index === 1 ? keys : component)),
      );
    };
    const [low, high] = ["alice", "bob"].sort((left, right) => compareText(keyOf(left), keyOf(right))) as [
      string,
      string,
    ];
    expect(decodeTransaction(signers(low, high)).ok).toBe(true);
    expect(decodeTransaction(signers(high, low))).toEqual({ ok: false, error: "transaction_signers_unsorted" });
    expect(decodeTransaction(signers(low, low))).toEqual({ ok: false, error: "transaction_signers_unsorted" });
    expect(decodeTransaction(signers())).toEqual({ ok: false, error: "transaction_malformed" });
  });

  test("our own code builds nothing that would be refused", () => {
    expect(() => build({ inputs: [ref(1), ref(1)] })).toThrow(InvariantError);
    expect(() => build({ inputs: [ref(1)], references: [ref(1)] })).toThrow(InvariantError);
    expect(() => build({ signers: [] })).toThrow(InvariantError);
    expect(() => buildTransaction(EMPTY, new Uint8Array(31))).toThrow(InvariantError);
    expect(() => build({ window: { fromMs: -1, untilMs: null } })).toThrow(InvariantError);
  });

  test("counts that do not fit the components", () => {
    const wire = build({ inputs: [ref(1)], outputs: [funds("alice", 1)] });
    for (const counts of [
      { inputs: 0, references: 0, outputs: 1 },
      { inputs: 1, references: 1, outputs: 1 },
      { inputs: 0, references: 0, outputs: 2 },
      { inputs: 2, references: 0, outputs: 0 },
    ])
      expect(decodeTransaction(withComponents(wire, wire.components, counts))).toEqual({
        ok: false,
        error: "transaction_malformed",
      });
  });

  test("another version, a short salt", () => {
    const wire = build({});
    const outer = (version: number, salt: Uint8Array): Uint8Array =>
      encodeCbor([version, salt, [0, 0, 0], wire.components]);
    expect(decodeTransaction(outer(1, SALT)).ok).toBe(true);
    expect(decodeTransaction(outer(2, SALT)).ok).toBe(false);
    expect(decodeTransaction(outer(1, SALT.slice(1))).ok).toBe(false);
  });

  test("a component that is not the one encoding of its value", () => {
    const wire = build({ outputs: [funds("alice", 5)] });
    const [output, ...rest] = wire.components as [Uint8Array, ...Uint8Array[]];
    const long = Uint8Array.of(...output.slice(0, -1), 0x18, 0x05); // The amount 5 in two bytes.
    expect(decodeTransaction(withComponents(wire, [long, ...rest])).ok).toBe(false);
  });
});

describe("limits", () => {
  const refs = (count: number): readonly StateRef[] => Array.from({ length: count }, (_, index) => ref(index));
  const outputs = (count: number): readonly State[] => Array.from({ length: count }, () => funds("alice", 1));
  const signers = (count: number): Transaction["signers"] =>
    Array.from({ length: count }, (_, index) => keyOf(`signer ${index}`));

  test.each<readonly [string, number, (count: number) => Partial<Transaction>]>([
    ["inputs", INPUTS_MAX, (count) => ({ inputs: refs(count) })],
    ["references", REFERENCES_MAX, (count) => ({ references: refs(count) })],
    ["outputs", OUTPUTS_MAX, (count) => ({ outputs: outputs(count) })],
  ])("%s: %i and no more", (_what, max, content) => {
    expect(decoded(build(content(max))).ok).toBe(true);
    expect(decoded(build(content(max + 1)))).toEqual({ ok: false, error: "transaction_malformed" });
  });

  test("signers: 128 and no more", () => {
    expect(decoded(build({ signers: signers(SIGNERS_MAX) })).ok).toBe(true);
    expect(() => build({ signers: signers(SIGNERS_MAX + 1) })).toThrow(InvariantError);
  });

  test("bytes", () => {
    expect(decodeTransaction(new Uint8Array(TRANSACTION_BYTES_MAX)).ok).toBe(false);
    expect(decodeTransaction(new Uint8Array(TRANSACTION_BYTES_MAX + 1))).toEqual({
      ok: false,
      error: "transaction_too_large",
    });
  });
});

test("a reference as text names transaction and index", () => {
  expect(refKey({ txId: hashOf("x"), index: 7 })).toBe(`${hashOf("x")}:7`);
});
