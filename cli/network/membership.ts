/** Which processes are members. A file of its own: a running node holds no code for the making of networks. */
import type { Role } from "#contracts";

/** A process that only makes transactions final is no member: nothing on the ledger concerns it. */
export function isMember({ roles }: { readonly roles: readonly Role[] }): boolean {
  return roles.some((role) => role !== "notary");
}
