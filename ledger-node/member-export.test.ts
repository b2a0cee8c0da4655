/** A member's data as a file: complete, and refused where it is altered, foreign, not proved or not the member's. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  decodeSignedTransaction,
  type ExportContent,
  type ExportedTransaction,
  encodeSignedTransaction,
  type MemberExport,
  readExport,
  writeExport,
} from "#contracts";
import { canonicalJson, encodeCbor, fromHex, hashOf, type Signer, toHex, unwrap, wattHours } from "#core";
import { openSqliteNodeStore } from "#ledger-node";
import { ServedNode, SLOT, SmallNetwork } from "#testkit";
import { importMember } from "./member-export.ts";
import { SignatureCheck } from "./signature-check.ts";

let small: SmallNetwork;
let file: string;
let alice: Signer;

beforeAll(async () => {
  small = await SmallNetwork.found();
  await small.serve("hub", "alice", "bob");
  await small.fund("alice", 5_000_000);
  await small.fund("bob", 5_000_000);
  for (const name of ["alice", "bob"])
    await small.run(name, {
      tag: "create-promises",
      commandId: `promise of ${name}`,
      promises: [{ slot: SLOT, energy: wattHours(1_500) }],
    });
  file = unwrap(small.node("alice").exportFor(small.key("alice")));
  alice = small.signer("alice");
});
afterAll(() => small.close());

function expected(name = "alice") {
  return { networkId: small.ledger.networkId, notaries: [small.key("notary")], member: small.key(name) };
}

function read(text: string): MemberExport {
  return unwrap(readExport(text, expected()));
}

/** The same file with other content, soundly chained and signed by whoever makes it up. */
function forged(change: Partial<ExportContent>, signer: Signer = alice): string {
  return writeExport({ ...read(file), ...change }, signer);
}

function ofBob(): MemberExport {
  const text = unwrap(small.node("bob").exportFor(small.key("bob")));
  return unwrap(readExport(text, expected("bob")));
}

/** The file with other lines, chained and signed anew by a dishonest exporter: alice stands for one. */
function rewritten(change: (lines: readonly string[]) => readonly string[]): string {
  const { networkId } = small.ledger;
  const made: string[] = [];
  let previous = "0".repeat(64);
  for (const line of change(file.trimEnd().split("\n").slice(0, -1))) {
    const read = JSON.parse(line) as { readonly kind: string };
    const fields = read.kind === "header" ? { ...read, exporter: alice.publicKey } : read;
    made.push(canonicalJson({ ...fields, previous }));
    previous = hashOf(made.at(-1) ?? "");
  }
  const signature = toHex(alice.sign(encodeCbor(["dream/member-export", networkId, "ed25519", fromHex(previous)])));
  return `${[...made, canonicalJson({ kind: "end", lines: made.length, previous, signature })].join("\n")}\n`;
}

const refused = (code: string) => ({ ok: false, error: code });

describe("the file", () => {
  test("has every state that the member's node holds of it, and nothing of others", () => {
    const { unspent, exporter } = read(file);
    const own = ["funds", "power-promise", "deposit", "exposure", "exposure-index", "mandate"] as const;
    const held = own.flatMap((tag) => small.node("alice").unspent(tag).map(canonicalJson)).sort();
    const listed = unspent.flatMap(({ state }) =>
      (own as readonly string[]).includes(state.tag) ? [canonicalJson(state)] : [],
    );
    expect(listed.sort()).toEqual(held);
    expect(file).not.toContain("promise of bob");
    expect(exporter).not.toBe(small.key("alice"));
    const bobs = small.node("bob").unspent("funds");
    for (const { state } of unspent) expect(bobs).not.toContainEqual(state);
  });

  test("is lines of JSON: a header, transactions, proofs, states, and an end that is signed", () => {
    const kinds = file
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { kind: string }).kind);
    expect([kinds[0], kinds.at(-1)]).toEqual(["header", "end"]);
    expect([...new Set(kinds)]).toEqual(["header", "transaction", "proof", "state", "end"]);
  });

  test("is for the member itself: nobody else is given it", async () => {
    for (const asker of ["bob", "hub", "grid-authority"])
      expect(small.node("alice").exportFor(small.key(asker)), asker).toEqual(refused("export_forbidden"));
  });

  test("keeps the commands: done ones are known after it was taken over", async () => {
    const store = openSqliteNodeStore(":memory:", "process-crash", (task) => void setImmediate(task));
    await importMember(store, read(file), new SignatureCheck(small.ledger.networkId, small.ledger.counters));
    expect(store.commandOf("promise of alice")).toEqual(
      expect.objectContaining({ digest: expect.any(String), txId: expect.any(String) }),
    );
    store.close();
  });

  test("commands that were not signed in full are left to the member: nobody's word carries them out", async () => {
    const store = openSqliteNodeStore(":memory:", "process-crash", (task) => void setImmediate(task));
    const command = { id: "planted", digest: hashOf("planted"), body: new Uint8Array([1, 2, 3]) };
    const text = forged({
      commands: [
        { ...command, stage: "begun" },
        { ...command, id: "nonsense", stage: "signed" },
      ],
    });
    const check = new SignatureCheck(small.ledger.networkId, small.ledger.counters);
    expect(await importMember(store, read(text), check)).toMatchObject({ commands: 0, commandsLeft: 2 });
    expect(store.journal()).toEqual([]);
    store.close();
  });
});

describe("a file is refused", () => {
  test.each([
    ["no lines", ""],
    ["no end of line", "{}"],
    ["no JSON", "{\n{\n"],
    ["JSON of another kind", '"text"\n"text"\n'],
    ["no kind", "{}\n{}\n"],
  ])("that is no export: %s", (_what, text) => {
    expect(readExport(text, expected())).toEqual(refused("export_malformed"));
  });

  test("of a version that is not known", () => {
    const text = file.replace('"version":1', '"version":2');
    expect(readExport(text, expected())).toEqual(refused("export_malformed"));
  });

  test("with a line of another kind, however well it is signed", () => {
    const text = rewritten((lines) => [...lines, canonicalJson({ kind: "wish" })]);
    expect(readExport(text, expected())).toEqual(refused("export_malformed"));
  });

  test("of another network", () => {
    expect(readExport(file, { ...expected(), networkId: "other" })).toEqual(refused("export_foreign"));
  });

  test("of another member", () => {
    expect(readExport(file, expected("bob"))).toEqual(refused("export_of_another"));
  });

  test("with any byte altered, a line left out, moved or added", () => {
    const lines = file.trimEnd().split("\n");
    const joined = (parts: readonly string[]): string => `${parts.join("\n")}\n`;
    for (const [index, line] of lines.entries()) {
      const at = line.lastIndexOf('":"') + 4;
      const digit = line[at] === "0" ? "1" : "0";
      const altered = lines.with(index, `${line.slice(0, at)}${digit}${line.slice(at + 1)}`);
      expect(readExport(joined(altered), expected()), `line ${index} altered`).toMatchObject({ ok: false });
      expect(readExport(joined(lines.toSpliced(index, 1)), expected()), `line ${index} left out`).toMatchObject({
        ok: false,
      });
    }
    const [header = "", first = "", second = "", ...rest] = lines;
    const swapped = joined([header, second, first, ...rest]);
    expect(readExport(swapped, expected())).toEqual(refused("export_altered"));
    expect(readExport(joined([header, first, first, second, ...rest]), expected())).toEqual(refused("export_altered"));
  });

  test("that is spoiled in whatever way, without a throw", () => {
    const arbPlace = fc.nat({ max: file.length - 1 });
    fc.assert(
      fc.property(arbPlace, arbPlace, fc.string({ maxLength: 20 }), (from, to, more) => {
        const text = `${file.slice(0, Math.min(from, to))}${more}${file.slice(Math.max(from, to) + 1)}`;
        expect(readExport(text, expected()).ok).toBe(text === file);
      }),
      { numRuns: 200 },
    );
    fc.assert(fc.property(fc.string(), (text) => !readExport(text, expected()).ok));
  });

  test("that another than the exporter has signed", () => {
    const text = file.replace(/"signature":"../, '"signature":"00');
    expect(readExport(text, expected())).toEqual(refused("export_altered"));
  });

  test("with a transaction that no notary of the network has signed", () => {
    expect(readExport(file, { ...expected(), notaries: [small.key("bob")] })).toEqual(refused("export_unproved"));
    const { transactions } = read(file);
    const unsigned = transactions.map((each): ExportedTransaction => {
      const decoded = each.form === "full" ? decodeSignedTransaction(each.bytes) : undefined;
      return decoded?.ok === true
        ? { ...each, bytes: encodeSignedTransaction({ ...decoded.value, notarySignature: null }) }
        : each;
    });
    expect(readExport(forged({ transactions: unsigned }), expected())).toEqual(refused("export_unproved"));
  });

  test("with a transaction that lacks a party's signature", () => {
    const { transactions } = read(file);
    const stripped = transactions.map((each): ExportedTransaction => {
      const decoded = each.form === "full" ? decodeSignedTransaction(each.bytes) : undefined;
      return decoded?.ok === true
        ? { ...each, bytes: encodeSignedTransaction({ ...decoded.value, signatures: [] }) }
        : each;
    });
    expect(readExport(forged({ transactions: stripped }), expected())).toEqual(refused("export_unproved"));
  });

  test("with what is no proof", () => {
    expect(readExport(forged({ proofs: [fromHex("00")] }), expected())).toEqual(refused("export_unproved"));
  });

  test("that shows another member's states, though all of it is proved", () => {
    const { transactions } = read(file);
    const more = ofBob().transactions.slice(1);
    expect(more.length).toBeGreaterThan(0);
    const text = forged({ transactions: [...transactions, ...more] });
    expect(readExport(text, expected())).toEqual(refused("export_not_concerned"));
  });

  test("whose states are not those that its transactions leave", () => {
    const text = rewritten((lines) => lines.filter((line) => !line.includes('"tag":"funds"')));
    expect(readExport(text, expected())).toEqual(refused("export_incomplete"));
  });
});

describe("over HTTP", () => {
  test("the member's own key is given the file, and no other key", async () => {
    await small.join("carol");
    const served = await ServedNode.start(small, "carol", { owners: [small.key("hub")] });
    const asked = async (name: string) => served.send(small.signer(name), "GET", "/v1/export");
    expect((await asked("carol")).status).toBe(200);
    for (const name of ["alice", "hub", "grid-authority"]) {
      const answer = await asked(name);
      expect([name, answer.status, answer.json]).toEqual([
        name,
        403,
        expect.objectContaining({ code: "request_forbidden" }),
      ]);
      expect(answer.text).not.toContain("funds");
    }
    const client = served.client(small.signer("carol"));
    const text = unwrap(await client.exported());
    expect(readExport(text, expected("carol"))).toMatchObject({ ok: true });
    await served.close();
  });
});
