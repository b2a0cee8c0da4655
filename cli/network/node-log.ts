/** The log of a node: JSON lines in a file, without secrets whatever is logged. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { destination, type Logger, pino } from "pino";

/** Names under which a secret could come into an object that is logged, at the top and one or two levels down. */
const SECRETS = ["seed", "privateKey", "secret", "password", "authorization", "cookie", "signer"];
const PATHS: readonly string[] = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

export type NodeLog = { readonly logger: Logger; readonly close: () => void };

export function openNodeLog(file: string, level: string, name: string): NodeLog {
  mkdirSync(dirname(file), { recursive: true });
  // Lines are written at once: the last ones before a crash are those that are needed.
  const stream = destination({ dest: file, sync: true, append: true });
  const logger = pino({ level, base: { node: name }, redact: { paths: [...PATHS], censor: "[secret]" } }, stream);
  return { logger, close: () => stream.flushSync() };
}
