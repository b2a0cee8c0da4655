/**
 * A notary whose log was restored from an old backup. It would sign a second spending of every state that was spent since, so it
 * must not serve: its witnesses show it what it has signed. Then what is lost is taken back from the nodes' stores.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  buildTransaction,
  type ClientCommand,
  decodeSignedTransaction,
  encodeSignedTransaction,
  HEADS_MAX,
  type Head,
  type PeerReply,
  type PeerRequest,
  type SignedTransaction,
  signBatch,
  signTransaction,
  type Transaction,
} from "#contracts";
import {
  fromHex,
  type Hash,
  hashFromBytes,
  hashOf,
  micros,
  type PublicKey,
  seededEntropy,
  signerFromSeed,
  unwrap,
  wattHours,
} from "#core";
import { keyOf, PARAMETERS, SLOT, SLOT_START_MS, SmallNetwork, signerOf } from "#testkit";
import { auditFolder } from "./audit.ts";
import { COMMIT_LOG_FILE } from "./audit-sources.ts";
import { Notary } from "./notary.ts";
import { Witnesses, witnessRuleOf } from "./notary-witnesses.ts";
import { openSqliteCommitLog } from "./stores/sqlite-commit-log.ts";

const root = mkdtempSync(join(tmpdir(), "dream-restored-"));
afterAll(() => rmSync(root, { recursive: true }));

let small: SmallNetwork;
let folder: string;
let runs = 0;
const open: (() => unknown)[] = [];

beforeEach(async () => {
  runs += 1;
  folder = join(root, `${runs}`, "ledger");
  mkdirSync(folder, { recursive: true });
  small = await SmallNetwork.found({ folder });
  for (const name of ["alice", "bob"]) {
    await small.join(name);
    await small.fund(name, 5_000_000);
  }
});
afterEach(() => {
  for (const close of open.splice(0)) close();
  small.close();
});

/** A copy of the notary's log as it is now, made while the notary runs. */
async function backedUp(): Promise<string> {
  const copy = join(root, `${runs}`, "backup.sqlite");
  await copyOf(join(folder, COMMIT_LOG_FILE), copy);
  return copy;
}

/** A notary over a log, not started. */
function notaryOver(file: string): Notary {
  const log = openSqliteCommitLog(file);
  open.push(() => log.close());
  return new Notary({
    networkId: small.ledger.networkId,
    signer: small.signer("notary"),
    clock: small.clock,
    log,
    counters: { signatures: 0, verifications: 0 },
    defer: (task) => void setImmediate(task),
  });
}

type Ask = (to: PublicKey, request: PeerRequest) => Promise<PeerReply>;
const askNodes: Ask = (to, request) => small.wire.transport.request(small.ledger.notaryKey, to, request);
const rule = () => witnessRuleOf(small.node("verifier").unspent("network-parameters")[0] ?? PARAMETERS);

/** Asks once, and gives up where that is not enough. */
async function started(notary: Notary, ask: Ask = askNodes): Promise<string> {
  return notary.start({ ask, rule: rule(), pause: () => Promise.resolve(false) });
}

/** From here on the nodes' transactions go to this notary. */
function takesOver(notary: Notary): void {
  small.wire.intercept = async (_from, _to, request, next) => {
    if (request.tag !== "notarise") return next(request);
    const verdict = await notary.notarise(request.transaction);
    return verdict.ok ? { tag: "notarised", signature: verdict.value } : { tag: "refused", refusal: verdict.error };
  };
}

async function verdictOn(notary: Notary, bytes: Uint8Array): Promise<string> {
  const verdict = await notary.notarise(bytes);
  return verdict.ok ? "signed" : verdict.error.tag;
}

function promising(commandId: string): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot: SLOT, energy: wattHours(1_000) }] };
}

function committed(): readonly Uint8Array[] {
  return [...small.commitLog.scan()].map(({ bytes }) => new Uint8Array(bytes));
}

async function copyOf(file: string, copy: string): Promise<void> {
  const database = new Database(file, { readonly: true });
  await database.backup(copy);
  database.close();
}

/** All whole transactions in the stores of the named nodes. */
function keptBy(...names: readonly string[]): readonly Uint8Array[] {
  return names.flatMap((name) => {
    const database = new Database(join(folder, `${name}.sqlite`), { readonly: true });
    const rows = database.prepare<[], { bytes: Buffer }>("SELECT bytes FROM transactions WHERE kind = 'full'").all();
    database.close();
    return rows.map(({ bytes }) => new Uint8Array(bytes));
  });
}

const EVERYBODY = ["grid-authority", "power-company", "payment-provider", "marketplace", "verifier", "alice", "bob"];

describe("a notary that lost nothing", () => {
  test("serves as soon as the grid authority, the payment provider and the verifier have answered", async () => {
    const notary = notaryOver(await backedUp());
    const asked: PublicKey[] = [];
    const ask: Ask = (to, request) => {
      asked.push(to);
      return askNodes(to, request);
    };
    expect(await started(notary, ask)).toBe("serving");
    expect(new Set(asked)).toEqual(
      new Set(["grid-authority", "payment-provider", "verifier"].map((name) => small.key(name))),
    );
    takesOver(notary);
    expect(await small.run("alice", promising("p"))).toMatchObject({ status: "created" });
  });

  test("accepts nothing while they have not, and says nothing of what it is asked; then it does", async () => {
    const notary = notaryOver(await backedUp());
    takesOver(notary);
    let isUp = false;
    const gridAuthority = small.key("grid-authority");
    const ask: Ask = (to, request) =>
      to === gridAuthority && !isUp
        ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } })
        : askNodes(to, request);
    const verdicts: unknown[] = [];
    const pause = async (): Promise<boolean> => {
      verdicts.push(notary.standing, await small.submit("alice", promising("p")));
      isUp = true;
      return true;
    };
    expect(await notary.start({ ask, rule: rule(), pause })).toBe("serving");
    expect(verdicts).toEqual(["asking", { ok: false, error: { tag: "node_unreachable" } }]);
    expect(await small.run("alice", promising("p"))).toMatchObject({ status: "created" });
  });

  test("is not stopped by a witness that claims what the notary has not signed", async () => {
    const notary = notaryOver(await backedUp());
    const txId = hashOf("never final");
    const forged = (signer: string, networkId: string): Head => {
      const by = signer === "notary" ? small.signer("notary") : signerOf(signer);
      const [signature] = signBatch(networkId, [txId], by);
      if (signature === undefined) throw new Error("one id, one signature");
      return { txId, notarySignature: signature };
    };
    const heads = [
      forged("mallory", small.ledger.networkId),
      {
        txId,
        notarySignature: { ...forged("mallory", small.ledger.networkId).notarySignature, by: small.key("notary") },
      },
      forged("notary", "another network"),
      { ...forged("notary", small.ledger.networkId), txId: hashOf("another") },
    ];
    expect(await started(notary, () => Promise.resolve({ tag: "heads", heads, next: null }))).toBe("serving");
    const real = [forged("notary", small.ledger.networkId)];
    expect(await started(notary, () => Promise.resolve({ tag: "heads", heads: real, next: null }))).toBe("outdated");
  });

  test.each<[string, (before: number | null) => PeerReply]>([
    ["never ends", (before) => ({ tag: "heads", heads: [], next: (before ?? 1e9) - 1 })],
    ["goes round", () => ({ tag: "heads", heads: [], next: 7 })],
    ["says something else", () => ({ tag: "stored" })],
  ])("is not held up by a witness that %s", async (name, answer) => {
    const notary = notaryOver(await backedUp());
    let pages = 0;
    const liar = small.key("verifier");
    const standing = await started(notary, async (to, request) => {
      if (to !== liar || request.tag !== "heads") return askNodes(to, request);
      pages += 1;
      return answer(request.before);
    });
    expect(standing).toBe(name === "never ends" ? "serving" : "asking");
    expect(pages).toBeLessThan(10);
  });
});

describe("a notary that was restored from an old backup", () => {
  /** A promise of alice after the backup; and alice's attempt to spend the same funds once more. */
  async function restored(): Promise<{
    readonly notary: Notary;
    readonly file: string;
    readonly theft: SignedTransaction;
  }> {
    const file = await backedUp();
    const [funds] = await small.resolved("alice", "funds");
    const [parameters] = await small.resolved("alice", "network-parameters");
    if (funds === undefined || parameters === undefined) throw new Error("alice has funds");
    await small.run("alice", promising("p"));
    await small.run("bob", promising("q"));
    await small.fund("bob", 1_000_000);
    const theft = small.craft(
      {
        inputs: [funds.ref],
        references: [parameters.ref],
        outputs: [
          {
            tag: "redemption",
            redemptionId: "theft",
            owner: small.key("alice"),
            provider: small.key("payment-provider"),
            amount: funds.state.tag === "funds" ? funds.state.amount : micros(0),
            account: "main",
          },
        ],
        command: { tag: "redeem-funds" },
        signers: [small.key("alice"), small.key("payment-provider")],
        notary: small.key("notary"),
        window: { fromMs: null, untilMs: null },
      },
      "alice",
      "payment-provider",
    );
    return { notary: notaryOver(file), file, theft };
  }

  test("would sign a second spending, if it served without asking: that is what the witnesses are for", async () => {
    const { notary, theft } = await restored();
    expect((await small.ask("alice", "notary", "notarise", theft)).tag).toBe("refused");
    expect(await verdictOn(notary, encodeSignedTransaction(theft))).toBe("signed");
  });

  test("is found out, and refuses everything: double spends, new transactions, repeats of what it has", async () => {
    const { notary, theft } = await restored();
    expect(await started(notary)).toBe("outdated");
    takesOver(notary);
    const asked = [encodeSignedTransaction(theft), ...committed()];
    for (const bytes of asked) expect(await verdictOn(notary, bytes)).toBe("notary_outdated");
    expect(await small.submit("alice", promising("new"))).toEqual({ ok: false, error: { tag: "notary_outdated" } });
  });

  test.each([
    ["grid authority", "grid-authority"],
    ["payment provider", "payment-provider"],
    ["verifier", "verifier"],
  ])("is found out by the %s alone", async (_name, witness) => {
    const { notary } = await restored();
    const key = small.key(witness);
    const silent: PeerReply = { tag: "heads", heads: [], next: null };
    expect(await started(notary, (to, request) => (to === key ? askNodes(to, request) : Promise.resolve(silent)))).toBe(
      "outdated",
    );
  });

  test("recovers from the nodes' stores, serves again, and knows all that it had made final", async () => {
    const { notary, file, theft } = await restored();
    await started(notary);
    takesOver(notary);
    const waiting = await small.submit("bob", promising("while outdated"));
    expect(waiting).toEqual({ ok: false, error: { tag: "notary_outdated" } });
    // In any order, several times over, with what has nothing to do with it.
    const handed = [...keptBy(...EVERYBODY)].reverse();
    const report = await notary.recover([new Uint8Array(9), ...handed, ...handed.slice(0, 3)]);
    expect(report).toMatchObject({ refused: [] });
    expect(report.appended).toHaveLength(3);
    expect(report.known).toBe(committed().length - 3);
    expect(await started(notary)).toBe("serving");
    for (const bytes of committed()) expect(await verdictOn(notary, bytes)).toBe("signed");
    expect(await verdictOn(notary, encodeSignedTransaction(theft))).toBe("state_conflict");
    expect(notary.totals()).toEqual(small.ledger.moneyHeld());
    expect(await small.run("bob", promising("while outdated")), "the command that waited").toMatchObject({
      txId: expect.any(String),
    });
    expect(await notary.recover(handed), "and there is nothing left to recover").toMatchObject({
      appended: [],
      refused: [],
    });
    // As if the repaired log had been put in place of the lost one.
    const repaired = join(root, `${runs}`, "repaired", "ledger");
    mkdirSync(repaired, { recursive: true });
    for (const store of [...readdirSync(folder)].filter((each) => each.endsWith(".sqlite") && each !== COMMIT_LOG_FILE))
      await copyOf(join(folder, store), join(repaired, store));
    await copyOf(file, join(repaired, COMMIT_LOG_FILE));
    expect(unwrap(auditFolder(repaired)).violations).toEqual([]);
  });

  test("takes back only what it has signed itself, and what holds all rules", async () => {
    const { notary, theft } = await restored();
    await started(notary);
    const lost = keptBy("alice")
      .map((bytes) => unwrap(decodeSignedTransaction(bytes)))
      .at(-1) as SignedTransaction;
    const [foreign] = signBatch(small.ledger.networkId, [theft.transaction.id], signerOf("other notary"));
    const [elsewhere] = signBatch("another network", [theft.transaction.id], small.signer("notary"));
    const unsigned = lost.signatures.slice(1);
    const bad = [
      [theft, "signature_missing"],
      [{ ...theft, notarySignature: foreign ?? null }, "signature_missing"],
      [{ ...theft, notarySignature: elsewhere ?? null }, "signature_invalid"],
      [{ ...lost, signatures: unsigned }, "signature_missing"],
    ] as const;
    for (const [signed, reason] of bad)
      expect(await notary.recover([encodeSignedTransaction(signed)])).toEqual({
        appended: [],
        known: 0,
        refused: [{ txId: signed.transaction.id, reason }],
      });
    expect(await notary.recover([encodeSignedTransaction(lost)])).toMatchObject({ refused: [] });
    expect(await started(notary), "the rest is still lost").toBe("outdated");
  });

  test("whose successor of a lost transaction is handed over without it: that one is refused, and it stays outdated", async () => {
    const { notary } = await restored();
    await small.run("alice", promising("on top of the lost one"));
    await started(notary);
    const whole = keptBy("alice");
    const last = whole.at(-1) ?? new Uint8Array();
    const { id } = unwrap(decodeSignedTransaction(last)).transaction;
    expect(await notary.recover([last])).toEqual({
      appended: [],
      known: 0,
      refused: [{ txId: id, reason: "dependency_unknown" }],
    });
    expect(await started(notary)).toBe("outdated");
    expect((await notary.recover(keptBy(...EVERYBODY))).refused).toEqual([]);
    expect(await started(notary)).toBe("serving");
  });

  test("recovers what is long out of its window, at an instant within it", async () => {
    const { notary, file } = await restored();
    small.clock.moveTo(SLOT_START_MS + 86_400_000);
    await started(notary);
    expect((await notary.recover(keptBy(...EVERYBODY))).refused).toEqual([]);
    const log = openSqliteCommitLog(file);
    for (const { atMs, bytes } of log.scan()) {
      const { window } = unwrap(decodeSignedTransaction(new Uint8Array(bytes))).transaction.content;
      expect(atMs).toBeLessThan(window.untilMs ?? Number.POSITIVE_INFINITY);
    }
    await log.close();
  });
});

describe("what only one member signed", () => {
  const granting: ClientCommand = {
    tag: "grant-mandate",
    commandId: "grant",
    mandateId: "m",
    delegate: keyOf("agent of alice"),
    flows: ["create-promises"],
    energyPerSlotMax: wattHours(2_000),
    expiresMs: SLOT_START_MS,
  };

  test("a revoked mandate that the notary forgot: found out when the agent acts, before anything is signed", async () => {
    await small.run("alice", granting);
    const file = await backedUp();
    const [mandate] = await small.resolved("alice", "mandate");
    const [parameters] = await small.resolved("alice", "network-parameters");
    if (mandate === undefined || parameters === undefined) throw new Error("alice has a mandate");
    await small.run("alice", { tag: "revoke-mandate", commandId: "revoke", mandateId: "m" });
    const notary = notaryOver(file);
    expect(await started(notary), "no witness of the rule has seen it").toBe("serving");
    // Signed by the agent's key alone: that cites the mandate, and that it breaks a clause is found later than this.
    const agent = signerOf("agent of alice");
    const content: Transaction = {
      inputs: [],
      references: [parameters.ref, mandate.ref],
      outputs: [{ tag: "funds", owner: small.key("alice"), amount: micros(1) }],
      command: { tag: "create-promises", supplier: small.key("alice") },
      signers: [keyOf("agent of alice")],
      notary: small.key("notary"),
      window: { fromMs: null, untilMs: null },
    };
    const transaction = buildTransaction(content, seededEntropy("stolen", "salt").bytes(32));
    const signatures = [signTransaction(small.ledger.networkId, transaction, agent)];
    const stolen: SignedTransaction = { transaction, signatures, notarySignature: null };
    expect(await verdictOn(notary, encodeSignedTransaction(stolen))).toBe("notary_outdated");
    expect(await verdictOn(notary, committed()[0] ?? new Uint8Array())).toBe("notary_outdated");
  });

  test("a member that can't be asked can't act: nothing is known of its transaction, and others go on", async () => {
    const notary = notaryOver(await backedUp());
    const alice = small.key("alice");
    let isUp = false;
    const ask: Ask = (to, request) =>
      to === alice && !isUp
        ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } })
        : askNodes(to, request);
    expect(await started(notary, ask)).toBe("serving");
    takesOver(notary);
    expect(await small.submit("alice", granting)).toEqual({ ok: false, error: { tag: "node_unreachable" } });
    expect(await small.run("bob", promising("p"))).toMatchObject({ status: "created" });
    isUp = true;
    expect(await small.run("alice", granting)).toMatchObject({ txId: expect.any(String) });
  });
});

describe("heads", () => {
  test("are shown to notaries of the network, and to nobody else", async () => {
    const request: PeerRequest = { tag: "heads", notary: small.key("notary"), before: null, limit: 10 };
    for (const name of ["bob", "grid-authority", "verifier"])
      expect(await small.send(name, "alice", request)).toEqual({
        tag: "refused",
        refusal: { tag: "role_not_allowed" },
      });
    expect(await small.send("notary", "alice", request)).toMatchObject({ tag: "heads" });
    for (const limit of [0, -1, HEADS_MAX + 1, 0.5])
      expect(await small.send("notary", "alice", { ...request, limit })).toMatchObject({ tag: "refused" });
    expect(await small.send("notary", "alice", { ...request, before: -1 })).toMatchObject({ tag: "refused" });
  });

  test.each([1, 2, 3, 5, 100])(
    "in pages of %i name all that the node keeps, newest first, each once",
    async (limit) => {
      await small.run("alice", promising("p"));
      const stored = new Database(join(folder, "alice.sqlite"), { readonly: true });
      const rows = stored.prepare<[], { id: Buffer }>("SELECT id FROM transactions ORDER BY sequence DESC").all();
      stored.close();
      const shown: Hash[] = [];
      let before: number | null = null;
      do {
        const reply: PeerReply = await small.send("notary", "alice", {
          tag: "heads",
          notary: small.key("notary"),
          before,
          limit,
        });
        if (reply.tag !== "heads") throw new Error(`answered ${reply.tag}`);
        expect(reply.heads.length).toBeLessThanOrEqual(limit);
        shown.push(...reply.heads.map(({ txId }) => txId));
        before = reply.next;
      } while (before !== null);
      expect(shown).toEqual(rows.map(({ id }) => hashFromBytes(id)));
      expect(shown.length).toBeGreaterThan(3);
    },
  );

  test("of another notary there are none", async () => {
    const reply = await small.send("notary", "alice", {
      tag: "heads",
      notary: keyOf("other"),
      before: null,
      limit: 10,
    });
    expect(reply).toEqual({ tag: "heads", heads: [], next: null });
  });
});

describe("the rule", () => {
  const keys = Array.from({ length: 7 }, (_, index) => keyOf(`verifier ${index}`));

  test("law: whichever k of n verifiers signed, one of those who had to answer is among them", async () => {
    const arbNetwork = fc.integer({ min: 1, max: 7 }).chain((n) =>
      fc.record({
        n: fc.constant(n),
        k: fc.integer({ min: 1, max: n }),
        order: fc.shuffledSubarray(keys.slice(0, n), { minLength: n }),
        answering: fc.subarray(keys.slice(0, n)),
      }),
    );
    await fc.assert(
      fc.asyncProperty(arbNetwork, async ({ n, k, order, answering }) => {
        const signed = new Set(order.slice(0, k));
        const lost: Head = {
          txId: hashOf("lost"),
          notarySignature: signBatch("n", [hashOf("lost")], signerOf("notary"))[0] as Head["notarySignature"],
        };
        const verifiers = keys.slice(0, n);
        const witnesses = new Witnesses({
          notary: keyOf("notary"),
          rule: witnessRuleOf({ ...PARAMETERS, verifiers, verifierQuorum: k }),
          isCommitted: () => Promise.resolve(false),
          isSigned: () => true,
          ask: (to) => {
            if (!verifiers.includes(to)) return Promise.resolve({ tag: "heads", heads: [], next: null });
            if (!answering.includes(to))
              return Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } });
            return Promise.resolve({ tag: "heads", heads: signed.has(to) ? [lost] : [], next: null });
          },
        });
        await witnesses.askAll();
        expect(witnesses.isCovered).toBe(answering.length >= n - k + 1);
        if (witnesses.isCovered) expect(witnesses.lost).toBe(lost.txId);
      }),
      { numRuns: 200 },
    );
  });
});

test("beside the database stands nothing secret: a backup of the folder gives no key away", () => {
  const seed = seededEntropy("small network", "ledger").bytes(32);
  expect(signerFromSeed(seed).publicKey, "this is what must not be found").toBe(small.key("notary"));
  const files = readdirSync(folder);
  expect(files.filter((file) => !/\.sqlite(-wal|-shm)?$/.test(file))).toEqual([]);
  const stored = Buffer.concat(files.map((file) => readFileSync(join(folder, file))));
  expect(stored.includes(Buffer.from(fromHex(small.key("notary"))))).toBe(true);
  expect(stored.includes(Buffer.from(seed))).toBe(false);
});
