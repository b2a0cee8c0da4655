/** Where fetched data are kept. */
import { join } from "node:path";

/** `$XDG_CACHE_HOME/dream`, else `~/.cache/dream`. */
export function defaultCacheDir(env: { readonly XDG_CACHE_HOME?: string | undefined }, homeDir: string): string {
  const base =
    env.XDG_CACHE_HOME === undefined || env.XDG_CACHE_HOME === "" ? join(homeDir, ".cache") : env.XDG_CACHE_HOME;
  return join(base, "dream");
}
