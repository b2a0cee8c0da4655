/** One at a time for each key, in order, whatever becomes of the task before. */
import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

test("tasks of one key run one after the other; those of another key do not wait", async () => {
  const turns = new Turns();
  const log: string[] = [];
  const gates = new Map<string, () => void>();
  const task = (key: string, name: string): Promise<string> =>
    turns.take(key, async () => {
      log.push(`${name} begins`);
      await new Promise<void>((resolve) => gates.set(name, resolve));
      log.push(`${name} ends`);
      return name;
    });
  const all = [task("k", "a"), task("k", "b"), task("other", "c")];
  expect(log).toEqual(["a begins", "c begins"]);
  gates.get("a")?.();
  expect(await all[0]).toBe("a");
  await Promise.resolve();
  expect(log).toEqual(["a begins", "c begins", "a ends", "b begins"]);
  gates.get("b")?.();
  gates.get("c")?.();
  expect(await Promise.all(all)).toEqual(["a", "b", "c"]);
});

test("a task that fails fails alone", async () => {
  const turns = new Turns();
  const failed = turns.take("k", () => Promise.reject(new Error("no")));
  const next = turns.take("k", () => Promise.resolve("yes"));
  await expect(failed).rejects.toThrow("no");
  expect(await next).toBe("yes");
  expect(await turns.take("k", () => Promise.resolve("again"))).toBe("again");
});
