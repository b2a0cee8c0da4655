/** Memory and time of a core, sampled from real processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { sampledWhile } from "./usage.ts";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** A process that says when it is up and holds so many megabytes. */
async function holding(megabytes: number, then = ""): Promise<number> {
  const script = `const held = Buffer.alloc(${megabytes} * 1024 * 1024, 1); process.stdout.write("up"); setInterval(() => held.fill(1), 1000); setTimeout(() => { ${then} }, 20)`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
  children.push(child);
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  return child.pid ?? 0;
}

test("of a process that holds 100 MB more is about so much more, and also a short run is sampled twice", async () => {
  const [small, large] = await Promise.all([holding(1), holding(101)]);
  const { result, usage } = await sampledWhile(
    [
      { pid: small, usageClass: "consumer" },
      { pid: large, usageClass: "producer" },
    ],
    async () => "done",
  );
  const [consumer, producer] = usage;
  expect(result).toBe("done");
  expect(consumer?.samples).toBe(2);
  expect(consumer?.meanBytes).toBeGreaterThan(20e6);
  const difference = (producer?.meanBytes ?? 0) - (consumer?.meanBytes ?? 0);
  expect(difference).toBeGreaterThan(90e6);
  expect(difference).toBeLessThan(130e6);
});

test("is sampled again and again while the task goes on", async () => {
  const pid = await holding(1);
  const { usage } = await sampledWhile([{ pid, usageClass: "notary" }], () => sleep(400));
  expect(usage[0]?.samples).toBeGreaterThan(2);
});

test("of a process that has ended is none: the run fails", async () => {
  const pid = await holding(1);
  const [child] = children;
  const ended = new Promise((resolve) => child?.once("exit", resolve));
  const measured = sampledWhile([{ pid, usageClass: "consumer" }], async () => {
    child?.kill("SIGKILL");
    await ended;
  });
  await expect(measured).rejects.toThrow(/a process ended while it was measured/);
});

test("of one among others that has ended is no nought", async () => {
  const [ending, staying] = await Promise.all([holding(1), holding(1)]);
  const child = children.find(({ pid }) => pid === ending);
  const ended = new Promise((resolve) => child?.once("exit", resolve));
  const processes = [ending, staying].map((pid) => ({ pid, usageClass: "consumer" as const }));
  const measured = sampledWhile(processes, async () => {
    child?.kill("SIGKILL");
    await ended;
  });
  await expect(measured).rejects.toThrow(/a process ended while it was measured/);
});

test("tells how much of a core a busy process took, and that an idle one took next to nothing", async () => {
  const [idle, busy] = await Promise.all([holding(1), holding(1, "for (;;);")]);
  const { usage } = await sampledWhile(
    [
      { pid: idle, usageClass: "consumer" },
      { pid: busy, usageClass: "producer" },
    ],
    () => sleep(800),
  );
  expect(usage[0]?.cpuSeconds).toBeLessThan(usage[1]?.cpuSeconds ?? 0);
  expect(usage[1]?.cpuSeconds).toBeGreaterThan(0);
});

test("is not sampled after a task that failed", async () => {
  const pid = await holding(1);
  const failing = sampledWhile([{ pid, usageClass: "client" }], () => Promise.reject(new Error("refused")));
  await expect(failing).rejects.toThrow("refused");
});
