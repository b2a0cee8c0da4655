/** Runs the real command, `node bin/dream`, as a user would: another process, nothing of this one's environment but the path. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

/** The repository's root. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const BIN = join(ROOT, "bin", "dream");
const BUFFER_BYTES_MAX = 64 * 1_024 * 1_024;

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
export type CommandOptions = { readonly env?: Readonly<Record<string, string>>; readonly input?: string };

/** A folder that is removed when the test file is done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dream-e2e-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** No measured data, no cache, no colour, UTC: what a test does not name is the same on every machine. */
function environment(options: CommandOptions): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  return {
    ...(PATH === undefined ? {} : { PATH }),
    HOME: "/nonexistent",
    XDG_CACHE_HOME: "/nonexistent/cache",
    TZ: "UTC",
    ...options.env,
  };
}

function requireBuild(): void {
  if (!existsSync(join(ROOT, "dist", "cli", "main.js")))
    throw new Error("dist/ is not built: run 'npm run build' first ('npm test' does)");
}

/** Runs `dream` to its end. Several may run at once: the tests of a file are concurrent where they can be. */
export function dream(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  requireBuild();
  return new Promise((resolve, reject) => {
    const settings = { cwd: ROOT, env: environment(options), maxBuffer: BUFFER_BYTES_MAX };
    const running = execFile(process.execPath, [BIN, ...args], settings, (_error, stdout, stderr) =>
      resolve({ code: running.exitCode, stdout, stderr }),
    );
    running.on("error", reject);
    running.stdin?.end(options.input ?? "");
  });
}

/** Starts `dream` and leaves it running, its output thrown away. */
export function startDream(args: readonly string[], options: CommandOptions = {}): ChildProcess {
  requireBuild();
  return spawn(process.execPath, [BIN, ...args], { cwd: ROOT, env: environment(options), stdio: "ignore" });
}
