/** The clients of a chaos run: each tries every command with its id until the answer is definite. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientCommand, LedgerRefusal, LedgerRefusalCode, Receipt } from "#contracts";
import {
  type Entropy,
  type Hash,
  type PublicKey,
  type Result,
  type Signer,
  seededEntropy,
  signerFromSeed,
} from "#core";
import { delegateClient, type HttpEndpoint, httpEndpoint, type LedgerClient, ownerClient } from "#ledger-client";
import type { LoadClient } from "./community.ts";
import { Dice } from "./dice.ts";
import type { Load } from "./load.ts";
import type { Stage } from "./stage.ts";
import type { StageClock } from "./stage-clock.ts";

/** What a client was told of a command, in the end. */
export type Outcome = {
  readonly party: string;
  readonly as: LoadClient["as"];
  readonly command: ClientCommand;
  readonly told:
    | { readonly tag: Receipt["status"]; readonly txId: Hash }
    | { readonly tag: "refused"; readonly reason: LedgerRefusalCode };
  /** Tries whose answer did not say what became of the command. */
  readonly ambiguous: number;
};

/** The answer leaves open what became of the command: it is asked again with the same id. */
const AMBIGUOUS: readonly LedgerRefusalCode[] = [
  "node_unreachable",
  "store_full",
  "notary_outdated",
  // A proposal that was approved, and whose node has been restarted since.
  "proposal_unknown",
];
/** Refusals because somebody else was away are definite; they are tried a few times more, with the same id. */
const AWAY: readonly LedgerRefusalCode[] = ["node_unreachable", "dependency_unknown", "store_full"];
const AWAY_RETRIES_MAX = 2;
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 1_500;
const ANSWER_MS_MAX = 8_000;

export type ClientsParts = {
  readonly stage: Stage;
  readonly clock: StageClock;
  readonly seed: string;
  readonly load: Load;
};

export class Clients {
  /** In the order in which the answers became definite. */
  readonly outcomes: Outcome[] = [];
  readonly #parts: ClientsParts;
  readonly #entropy: Entropy;
  readonly #owners = new Map<string, HttpEndpoint>();
  readonly #delegates = new Map<string, HttpEndpoint>();
  /** Commands that have no definite answer yet. */
  readonly #open = new Set<ClientCommand>();
  readonly #loops: Promise<void>[] = [];
  #isStopping = false;

  constructor(parts: ClientsParts) {
    this.#parts = parts;
    this.#entropy = seededEntropy(parts.seed, `nonces ${Date.now()}`);
  }

  get openCommands(): readonly string[] {
    return [...this.#open].map(({ commandId }) => commandId);
  }

  /** The owner's client of a node. */
  owner(name: string): HttpEndpoint {
    const known = this.#owners.get(name);
    if (known !== undefined) return known;
    const made = this.#endpoint(name, this.#parts.stage.network.signer(name, "owner.key"));
    this.#owners.set(name, made);
    return made;
  }

  /** Lets the clients work, each with pauses in between, until they are stopped. */
  start(clients: readonly LoadClient[], pauseMsMax: number): void {
    for (const client of clients) this.#loops.push(this.#work(client, pauseMsMax));
  }

  /** Nothing new is begun; resolves when every command has its answer. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#loops);
  }

  close(): void {
    for (const endpoint of [...this.#owners.values(), ...this.#delegates.values()]) endpoint.close();
  }

  /** Tries a command until its answer is definite. */
  async carryOut(client: Pick<LoadClient, "party" | "as">, command: ClientCommand): Promise<Outcome> {
    this.#open.add(command);
    const { party } = client;
    let as = client.as;
    let ambiguous = 0;
    let away = 0;
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
      const answer = await this.#client(party, as).submit(command);
      const isLockedOut = as === "delegate" && ambiguous > 0 && !answer.ok && answer.error.tag === "mandate_missing";
      if (!answer.ok && (isLockedOut || AMBIGUOUS.includes(answer.error.tag))) {
        // A delegate that has lost its mandate in the meantime can't ask any more: its principal does.
        if (isLockedOut) as = "owner";
        ambiguous += 1;
      } else if (!answer.ok && isAway(answer.error) && away < AWAY_RETRIES_MAX) away += 1;
      else return this.#definite({ ...client, as }, command, answer, ambiguous);
      await sleep(pauseMs);
    }
  }

  #definite(
    { party, as }: Pick<LoadClient, "party" | "as">,
    command: ClientCommand,
    answer: Result<Receipt, LedgerRefusal>,
    ambiguous: number,
  ): Outcome {
    this.#open.delete(command);
    const told = answer.ok
      ? ({ tag: answer.value.status, txId: answer.value.txId } as const)
      : ({ tag: "refused", reason: reasonOf(answer.error) } as const);
    const outcome = { party, as, command, told, ambiguous };
    this.outcomes.push(outcome);
    return outcome;
  }

  async #work(client: LoadClient, pauseMsMax: number): Promise<void> {
    const dice = new Dice(this.#parts.seed, `client ${client.name}`);
    while (!this.#isStopping) {
      const command = this.#parts.load.next(client, dice);
      if (command !== undefined) {
        const { told } = await this.carryOut(client, command);
        if (told.tag !== "refused") this.#parts.load.done(client, command);
      }
      await sleep(dice.between(0, pauseMsMax));
    }
  }

  #client(party: string, as: LoadClient["as"]): LedgerClient {
    if (as === "owner") return ownerClient(this.owner(party));
    const signer = delegateSigner(this.#parts.seed, party);
    const known = this.#delegates.get(party);
    const endpoint = known ?? this.#endpoint(party, signer);
    this.#delegates.set(party, endpoint);
    return delegateClient(endpoint, { signer, networkId: this.#parts.stage.network.networkId });
  }

  /** One try per request: what is tried again is for `carryOut` to decide and to count. */
  #endpoint(name: string, signer: Signer): HttpEndpoint {
    const { stage, clock } = this.#parts;
    const { key, address } = stage.network.party(name);
    return httpEndpoint({
      url: address,
      party: key,
      signer,
      networkId: stage.network.networkId,
      clock,
      entropy: this.#entropy,
      after,
      timeoutMs: ANSWER_MS_MAX,
      retryMs: 0,
    });
  }
}

/** The key of a member's delegate. */
export function delegateSigner(seed: string, name: string): Signer {
  return signerFromSeed(seededEntropy(seed, `delegate ${name}`).bytes(32));
}

export function delegateKey(seed: string, name: string): PublicKey {
  return delegateSigner(seed, name).publicKey;
}

function isAway(refusal: LedgerRefusal): boolean {
  return refusal.tag === "counterparty_refused" && AWAY.includes(refusal.reason);
}

function reasonOf(refusal: LedgerRefusal): LedgerRefusalCode {
  return refusal.tag === "counterparty_refused" ? refusal.reason : refusal.tag;
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}
