/** Which measured sets there are, and which of them are on this machine. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PINNED_SETS, type PinnedSet } from "./sources.ts";

export type ListedSet = {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly source: string;
  /** Bytes that `dream data get` fetches; 0 where it cannot. */
  readonly bytes: number;
  readonly presence: "complete" | "in part" | "absent";
  /** Where it was found. */
  readonly from?: "DREAM_DATA" | "cache";
  /** What `dream data get` cannot fetch, and why. */
  readonly notFetched: readonly { readonly name: string; readonly why: string }[];
};

/** All sets; a complete copy in `DREAM_DATA` counts before one in the cache. Files are looked for, not hashed. */
export function listSets(dreamData: string | undefined, cache: string): readonly ListedSet[] {
  return PINNED_SETS.map((set) => {
    const places = [
      ...(dreamData === undefined || dreamData === ""
        ? []
        : [{ from: "DREAM_DATA" as const, presence: presenceIn(set, dreamData) }]),
      { from: "cache" as const, presence: presenceIn(set, cache) },
    ];
    const best =
      places.find(({ presence }) => presence === "complete") ?? places.find(({ presence }) => presence === "in part");
    const { name, title, licence, source, files, otherFiles } = set;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return {
      name,
      title,
      licence,
      source,
      bytes,
      presence: best?.presence ?? "absent",
      ...(best === undefined ? {} : { from: best.from }),
      notFetched: otherFiles,
    };
  });
}

function presenceIn({ name, files, otherFiles }: PinnedSet, root: string): ListedSet["presence"] {
  const wanted = [...files, ...otherFiles];
  const there = wanted.filter((file) => existsSync(join(root, name, file.name))).length;
  return there === wanted.length ? "complete" : there > 0 ? "in part" : "absent";
}
