/** A server that is closed ends, also where clients would keep their connections. */
import { Agent, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createHttpApp } from "./app.ts";

test("a connection on which a request was in hand is not kept open for a next one", async () => {
  const app = createHttpApp({ onFault: () => undefined });
  let begun = (): void => undefined;
  let finish = (): void => undefined;
  const isBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const isFinished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  app.get("/slow", async () => {
    begun();
    await isFinished;
    return "done";
  });
  const listening: Promise<string> = app.listen({ host: "127.0.0.1", port: 0 });
  const url = await listening;
  const agent = new Agent({ keepAlive: true });
  const answered = new Promise<string>((resolve, reject) => {
    const request = get(`${url}/slow`, { agent }, async (response) => {
      let text = "";
      for await (const chunk of response) text += String(chunk);
      resolve(text);
    });
    request.once("error", reject);
  });
  await isBegun;
  const closed = app.close();
  while (app.server.listening) await sleep(5);
  finish();
  expect(await answered).toBe("done");
  // Before the mend this took as long as an idle connection may: longer than a test may.
  await closed;
  expect(app.server.listening).toBe(false);
  agent.destroy();
});
