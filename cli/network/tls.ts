/** Certificates for encrypted connections, from the files that the configuration names. */
import { readFileSync } from "node:fs";
import type { PeerTls } from "#ledger-node";
import { CommandFailure, EXIT } from "../exit.ts";
import { resolvePath } from "./node-config.ts";
import type { NodeIdentity } from "./node-identity.ts";

/** PEM texts; undefined where the network does without. @throws CommandFailure for a file that can't be read. */
export function readTls({ config, folder }: NodeIdentity): Required<PeerTls> | undefined {
  if (config.tls === undefined) return undefined;
  const read = (named: string): string => {
    const file = resolvePath(folder, named);
    try {
      return readFileSync(file, "utf8");
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
      // biome-ignore lint/style/useErrorCause: what the system says may show what is in the file
      throw new CommandFailure(EXIT.badInput, `${file}: can't be read (${code}); restore it from a copy`);
    }
  };
  const { ca, certificate, key } = config.tls;
  return { ca: read(ca), certificate: read(certificate), key: read(key) };
}
