/**
 * A command is carried out once, however often and by whatever way it comes again: one after the other, side by side, after a
 * restart, after an answer was lost. Its id with another content is refused.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClientCommand, decodeTransaction, type PeerReply, type Proposal, signTransaction } from "#contracts";
import { type Signer, signerFromSeed, unwrap, wattHours } from "#core";
import { type Interception, NEXT_SLOT, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";

let small: SmallNetwork;
const delegate: Signer = signerFromSeed(new Uint8Array(32).fill(7));

beforeEach(async () => {
  small = await SmallNetwork.found();
  await small.join("alice");
  await small.fund("alice", 1_000_000, 1_000_000, 1_000_000);
  await small.run("alice", {
    tag: "grant-mandate",
    commandId: "mandate",
    mandateId: "agent",
    delegate: delegate.publicKey,
    flows: ["create-promises"],
    energyPerSlotMax: wattHours(20_000),
    expiresMs: SLOT_END_MS,
  });
});
afterEach(() => small.close());

/** A promise of 1 kWh, which locks 0.60. */
function promising(commandId: string, slot = SLOT): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot, energy: wattHours(1_000) }] };
}

function transactions(): number {
  return small.ledger.moneyHeld().transactions;
}

async function proposed(command: ClientCommand): Promise<Proposal> {
  const answer = unwrap(await small.node("alice").propose(command, delegate.publicKey));
  if ("status" in answer) throw new Error(`was ${answer.status}`);
  return answer;
}

function signatureOn({ transaction }: Proposal): Uint8Array {
  return signTransaction(small.ledger.networkId, unwrap(decodeTransaction(transaction)), delegate).signature;
}

/** Answers in the notary's place, after the notary has done its work or before it. */
function notaryAnswers(answer: PeerReply, when: "after" | "instead"): Interception {
  return async (_from, _to, request, next) => {
    if (request.tag !== "notarise") return next(request);
    if (when === "after") await next(request);
    return answer;
  };
}
const LOST: PeerReply = { tag: "refused", refusal: { tag: "node_unreachable" } };

describe("a repeated command", () => {
  test("answers exists, with the same transaction, and makes none", async () => {
    const first = await small.run("alice", promising("p"));
    expect(first.status).toBe("created");
    const before = transactions();
    expect(await small.run("alice", promising("p"))).toEqual({ status: "exists", txId: first.txId });
    expect(await small.run("alice", promising("p"))).toEqual({ status: "exists", txId: first.txId });
    expect(transactions()).toBe(before);
  });

  test("side by side, one is created and the others exist", async () => {
    const before = transactions();
    const results = await Promise.all([1, 2, 3, 4].map(() => small.run("alice", promising("p"))));
    expect(results.map(({ status }) => status).sort()).toEqual(["created", "exists", "exists", "exists"]);
    expect(new Set(results.map(({ txId }) => txId)).size).toBe(1);
    expect(transactions()).toBe(before + 1);
    expect(small.balance("alice")).toBe(2_400_000n);
  });

  test("exists after a restart too", async () => {
    const { txId } = await small.run("alice", promising("p"));
    await small.ledger.restart("alice");
    expect(await small.run("alice", promising("p"))).toEqual({ status: "exists", txId });
    expect(await small.node("alice").propose(promising("p"), delegate.publicKey)).toEqual({
      ok: true,
      value: { status: "exists", txId },
    });
  });

  test("that was refused may be sent again, and succeeds when the reason is gone", async () => {
    const large: ClientCommand = {
      tag: "create-promises",
      commandId: "large",
      promises: [{ slot: SLOT, energy: wattHours(10_000) }],
    };
    expect(await small.submit("alice", large)).toMatchObject({ ok: false, error: { tag: "insufficient_funds" } });
    await small.fund("alice", 3_000_000);
    expect(await small.run("alice", large)).toMatchObject({ status: "created" });
  });
});

describe("a command id with another content", () => {
  test("is refused, whether the first is done, under way or proposed", async () => {
    const other = promising("p", NEXT_SLOT);
    const reused = { ok: false, error: { tag: "command_id_reused" } };
    const [first, beside] = await Promise.all([small.submit("alice", promising("p")), small.submit("alice", other)]);
    expect([first.ok, beside]).toEqual([true, reused]);
    expect(await small.submit("alice", other)).toEqual(reused);
    expect(await small.node("alice").propose(other, delegate.publicKey)).toEqual(reused);
    await small.ledger.restart("alice");
    expect(await small.submit("alice", other)).toEqual(reused);
    await proposed(promising("q"));
    expect(await small.submit("alice", promising("q", NEXT_SLOT))).toEqual(reused);
    expect(await small.submit("alice", { ...promising("q"), tag: "end-auction", auctionId: "q" })).toEqual(reused);
  });

  test("is free again once the proposal is withdrawn", async () => {
    const { proposalId } = await proposed(promising("p"));
    await small.node("alice").withdraw(proposalId);
    expect(await small.run("alice", promising("p", NEXT_SLOT))).toMatchObject({ status: "created" });
  });
});

describe("a proposal", () => {
  test("is made once: asked again, it is the same, and so is what it has reserved", async () => {
    const [first, second] = [await proposed(promising("p")), await proposed(promising("p"))];
    expect(second).toEqual(first);
    // One coin of 1.00 is reserved; the other two are enough for three more promises of 0.60.
    for (const id of ["q", "r", "s"]) await small.run("alice", promising(id));
    expect(await small.submit("alice", promising("t"))).toMatchObject({
      error: { tag: "insufficient_funds", needed: 600_000n, available: 200_000n },
    });
  });

  test("is approved once: again, and side by side, it exists", async () => {
    const proposal = await proposed(promising("p"));
    const approve = (): Promise<unknown> =>
      small.node("alice").approve(proposal.proposalId, signatureOn(proposal)).then(unwrap);
    const txId = proposal.proposalId;
    const answers = await Promise.all([approve(), approve()]);
    expect(answers).toEqual([
      { status: "created", txId },
      { status: "exists", txId },
    ]);
    expect(await approve()).toEqual({ status: "exists", txId });
    expect(await small.run("alice", promising("p"))).toEqual({ status: "exists", txId });
  });

  test("gives way when the owner carries the command out itself", async () => {
    const proposal = await proposed(promising("p"));
    const { txId } = await small.run("alice", promising("p"));
    expect(txId).not.toBe(proposal.proposalId);
    const approved = await small.node("alice").approve(proposal.proposalId, signatureOn(proposal));
    expect(approved).toEqual({ ok: false, error: { tag: "proposal_unknown" } });
  });

  test("is not approved beside a submission of the same command", async () => {
    for (const id of ["a", "b", "c"]) {
      const proposal = await proposed(promising(id));
      const submitted = small.submit("alice", promising(id));
      const approved = small.node("alice").approve(proposal.proposalId, signatureOn(proposal));
      const before = transactions();
      const { txId } = unwrap(await submitted);
      const answer = await approved;
      if (answer.ok) expect(answer.value).toEqual({ status: "exists", txId });
      else expect(answer.error).toEqual({ tag: "proposal_unknown" });
      expect(transactions()).toBe(before + 1);
    }
  });

  test("that nobody approves within its window is dropped, and frees what it reserved", async () => {
    const abandoned = [await proposed(promising("p")), await proposed(promising("q")), await proposed(promising("r"))];
    expect(new Set(abandoned.map(({ proposalId }) => proposalId)).size).toBe(3);
    expect(await small.node("alice").propose(promising("s"), delegate.publicKey)).toMatchObject({
      error: { tag: "insufficient_funds" },
    });
    small.clock.moveTo(small.clock.nowMs() + 5 * 60_000);
    const fresh = await proposed(promising("s"));
    expect(await small.node("alice").approve(fresh.proposalId, signatureOn(fresh))).toMatchObject({ ok: true });
    for (const { proposalId } of abandoned)
      expect(await small.node("alice").approve(proposalId, new Uint8Array(64))).toMatchObject({
        error: { tag: "proposal_unknown" },
      });
  });

  test("with a wrong signature is refused and stays; the right one is taken", async () => {
    const proposal = await proposed(promising("p"));
    const wrong = await small.node("alice").approve(proposal.proposalId, new Uint8Array(64));
    expect(wrong).toEqual({ ok: false, error: { tag: "signature_invalid" } });
    const right = await small.node("alice").approve(proposal.proposalId, signatureOn(proposal));
    expect(right).toMatchObject({ ok: true, value: { status: "created" } });
  });
});

describe("an answer of the notary that is lost", () => {
  test("after the commit: a repeat finds the transaction final and makes no other", async () => {
    small.wire.intercept = notaryAnswers(LOST, "after");
    expect(await small.submit("alice", promising("p"))).toEqual({ ok: false, error: { tag: "node_unreachable" } });
    const before = transactions();
    expect(await small.submit("alice", promising("p")), "still lost").toMatchObject({ ok: false });
    small.wire.intercept = undefined;
    const { txId } = await small.run("alice", promising("p"));
    expect(transactions()).toBe(before);
    expect(await small.run("alice", promising("p"))).toEqual({ status: "exists", txId });
    expect(small.balance("alice")).toBe(2_400_000n);
    expect(small.node("grid-authority").unspent("deposit")).toHaveLength(1);
  });

  test("before the commit: a repeat commits the very same transaction", async () => {
    small.wire.intercept = notaryAnswers(LOST, "instead");
    await small.submit("alice", promising("p"));
    small.wire.intercept = undefined;
    const before = transactions();
    await small.run("alice", promising("p"));
    expect(transactions()).toBe(before + 1);
    expect(small.balance("alice")).toBe(2_400_000n);
  });

  test("before the commit, repeated after the window: the command is carried out anew", async () => {
    small.wire.intercept = notaryAnswers(LOST, "instead");
    await small.submit("alice", promising("p"));
    small.wire.intercept = undefined;
    small.clock.moveTo(small.clock.nowMs() + 5 * 60_000);
    expect(await small.run("alice", promising("p"))).toMatchObject({ status: "created" });
    expect(small.balance("alice")).toBe(2_400_000n);
  });

  test("what may be spent stays reserved until it is known", async () => {
    small.wire.intercept = notaryAnswers(LOST, "after");
    for (const id of ["p", "q", "r"]) await small.submit("alice", promising(id));
    small.wire.intercept = undefined;
    expect(await small.submit("alice", promising("s"))).toMatchObject({ error: { tag: "insufficient_funds" } });
    await small.node("alice").resume();
    expect(await small.run("alice", promising("s"))).toMatchObject({ status: "created" });
  });

  test("a node that stops before the answer concludes when it starts again, and everybody learns of it", async () => {
    small.wire.intercept = notaryAnswers(LOST, "after");
    await small.submit("alice", promising("p"));
    small.wire.intercept = undefined;
    expect(small.node("grid-authority").unspent("power-promise")).toEqual([]);
    await small.ledger.restart("alice");
    expect(small.balance("alice")).toBe(2_400_000n);
    expect(small.node("grid-authority").unspent("power-promise")).toHaveLength(1);
    expect(await small.run("alice", promising("p"))).toMatchObject({ status: "exists" });
  });

  test("a node that starts while the notary is away keeps the transaction, reserved, for the next time", async () => {
    small.wire.intercept = notaryAnswers(LOST, "after");
    for (const id of ["p", "q", "r"]) await small.submit("alice", promising(id));
    await small.ledger.restart("alice");
    expect(await small.submit("alice", promising("s"))).toMatchObject({ error: { tag: "insufficient_funds" } });
    small.wire.intercept = undefined;
    await small.ledger.restart("alice");
    expect(await small.run("alice", promising("p"))).toMatchObject({ status: "exists" });
    expect(small.balance("alice")).toBe(2_400_000n);
    // The other two named the exposure that the first had consumed: the notary never took them.
    expect(await small.run("alice", promising("q"))).toMatchObject({ status: "created" });
  });
});

test("a signer that could not be told of a final transaction is told when the node resumes", async () => {
  const unreachable = small.key("grid-authority");
  small.wire.intercept = (_from, to, request, next) =>
    request.tag === "final" && to === unreachable ? Promise.resolve(LOST) : next(request);
  expect(await small.run("alice", promising("p"))).toMatchObject({ status: "created" });
  expect(small.node("grid-authority").unspent("deposit")).toEqual([]);
  small.wire.intercept = undefined;
  await small.node("alice").resume();
  expect(small.node("grid-authority").unspent("deposit")).toHaveLength(1);
  expect(await small.run("alice", promising("p"))).toMatchObject({ status: "exists" });
});

test("a proposal that nobody approves frees what it reserved when its window is over", async () => {
  const all = small.balance("alice");
  await proposed({
    tag: "create-promises",
    commandId: "forgotten",
    promises: [{ slot: SLOT, energy: wattHours(5_000) }],
  });
  const redeem = (commandId: string): ClientCommand => ({ tag: "redeem-funds", commandId, amount: all });
  expect(await small.submit("alice", redeem("early"))).toMatchObject({ error: { tag: "insufficient_funds" } });
  small.clock.moveTo(small.clock.nowMs() + 5 * 60_000);
  expect(await small.run("alice", redeem("late"))).toMatchObject({ status: "created" });
});
