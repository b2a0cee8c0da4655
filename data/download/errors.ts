/** Why a file could not be fetched: one tag per reason, with what the caller needs to act on it. */

export type DownloadError =
  | { readonly tag: "not_found"; readonly url: string; readonly status: number }
  | { readonly tag: "refused_by_server"; readonly url: string; readonly status: number }
  | { readonly tag: "network"; readonly url: string; readonly code: string; readonly attempts: number }
  | {
      readonly tag: "length_mismatch";
      readonly url: string;
      readonly expectedBytes: number;
      readonly actualBytes: number;
    }
  | { readonly tag: "hash_mismatch"; readonly url: string; readonly expected: string; readonly actual: string }
  | { readonly tag: "disk_full"; readonly path: string }
  | { readonly tag: "permission_denied"; readonly path: string }
  | { readonly tag: "disk_error"; readonly path: string; readonly code: string }
  | { readonly tag: "cancelled" };

/** What happened and how to mend it, in one or two sentences for people. */
export function describeDownloadError(error: DownloadError): string {
  switch (error.tag) {
    case "not_found":
      return `${error.url} is not there (HTTP ${error.status}). The source may have moved: name a folder that has the data in DREAM_DATA.`;
    case "refused_by_server":
      return `${error.url} was refused (HTTP ${error.status}). Try later, or name a folder that has the data in DREAM_DATA.`;
    case "network":
      return `${error.url} could not be reached (${error.code}, ${error.attempts} ${error.attempts === 1 ? "attempt" : "attempts"}). Look at the connection and run the command again: it goes on where it stopped.`;
    case "length_mismatch":
      return `${error.url} has ${error.actualBytes} bytes instead of ${error.expectedBytes}: the source changed. Nothing was kept.`;
    case "hash_mismatch":
      return `${error.url} has SHA-256 ${error.actual} instead of ${error.expected}: the source changed, or somebody on the way changed it. Nothing was kept.`;
    case "disk_full":
      return `The disk of ${error.path} is full. Make room, or set XDG_CACHE_HOME to a folder on another disk, and run the command again.`;
    case "permission_denied":
      return `${error.path} may not be written. Give yourself the right to, or set XDG_CACHE_HOME to a folder of yours.`;
    case "disk_error":
      return `${error.path} could not be written (${error.code}).`;
    case "cancelled":
      return "Stopped. Run the command again: it goes on where it stopped.";
  }
}

/** What a failed write or rename means. */
export function diskError(cause: unknown, path: string): DownloadError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  if (code === "ENOSPC" || code === "EDQUOT") return { tag: "disk_full", path };
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") return { tag: "permission_denied", path };
  return { tag: "disk_error", path, code };
}
