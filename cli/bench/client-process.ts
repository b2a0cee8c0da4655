/** A client process of a bench: gets a batch, opens its connections, and on the word sends everything at once. */
import type { ClientCommand } from "#contracts";
import { invariant, publicKey, unwrap } from "#core";
import { clientCommandSchema, decodeJson } from "#ledger-api";
import { type HttpEndpoint, httpEndpoint } from "#ledger-client";
import { readKeyFile } from "../network/keys.ts";
import type { Sender } from "./bench-network.ts";
import { type Answer, type FromClient, monotonicMs, type ToClient, toClientSchema } from "./client-messages.ts";

type Ready = { readonly id: number; readonly endpoint: HttpEndpoint; readonly command: ClientCommand };

/** Answers are waited for, however long they take. */
const ANSWER_MS_MAX = 300_000;

/** Serves until the parent closes the channel. */
export async function runClientProcess(): Promise<void> {
  invariant(process.send !== undefined, "a client process is started by a bench");
  const endpoints = new Map<string, HttpEndpoint>();
  let batch: readonly Ready[] = [];
  process.on("message", (message: unknown) => {
    void answer(toClientSchema.parse(message));
  });
  const answer = async (message: ToClient): Promise<void> => {
    if (message.tag === "batch") {
      batch = await readyBatch(message, endpoints);
      tell({ tag: "ready" });
    } else tell({ tag: "done", answers: await Promise.all(batch.map(carryOut)) });
  };
  tell({ tag: "up" });
  await new Promise<void>((resolve) => process.once("disconnect", () => resolve()));
  for (const endpoint of endpoints.values()) endpoint.close();
}

function tell(message: FromClient): void {
  process.send?.(message);
}

/** A connection to each node is open before the clock runs, as with clients that have been there for a while. */
async function readyBatch(
  { senders, requests }: Extract<ToClient, { tag: "batch" }>,
  endpoints: Map<string, HttpEndpoint>,
): Promise<readonly Ready[]> {
  const open = senders.map((sender) => {
    const endpoint = endpoints.get(sender.url) ?? endpointOf(sender);
    endpoints.set(sender.url, endpoint);
    return endpoint;
  });
  await Promise.all(open.map((endpoint) => endpoint.status()));
  return requests.map(({ id, sender, command }): Ready => {
    const endpoint = open[sender];
    invariant(endpoint !== undefined, "each request names one of the senders");
    return { id, endpoint, command: unwrap(decodeJson(clientCommandSchema, command)) };
  });
}

function endpointOf({ url, party, networkId, keyFile }: Sender): HttpEndpoint {
  const signer = unwrap(readKeyFile(keyFile));
  const times = { timeoutMs: ANSWER_MS_MAX, retryMs: ANSWER_MS_MAX };
  return httpEndpoint({ url, party: publicKey(party), signer, networkId, ...times });
}

async function carryOut({ id, endpoint, command }: Ready): Promise<Answer> {
  const sentMs = monotonicMs();
  const result = await endpoint.submit(command);
  return { id, sentMs, answeredMs: monotonicMs(), refusal: result.ok ? null : refusalOf(result.error) };
}

function refusalOf(refusal: { readonly tag: string; readonly reason?: string }): string {
  return refusal.reason === undefined ? refusal.tag : `${refusal.tag}/${refusal.reason}`;
}
