/** An aggregator, or one of its bots, that acts for a member with a key or a mandate that is not this member's. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeSignedTransaction, type SignedTransaction, type State, type Transaction } from "#contracts";
import { micros, type PublicKey } from "#core";
import { delegateClient, principalClient } from "#ledger-client";
import { ServedNode, SmallNetwork } from "#testkit";
import { type Bot, botOf, keptFromNotary, mandateFor, serveBy, signedBy } from "./served-member.ts";
import { clausesIn, promising } from "./stage.ts";

let small: SmallNetwork;
let alices: Bot;
let bobs: Bot;

beforeEach(async () => {
  small = await SmallNetwork.found();
  await small.serve("hub");
  for (const name of ["alice", "bob"]) {
    await small.join(name);
    await small.fund(name, 9_000_000);
  }
  alices = await serveBy(small, "alice", "hub");
  bobs = await serveBy(small, "bob", "hub");
});
afterEach(() => small.close());

/** alice's promise, signed by all who must, before the notary has seen it. */
function promiseOfAlice(): Promise<SignedTransaction> {
  return keptFromNotary(small, () => alices.client.submit(promising("p", 2_000)));
}

async function expectRefused(attempt: Transaction, signers: readonly Bot["signer"][], clause: string): Promise<void> {
  const colluding = [...signers, small.signer("grid-authority"), small.signer("verifier")];
  const reply = await small.ask("alice", "notary", "notarise", signedBy(small, attempt, colluding));
  expect(clausesIn(reply)).toContain(clause);
}

function withSigner({ transaction: { content } }: SignedTransaction, from: PublicKey, to: PublicKey): Transaction {
  return { ...content, signers: content.signers.map((key) => (key === from ? to : key)).sort() };
}

describe("an aggregator that uses another member's key", () => {
  test("for a promise of a member: bob's bot does not sign for alice, even beside the aggregator", async () => {
    const signed = await promiseOfAlice();
    const attempt = withSigner(signed, alices.signer.publicKey, bobs.signer.publicKey);
    await expectRefused(attempt, [bobs.signer, small.signer("hub")], "promise_authorised");
  });

  test("with bob's mandate cited for alice's promise", async () => {
    const signed = await promiseOfAlice();
    const [bobsMandate] = await small.resolved("bob", "mandate");
    const [alicesMandate] = await small.resolved("alice", "mandate");
    if (bobsMandate === undefined || alicesMandate === undefined) throw new Error("both have one");
    const attempt = withSigner(signed, alices.signer.publicKey, bobs.signer.publicKey);
    const references = attempt.references.map((ref) =>
      ref.txId === alicesMandate.ref.txId && ref.index === alicesMandate.ref.index ? bobsMandate.ref : ref,
    );
    await expectRefused({ ...attempt, references }, [bobs.signer, small.signer("hub")], "promise_authorised");
  });

  test("with its own key in the place of the member's bot", async () => {
    const signed = await promiseOfAlice();
    const { content } = signed.transaction;
    const signers = content.signers.filter((key) => key !== alices.signer.publicKey);
    await expectRefused({ ...content, signers }, [small.signer("hub")], "promise_authorised");
  });

  test("to take a member's promise for another of its members", async () => {
    const signed = await promiseOfAlice();
    const { content } = signed.transaction;
    const outputs = content.outputs.map(
      (state): State => (state.tag === "power-promise" ? { ...state, owner: small.key("bob") } : state),
    );
    await expectRefused({ ...content, outputs }, [alices.signer, small.signer("hub")], "promises_of_the_supplier");
  });

  test("to move a member, or to take its money out", async () => {
    const served = { by: small.key("hub"), mandate: mandateFor(botOf("new").publicKey) };
    expect(await alices.client.submit({ tag: "move-member", commandId: "m", served })).toMatchObject({
      ok: false,
      error: { tag: "mandate_missing" },
    });
    const redeeming = { tag: "redeem-funds", commandId: "r", amount: micros(10_000) } as const;
    expect(await alices.client.submit(redeeming)).toMatchObject({ ok: false, error: { tag: "mandate_missing" } });
  });
});

describe("a bot at another member's node", () => {
  test("has nothing proposed there", async () => {
    const client = delegateClient(small.node("bob"), { signer: alices.signer, networkId: small.ledger.networkId });
    expect(await client.submit(promising("p", 2_000))).toMatchObject({ ok: false, error: { tag: "mandate_missing" } });
  });

  test("reads nothing there, and has nothing carried", async () => {
    const served = await ServedNode.start(small, "bob");
    for (const path of ["/v1/states/funds", "/v1/status", "/v1/export"])
      expect((await served.send(alices.signer, "GET", path)).status, path).toBe(403);
    const body = JSON.stringify({ transaction: "AAAA", proofs: [] });
    expect((await served.send(alices.signer, "POST", "/v1/carried", { body })).status).toBe(403);
    await served.close();
  });

  test("a member's own key has its own transactions carried by another's node, and nobody else's", async () => {
    const signed = await keptFromNotary(small, () =>
      small.submit("alice", { tag: "revoke-mandate", commandId: "revoke", mandateId: "bot" }),
    );
    const bytes = encodeSignedTransaction(signed);
    const grid = await ServedNode.start(small, "grid-authority");
    const bobAtGrid = grid.client(small.signer("bob"));
    expect(await bobAtGrid.carry(bytes, [])).toMatchObject({ ok: false, error: { tag: "mandate_missing" } });
    const aliceAtGrid = grid.client(small.signer("alice"));
    expect(await aliceAtGrid.carry(bytes, [])).toMatchObject({ ok: true });
    expect(await alices.client.submit(promising("p", 2_000))).toMatchObject({ ok: false });
    await grid.close();
  });

  test("a principal's client is not made with another key", () => {
    const options = { signer: small.signer("bob"), networkId: small.ledger.networkId };
    expect(() => principalClient(small.node("alice"), options)).toThrow("own key");
  });
});
