/**
 * The directory as a running node sees it: re-read when its file changes, and, for a key that it does not know, fetched
 * from the grid authority's node. Only a newer one with the grid authority's signature replaces it.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { Agent } from "node:https";
import axios from "axios";
import type { PublicKey } from "#core";
import type { PeerTls } from "#ledger-node";
import { DIRECTORY_BYTES_MAX, type Directory, holderOf, parseDirectory } from "./directory.ts";
import { writeWhole } from "./folder.ts";

export const DIRECTORY_PATH = "/network/v1/directory";
/** A stranger can't make a node ask the grid authority more often than this. */
const ASK_INTERVAL_MS = 2_000;
const LOOK_INTERVAL_MS = 200;

export type LiveDirectoryOptions = {
  readonly file: string;
  readonly networkId: string;
  readonly gridAuthority: PublicKey;
  readonly own: PublicKey;
  readonly first: Directory;
  readonly nowMs: () => number;
  readonly tls?: Required<PeerTls> | undefined;
  readonly report: (problem: string) => void;
};

export class LiveDirectory {
  readonly #options: LiveDirectoryOptions;
  #current: Directory;
  #addresses: ReadonlyMap<PublicKey, string>;
  #readMtimeMs: number;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #askedMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(options: LiveDirectoryOptions) {
    this.#options = options;
    this.#current = options.first;
    this.#addresses = addressesOf(options.first);
    this.#readMtimeMs = mtimeOf(options.file);
  }

  get current(): Directory {
    this.#look();
    return this.#current;
  }

  /** Where the node of a party answers; undefined, for now, for a key that is not known yet. */
  addressOf(key: PublicKey): string | undefined {
    const known = this.#addresses.get(key);
    if (known === undefined) {
      this.#look();
      if (!this.#addresses.has(key)) this.#ask();
    }
    return this.#addresses.get(key);
  }

  /** Reads the file again if it changed; looks at most a few times a second. */
  #look(): void {
    const nowMs = this.#options.nowMs();
    if (Math.abs(nowMs - this.#lookedMs) < LOOK_INTERVAL_MS) return;
    this.#lookedMs = nowMs;
    const mtimeMs = mtimeOf(this.#options.file);
    if (mtimeMs === this.#readMtimeMs) return;
    this.#readMtimeMs = mtimeMs;
    try {
      this.#take(readFileSync(this.#options.file, "utf8"), "file");
    } catch (error) {
      this.#options.report(`the directory can't be read again: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Asks the grid authority's node, in the background. */
  #ask(): void {
    const { nowMs, own, gridAuthority, report, tls } = this.#options;
    const address = holderOf(this.#current, "grid-authority")?.address;
    const isDue = Math.abs(nowMs() - this.#askedMs) >= ASK_INTERVAL_MS;
    if (this.#asking !== undefined || !isDue || address === undefined || own === gridAuthority) return;
    this.#askedMs = nowMs();
    this.#asking = axios
      .get<string>(`${address}${DIRECTORY_PATH}`, {
        responseType: "text",
        transformResponse: (text) => text,
        timeout: ASK_INTERVAL_MS,
        proxy: false,
        ...(tls === undefined ? {} : { httpsAgent: new Agent({ ca: tls.ca, cert: tls.certificate, key: tls.key }) }),
        maxContentLength: DIRECTORY_BYTES_MAX,
      })
      .then(({ data }) => this.#take(data, "grid authority"))
      .catch((error) => report(`the grid authority can't be asked for the directory: ${codeOf(error)}`))
      .finally(() => {
        this.#asking = undefined;
      });
  }

  #take(text: string, from: "file" | "grid authority"): void {
    const { file, report } = this.#options;
    const parsed = parseDirectory(text, this.#options);
    if (!parsed.ok) return report(`a directory from the ${from} was refused: ${parsed.error}`);
    if (parsed.value.serial <= this.#current.serial) return;
    this.#current = parsed.value;
    this.#addresses = addressesOf(parsed.value);
    if (from === "file") return;
    writeWhole(file, text);
    this.#readMtimeMs = mtimeOf(file);
  }
}

function addressesOf({ parties, served = [] }: Directory): ReadonlyMap<PublicKey, string> {
  return new Map([...served, ...parties].map(({ key, address }) => [key, address]));
}

function mtimeOf(file: string): number {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}
