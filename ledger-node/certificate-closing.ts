/** The grid authority's last work after a slot: what agencies certified of it goes into their records. */
import type { LedgerRefusal, NodeEndpoint } from "#contracts";
import { refKey } from "#contracts";
import { canonicalJson, compareText, hashOf, type PublicKey, type SlotId } from "#core";

export type ClosingProblem = { readonly agency: PublicKey; readonly refusal: LedgerRefusal };

/**
 * Closes the certificates of all suppliers whose slot is settled. Those of others stay, and are closed by a later call: the
 * command is named by what is open, so that each is closed once.
 */
export async function closeSlotCertificates(
  gridAuthority: NodeEndpoint,
  slot: SlotId,
): Promise<readonly ClosingProblem[]> {
  const certificates = (await gridAuthority.states("certificate")).filter(({ state }) => state.slot === slot);
  const problems: ClosingProblem[] = [];
  for (const agency of [...new Set(certificates.map(({ state }) => state.agency))].sort(compareText)) {
    const refs = certificates.filter(({ state }) => state.agency === agency).map(({ ref }) => refKey(ref));
    const closing = hashOf(canonicalJson(refs.sort(compareText))).slice(0, 16);
    const commandId = `close-certificates/${agency.slice(0, 16)}/${slot}/${closing}`;
    const closed = await gridAuthority.submit({ tag: "close-certificates", commandId, agency, slot });
    // Unknown are those of suppliers whose slot is not settled yet.
    if (!closed.ok && closed.error.tag !== "certificate_unknown") problems.push({ agency, refusal: closed.error });
  }
  return problems;
}
