/** A real browser for tests of pages: Chromium from the system, without a window and without any connection. */
import { existsSync } from "node:fs";
import type { Browser } from "playwright-core";

const SYSTEM_CHROMIUM = "/usr/bin/chromium";

/**
 * The program to start: `named` (the environment's `CHROMIUM`), else the system's.
 * Undefined without one: then say so in a line and skip the test.
 */
export function chromiumPath(named: string | undefined): string | undefined {
  return [named, SYSTEM_CHROMIUM].find((path) => path !== undefined && path !== "" && existsSync(path));
}

/** Starts the browser; whoever starts it closes it. playwright-core is loaded here only: it is for development. */
export async function launchBrowser(executablePath: string): Promise<Browser> {
  const { chromium } = await import("playwright-core");
  return chromium.launch({
    executablePath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
