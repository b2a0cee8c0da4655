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
      meterOperators: [key(8)],
      meterQuorum: 1,
      meterTolerance: 9n,
      correctionMs: 700_000,
      surplusPrice: 20_000n,
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
      storage: { capacity: 6n, powerPerSlot: 7n, efficiencyPerMille: 8 },
      servedBy: key(9),
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
      claims: { source: "wind", renewable: true, origin: "Ærø", gramsCo2PerKwh: 12, certifiedBy: key(3) },
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
      claims: null,
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
      requires: {
        source: "solar",
        renewable: true,
        origin: "north",
        gramsCo2PerKwhMax: 6,
        contradictedPerMilleMax: 7,
      },
    },
    exposure: {
      tag: "exposure",
      member: key(1),
      day,
      entries: [{ slot, promised: 1n, bought: 2n, bidding: 3n }],
      settled: [slot],
    },
    "exposure-index": { tag: "exposure-index", member: key(1), openedDays: [day] },
    tariff: { tag: "tariff", day, slots: [slot], feedIn: [-1n], retail: [2n] },
    "meter-reading": {
      tag: "meter-reading",
      member: key(1),
      slot,
      produced: 1n,
      consumed: 2n,
      revision: 3,
      agreed: [key(4)],
      disagreed: [key(5)],
    },
    "delivery-record": {
      tag: "delivery-record",
      supplier: key(1),
      slot,
      promised: 1n,
      delivered: 2n,
      depositLost: 3n,
      gridFee: 4n,
      unsold: 5n,
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
      surplusAmount: 8n,
      revision: 9,
      promised: 10n,
      delivered: 11n,
      unsold: 12n,
      bought: 13n,
      depositLost: 14n,
      gridFee: 15n,
      deliveredFirst: 16n,
      keptFirst: 17n,
    },
    mandate: {
      tag: "mandate",
      mandateId: "m",
      principal: key(1),
      delegate: key(2),
      flows: ["bid", "place-orders"],
      strategies: ["producer"],
      energyPerSlotMax: 1n,
      energyPerDayMax: 3n,
      bidPriceMax: 4n,
      expiresMs: 2,
    },
    curtailment: { tag: "curtailment", slot, cap: 1n, promised: 2n, unsold: 3n, cut: 4n },
    margin: { tag: "margin", owner: key(1), day, amount: 2n },
    certificate: {
      tag: "certificate",
      agency: key(1),
      supplier: key(2),
      slot,
      energy: 3n,
      claims: { source: null, renewable: false, origin: null, gramsCo2PerKwh: null, certifiedBy: key(1) },
      contradiction: { by: key(4), evidence: hashOf("evidence") },
    },
    "agency-record": { tag: "agency-record", agency: key(1), certified: 2n, contradicted: 1n },
    "meter-report": {
      tag: "meter-report",
      operator: key(1),
      member: key(2),
      slot,
      produced: 3n,
      consumed: 4n,
      revision: 5,
    },
    dispute: {
      tag: "dispute",
      disputeId: "d",
      member: key(1),
      slot,
      raisedBy: key(2),
      evidence: hashOf("evidence"),
      produced: 3n,
      consumed: 4n,
    },
    "dispute-vote": { tag: "dispute-vote", disputeId: "d", voter: key(1), produced: 2n, consumed: 3n },
    redemption: {
      tag: "redemption",
      redemptionId: "r",
      owner: key(1),
      provider: key(2),
      amount: 10_000n,
      account: "main",
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
    ["network-parameters", "8079dfdd05c4f489ae9950b3cd4c08ce107614f92a0b23473c12c6afa8e7cf7f"],
    ["member", "69c63ae1ae285934a357dcb8186a4b1fa0f315c4323a856bf5ad179256bb9b32"],
    ["funds", "3921b247b104cdc9b4f3bb401d6312a13e5c167a2128199e9f6b19aaae1b7b7e"],
    ["power-promise", "6975972f3016787b16c046f38febfceda131fa91f1a766922d60dfdc1d4841b6"],
    ["deposit", "6e3d6fcde0573b033f646877923f30eb28447dea613fccff659418d90c4fecc8"],
    ["auction", "27623f5b040a08a52cfd25eee83db5983b3b69f62367a0f6f341c424c0fe33f4"],
    ["bid", "9da94989de81f52320d579408efbe0e284183d4652ea5e42b3cc306b2fe4f82f"],
    ["pool-order", "70bffe86cde125265f6ddb198bfb15435f43d9aa98d3a745dab87c38e7979ed5"],
    ["exposure", "b4ed74d7d4b1d59dd6c1aa8e443c407722bd98db17b6fc86ebd083194a1854b2"],
    ["exposure-index", "22f9641500b5c2471fd8c8c0ccc6d340dba1c05e22f7e114ac3b0da3d19b34f2"],
    ["tariff", "8233213cb5722cc893a1fc0f90e4089c2e054ecdc8ceb29c860dd54ccb330270"],
    ["meter-reading", "11089aabd47072bf6b50190793b338303ef5831060d069711dd371d3c35ac883"],
    ["delivery-record", "dd122309a0024cb462d6f6608784067809401efb63b158d6705347470830c496"],
    ["slot-settlement", "f28503878724b5919ca08e4fecf491e3be8c8d6a1e5b0d6ff44e104aaa1cddaa"],
    ["mandate", "36eb455e7b0bf8648942567553fa1489184af068132380a088d6f366aaa07053"],
    ["standing-vote", "937ae2c53099d48251d099cae22727524f8a0922c05c11ea4ef8dbfd05312511"],
    ["curtailment", "7ff1799d07d54eb9133ff5f967d68022c6da3b3df4884666c5042f689fc436f9"],
    ["margin", "ff45c006a2f3de30faf1fd5a5ea8b98ca99ab7d3b2bb6a067f78eb75bc62b46a"],
    ["certificate", "ad4756f7b98887197adc5da6a85a56fbc1f07bd253f4b8dd9f124c1c8a2623c2"],
    ["agency-record", "e66129323e46b2544bdf13fb053537ec489dcd9fad56caa1312d410bf1f8199b"],
    ["meter-report", "d4e49c6827246a32808796a4b554d80d641f6e7d5be03979e128c8ab6e609d30"],
    ["dispute", "6298c6c174a62b94dfc990688f866c61b9bfbea93ad8aeaa62be25c000faa14f"],
    ["dispute-vote", "afaa334d8d75b9ba4ccdc86c5d733469291090c517caa71ae8f7acdd763325c4"],
    ["redemption", "955e7b83cc1dea7ff5f6de3980b708c40a876960095a17e38f6538ba487698d3"],
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
    expect(wire.id).toBe("349b37ceb6e39f9a81f7d3a666e47629ea6fbba6b1d56ab8193f9994c54de4b7");
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
