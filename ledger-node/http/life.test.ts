/** The same client code does the same over HTTP as in process: a whole life of promises, orders and settlements. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClientCommand, DELEGABLE_FLOWS, type NodeEvent } from "#contracts";
import { microsPerKwh, type Signer, signerFromSeed, wattHours } from "#core";
import { delegateClient, type LedgerClient, ownerClient } from "#ledger-client";
import { DAY, DEADLINE_MS, ServedNode, SLOT, SLOT_END_MS, SmallNetwork, STATE_TAGS } from "#testkit";

const delegate: Signer = signerFromSeed(new Uint8Array(32).fill(7));

test("first life", async () => {
  const small = await SmallNetwork.found();
  await small.join("alice");
  await small.fund("alice", 10_000_000);
  const served = await ServedNode.start(small, "alice");
  const client = ownerClient(served.owner({ retryMs: 300, onProblem: (problem) => console.log(problem) }));
  const events: NodeEvent[] = [];
  client.listen((event) => events.push(event));
  const made = await client.submit({ tag: "create-promises", commandId: "x", promises: [{ slot: SLOT, energy: wattHours(1_000) }] });
  console.log(made);
  console.log((await served.send(small.signer("alice"),"GET","/v1/states/power-promise")).text); console.log(served.faults);
console.log(await client.states("power-promise"));
  console.log(await client.states("member"));
  await new Promise((r) => setTimeout(r, 50));
  console.log(events.length, served.faults);
  await served.close();
  small.close();
});
