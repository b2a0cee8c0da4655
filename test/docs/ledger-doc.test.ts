/**
 * docs/ledger.md says what is so: states with their fields and keepers, kinds, signers and clauses of each command, and the
 * formulas of ids, tear-offs and signatures, which are computed here a second time from the page's words.
 */
import { createHash } from "node:crypto";
import { encode } from "cborg";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildTransaction,
  type CommandTag,
  clauseNames,
  encodeTransaction,
  notarySignableBytes,
  participantsOf,
  type State,
  type StateTag,
  signableBytes,
  signBatch,
  tearOff,
} from "#contracts";
import { fromHex, type Hash, hashFromBytes, hashOf, type PublicKey, seededEntropy } from "#core";
import { arbStateOf, arbTransaction, keyOf, PARAMETERS, STATE_TAGS, signerOf, VALID } from "#testkit";
import { concernedBy, isPublic } from "../../ledger-node/relevance.ts";
import { textOf } from "../architecture/checkout.ts";
import { codes, headings, listItem, section, tableRows } from "./pages.ts";

const PAGE = "docs/ledger.md";
const flows = Object.keys(VALID) as readonly CommandTag[];
const documented = headings(PAGE, 3).flatMap((heading) => /^`(.+)`$/.exec(heading)?.[1] ?? []);

function sampleOf<T extends StateTag>(tag: T): State {
  return fc.sample(arbStateOf(tag), { numRuns: 1, seed: 1 })[0] as State;
}

test("the page has each command once, and no other", () => {
  expect([...documented].sort()).toEqual([...flows].sort());
  expect(flows.length).toBeGreaterThanOrEqual(20);
});

describe("states", () => {
  const rows = tableRows(section(PAGE, "States"));

  test("each is listed once, with its fields in their order on the wire", () => {
    const said = rows.map(([tag = "", fields = ""]) => [codes(tag)[0], codes(fields)]);
    const held = STATE_TAGS.map((tag) => [tag, Object.keys(sampleOf(tag)).filter((field) => field !== "tag")]);
    const byName = (left: readonly unknown[], right: readonly unknown[]): number =>
      `${left[0]}`.localeCompare(`${right[0]}`);
    expect([...said].sort(byName)).toEqual(held.map(([tag, fields]) => [tag, fields]).sort(byName));
  });

  test.each(rows)("%s is kept by whom the page says (%s)", (tag = "", _fields = "", keepers = "") => {
    const state = sampleOf(codes(tag)[0] as StateTag);
    expect(keepers === "everybody").toBe(isPublic(state));
    if (isPublic(state)) return;
    const words = (keepers.split(";")[0] ?? "").split(", ");
    const offices: Readonly<Record<string, readonly PublicKey[]>> = {
      "grid authority": [PARAMETERS.gridAuthority],
      verifiers: PARAMETERS.verifiers,
    };
    const keys = words.flatMap((word): readonly PublicKey[] => offices[word] ?? [(state as never)[word]]);
    expect(new Set(concernedBy(state, PARAMETERS))).toEqual(new Set(keys));
    expect(participantsOf(state).length).toBe(words.filter((word) => offices[word] === undefined).length);
  });
});

describe("clauses", () => {
  const common = codes(section(PAGE, "Clauses of every transaction").split("What `consumes`")[0] ?? "");
  const exposure = codes(section(PAGE, "Exposure"));

  test.each(flows)("of %s are those that the page names", (flow) => {
    const item = listItem(section(PAGE, `\`${flow}\``), "clauses");
    const said = [...common, ...codes(item), ...(item.includes("](#exposure)") ? exposure : [])];
    expect(said).toEqual(clauseNames(VALID[flow]().resolved()));
  });
});

describe("kinds of states", () => {
  test.each(flows)("that %s may consume, cite and make are those that the page names", (flow) => {
    const page = section(PAGE, `\`${flow}\``);
    const mayTouch = (place: "consumes" | "cites" | "makes", clause: string): readonly StateTag[] =>
      STATE_TAGS.filter((tag) => !VALID[flow]()[place]("one more", sampleOf(tag)).violations().includes(clause));
    for (const [place, always] of [
      ["consumes", []],
      ["cites", ["network-parameters"]],
      ["makes", []],
    ] as const) {
      const said = [...codes(listItem(page, place)), ...always];
      expect([...said].sort(), place).toEqual([...mayTouch(place, `${place}_only_kinds_of_the_flow`)].sort());
    }
  });
});

describe("signers", () => {
  /** What the parties of the valid examples are called on the page, where their name does not say it. */
  const PARTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    join: { alice: "member", carol: "member" },
    "move-member": { alice: "member" },
    "redeem-funds": { alice: "owner" },
    "vote-standing": { verifier: "voter" },
    "grant-mandate": { alice: "principal" },
    "revoke-mandate": { alice: "principal" },
    "create-promises": { alice: "supplier" },
    "certify-claims": { alice: "supplier" },
    "contradict-certificate": { "second agency": "other agency" },
    "split-promise": { alice: "owner" },
    "merge-promises": { alice: "owner" },
    substitute: { alice: "supplier" },
    "create-auction": { alice: "seller" },
    bid: { carol: "bidder" },
    "release-margin": { carol: "owner" },
    "settle-auction": { carol: "winner", alice: "seller" },
    "place-orders": { alice: "owner" },
    "cancel-orders": { alice: "owner" },
    "report-meters": { "first meter": "operator" },
    "settle-slot": { bob: "member" },
    "correct-settlement": { alice: "member" },
    "raise-dispute": { alice: "member" },
    "vote-dispute": { verifier: "voter" },
  };
  const CAST = [
    "alice",
    "bob",
    "carol",
    "first meter",
    "marketplace",
    "grid authority",
    "power company",
    "payment provider",
    "agency",
    "second agency",
  ];
  const VERIFIERS = ["verifier", "second verifier", "third verifier"];
  const partOf = (flow: string, key: PublicKey): string => {
    const name = [...CAST, ...VERIFIERS].find((each) => keyOf(each) === key) ?? "unknown";
    return PARTS[flow]?.[name] ?? (VERIFIERS.includes(name) ? "verifiers" : name);
  };

  test.each(flows)("of %s are those that the page names", (flow) => {
    const item = listItem(section(PAGE, `\`${flow}\``), "signed by");
    const parts = new Set(
      VALID[flow]()
        .resolved()
        .content.signers.map((key) => partOf(flow, key)),
    );
    for (const part of parts) expect(item, part).toContain(part);
    // Where the page gives a choice or a condition, the example shows one case of several.
    if (/ if | or (?!delegate)/.test(item)) return;
    expect(
      item
        .replaceAll(" or delegate", "")
        .replace(/ \(.*\)/, "")
        .split(", ")
        .sort(),
    ).toEqual([...parts].sort());
  });

  test.each(flows)("'or delegate' stands where a mandate may stand in (%s)", (flow) => {
    const page = section(PAGE, `\`${flow}\``);
    expect(listItem(page, "signed by").includes("or delegate")).toBe(
      listItem(page, "cites").includes("`mandate`") && flow !== "clear-pool",
    );
  });
});

test("no node drafts what the page says none drafts, and every other command", () => {
  const drafted = [...textOf("ledger-node/flows/index.ts").matchAll(/^ {2}"?([a-z-]+)"?: draft\w+,$/gm)].map(
    ([, tag]) => tag,
  );
  expect(drafted.length).toBeGreaterThan(10);
  const notYet = flows.filter((flow) => section(PAGE, `\`${flow}\``).includes("no node drafts it yet"));
  // Many members enrol by a transaction that joins them.
  const own = drafted.filter((tag) => tag !== "enrol");
  expect([...own, ...notYet, "genesis"].sort()).toEqual([...flows].sort());
});

describe("formulas", () => {
  const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
    new Uint8Array(parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest());
  const byte = (value: number): Uint8Array => new Uint8Array([value]);
  const uint32 = (value: number): Uint8Array => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const salt = seededEntropy(1, "docs").bytes(32);
  const leafOf = (component: Uint8Array, index: number): Uint8Array =>
    sha256(byte(0x00), sha256(byte(0x01), salt, uint32(index)), component);

  test("the id and the wire form of a transaction are as written", () => {
    fc.assert(
      fc.property(arbTransaction, (content) => {
        const built = buildTransaction(content, salt);
        const counts = [content.inputs.length, content.references.length, content.outputs.length];
        const leaves = built.components.map(leafOf);
        expect(hashFromBytes(sha256(byte(0x02), uint32(1), ...counts.map(uint32), ...leaves))).toBe(built.id);
        expect(Buffer.from(encodeTransaction(built))).toEqual(Buffer.from(encode([1, salt, counts, built.components])));
      }),
      { numRuns: 20 },
    );
  });

  test("a tear-off of an output has every leaf, and that component with its nonce", () => {
    const { content } = VALID.join().resolved();
    const built = buildTransaction(content, salt);
    const torn = tearOff(built, [0]);
    const [shown] = torn.revealed;
    expect(torn.hashes).toEqual(built.components.map(leafOf));
    expect(torn.revealed.length).toBe(1);
    expect(sha256(byte(0x00), shown?.nonce ?? byte(0), shown?.component ?? byte(0))).toEqual(
      torn.hashes[shown?.position ?? -1],
    );
  });

  test("parties and the notary sign what is written", () => {
    const txId = hashOf("a transaction");
    const party = encode(["dream/transaction", "net", "ed25519", fromHex(txId)]);
    const notary = encode(["dream/notary-batch", "net", "ed25519", 5, fromHex(txId)]);
    expect(Buffer.from(signableBytes("net", txId))).toEqual(Buffer.from(party));
    expect(Buffer.from(notarySignableBytes("net", txId, 5))).toEqual(Buffer.from(notary));
  });

  test("the root of a batch of five is that of the tree as written", () => {
    const ids: readonly Hash[] = [0, 1, 2, 3, 4].map((index) => hashOf(`transaction ${index}`));
    const [a, b, c, d, e] = ids.map((id) => sha256(byte(0x10), fromHex(id))) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const parent = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(byte(0x11), left, right);
    const root = hashFromBytes(parent(parent(parent(a, b), parent(c, d)), e));
    const signer = signerOf("notary");
    expect(signBatch("net", ids, signer)[0]?.signature).toEqual(signer.sign(notarySignableBytes("net", root, 5)));
    expect(signBatch("net", ids, signer)[4]?.path).toEqual([parent(parent(a, b), parent(c, d))]);
  });
});
