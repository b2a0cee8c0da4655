/** The proxy does to messages what it says, and nothing in calm weather. The plan of the faults is that of the seed. */
import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import axios from "axios";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { invariant } from "#core";
import { Dice } from "./dice.ts";
import { plannedFaults } from "./faults.ts";
import { CALM, type WireFault, WireProxy, type WireWeather } from "./wire-proxy.ts";

let node: Server;
let proxy: WireProxy;
let url: string;
let weather: WireWeather = CALM;
const received: string[] = [];
const faults: WireFault[] = [];

function portOf(server: Server): number {
  const address = server.address();
  invariant(typeof address === "object" && address !== null, "a server that listens has a port");
  return address.port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeEach(async () => {
  weather = CALM;
  received.length = 0;
  faults.length = 0;
  node = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    received.push(`${request.method} ${request.url} ${body}`);
    response.writeHead(422, { "content-type": "text/plain" });
    response.end(`got ${body}`);
  });
  await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", () => resolve()));
  const port = await freePort();
  url = `http://127.0.0.1:${port}/peer/v1`;
  proxy = new WireProxy({
    port,
    targetPort: portOf(node),
    dice: new Dice("seed", "wire"),
    weather: () => weather,
    onFault: (fault) => faults.push(fault),
  });
  await proxy.open();
});

afterEach(async () => {
  await proxy.close();
  node.closeAllConnections();
  await new Promise((resolve) => node.close(resolve));
});

async function send(timeoutMs = 5_000): Promise<string> {
  try {
    const { status, data } = await axios.post<string>(url, "hello", { validateStatus: null, timeout: timeoutMs });
    return `${status} ${data}`;
  } catch {
    return "no answer";
  }
}

describe("the proxy", () => {
  test("passes everything in calm weather", async () => {
    expect(await send()).toBe("422 got hello");
    expect(received).toEqual(["POST /peer/v1 hello"]);
    expect(faults).toEqual([]);
  });

  test.each([
    ["lost", "no answer", 0],
    ["silent", "no answer", 0],
    ["answer lost", "no answer", 1],
    ["answer silent", "no answer", 1],
    ["delayed", "422 got hello", 1],
    ["doubled", "422 got hello", 2],
  ] as const)("%s: the sender has %s, the node received it %i times", async (fault, answer, times) => {
    weather = { ...CALM, [fault]: 1 };
    expect(await send(1_500)).toBe(answer);
    while (received.length < times) await sleep(5);
    expect(received).toHaveLength(times);
    expect(faults).toEqual([fault]);
  });

  test("sends a message again later, after it was answered", async () => {
    weather = { ...CALM, replayed: 1 };
    expect(await send()).toBe("422 got hello");
    while (received.length < 2) await sleep(5);
    expect(received).toEqual(["POST /peer/v1 hello", "POST /peer/v1 hello"]);
  });

  test("breaks off when the node is away", async () => {
    node.closeAllConnections();
    await new Promise((resolve) => node.close(resolve));
    expect(await send()).toBe("no answer");
    await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", () => resolve()));
  });
});

test("the plan has the faults that are asked for, spread by the seed", () => {
  const plan = plannedFaults("seed", 40, 4);
  const count = (tag: string): number => plan.filter(({ fault }) => fault.tag === tag).length;
  expect([count("kill"), count("kill-all"), count("pause"), count("store-full")]).toEqual([40, 4, 5, 4]);
  expect(plannedFaults("seed", 40, 4)).toEqual(plan);
  expect(plannedFaults("another", 40, 4)).not.toEqual(plan);
});
