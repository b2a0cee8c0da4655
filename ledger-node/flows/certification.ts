/** Certified claims: certify before selling, contradict what is wrong, and close what was certified when it is delivered. */

import {
  type Certificate,
  type Claims,
  type ClientCommandOf,
  claimsText,
  closedRecord,
  type LedgerRefusal,
  type PowerPromise,
  type ResolvedState,
} from "#contracts";
import { compareText, err, ok, type PublicKey, type Result, type SlotId, wattHours } from "#core";
import {
  citations,
  type Drafted,
  type FlowContext,
  gateMs,
  mandateUntilMs,
  memberOf,
  network,
  windowUntil,
} from "../flow-context.ts";
import type { VaultState } from "../vault.ts";
import { freePromises } from "./promises-held.ts";

/** Lets an agency sign the claims of all own promises of the slots that are free and not certified. */
export async function draftCertifyClaims(
  context: FlowContext,
  { agency, slots }: ClientCommandOf<"certify-claims">,
): Promise<Drafted> {
  const distinct = [...new Set(slots)].sort(compareText);
  const refusal = certifyRefusal(context, agency, distinct);
  if (refusal !== undefined) return err(refusal);
  const promises = distinct.flatMap((slot) => certifiable(context, slot));
  if (promises.length === 0) return err({ tag: "claims_missing" });
  context.vault.lock(
    promises.map(({ ref }) => ref),
    context.flowId,
  );
  const certified = promises.map(({ state }) => withAgency(state, agency));
  return ok({
    consumed: promises,
    cited: citations(context, [context.party, agency]),
    made: [...certified, ...certificatesOf(certified, agency)],
    command: { tag: "certify-claims", supplier: context.party, agency },
    window: windowUntil(context, mandateUntilMs(context), ...distinct.map((slot) => gateMs(context, slot))),
    signers: [context.signingKey, agency],
  });
}

function certifyRefusal(context: FlowContext, agency: PublicKey, slots: readonly SlotId[]): LedgerRefusal | undefined {
  const member = memberOf(context, context.party)?.state;
  const signer = memberOf(context, agency)?.state;
  if (member === undefined || signer === undefined) return { tag: "member_unknown" };
  if (member.standing === "suspended" || signer.standing === "suspended") return { tag: "member_suspended" };
  if (!signer.roles.includes("verification-agency") || agency === context.party) return { tag: "role_not_allowed" };
  for (const slot of slots) {
    if (!slot.endsWith(`/PT${network(context).slotMinutes}M`)) return { tag: "slot_unknown" };
    if (gateMs(context, slot) <= context.nowMs) return { tag: "gate_closed", slot, gateMs: gateMs(context, slot) };
  }
  return undefined;
}

function certifiable(context: FlowContext, slot: SlotId): readonly VaultState<"power-promise">[] {
  return freePromises(context, context.party, slot).filter(
    ({ state: { supplier, claims } }) => supplier === context.party && claims !== null && claims.certifiedBy === null,
  );
}

function withAgency(promise: PowerPromise, agency: PublicKey): PowerPromise & { readonly claims: Claims } {
  const { claims } = promise;
  if (claims === null) throw new TypeError("a promise that is certified has claims");
  return { ...promise, claims: { ...claims, certifiedBy: agency } };
}

/** One certificate for all energy of a slot of which the same is said. */
function certificatesOf(
  promises: readonly (PowerPromise & { readonly claims: Claims })[],
  agency: PublicKey,
): readonly Certificate[] {
  const certificates = new Map<string, Certificate>();
  for (const { supplier, slot, energy, claims } of promises) {
    const key = `${slot} ${claimsText(claims)}`;
    const sum = wattHours((certificates.get(key)?.energy ?? 0n) + energy);
    certificates.set(key, { tag: "certificate", agency, supplier, slot, energy: sum, claims, contradiction: null });
  }
  return [...certificates.values()];
}

/** An agency says that what another certified of a supplier's slot is wrong. The grid authority proves the certificates. */
export async function draftContradictCertificate(
  context: FlowContext,
  { agency, supplier, slot, evidence }: ClientCommandOf<"contradict-certificate">,
): Promise<Drafted> {
  const member = memberOf(context, context.party)?.state;
  if (member === undefined) return err({ tag: "member_unknown" });
  if (member.standing === "suspended") return err({ tag: "member_suspended" });
  const isOwn = agency === context.party || supplier === context.party;
  if (!member.roles.includes("verification-agency") || isOwn) return err({ tag: "role_not_allowed" });
  const certificates = await openCertificates(context, agency, supplier, slot);
  if (!certificates.ok) return certificates;
  return ok({
    consumed: certificates.value,
    cited: citations(context, [context.party]),
    made: certificates.value.map(
      ({ state }): Certificate => ({ ...state, contradiction: { by: context.party, evidence } }),
    ),
    command: { tag: "contradict-certificate", by: context.party, agency, supplier, slot },
    window: windowUntil(context),
    signers: [context.signingKey],
  });
}

async function openCertificates(
  context: FlowContext,
  agency: PublicKey,
  supplier: PublicKey,
  slot: SlotId,
): Promise<Result<readonly VaultState<"certificate">[], LedgerRefusal>> {
  const reply = await context.ask(network(context).gridAuthority, { tag: "certificates-of", agency, supplier, slot });
  if (reply.tag !== "proved") return err(reply.tag === "refused" ? reply.refusal : { tag: "node_unreachable" });
  const proved = reply.dependencies
    .map((dependency) => context.learn(dependency))
    .filter((known): known is VaultState<"certificate"> => isCertificate(known))
    .filter(
      ({ state }) =>
        state.agency === agency && state.supplier === supplier && state.slot === slot && state.contradiction === null,
    );
  return proved.length === 0 ? err({ tag: "certificate_unknown" }) : ok(proved);
}

function isCertificate(known: ResolvedState | undefined): boolean {
  return known?.state.tag === "certificate";
}

/** Takes what an agency certified of a settled slot into its record. Initiated by the grid authority. */
export async function draftCloseCertificates(
  context: FlowContext,
  { agency, slot }: ClientCommandOf<"close-certificates">,
): Promise<Drafted> {
  if (context.party !== network(context).gridAuthority) return err({ tag: "role_not_allowed" });
  const record = agencyRecordOf(context, agency);
  if (record === undefined) return err({ tag: "member_unknown" });
  const open = context.vault
    .of("certificate", agency)
    .filter(({ state }) => state.agency === agency && state.slot === slot);
  const cited = [...new Set(open.map(({ state }) => state.supplier))].flatMap((supplier) =>
    context.vault.of("slot-settlement", supplier).filter(({ state }) => state.slot === slot),
  );
  const settled = new Set(cited.map(({ state }) => state.member));
  const certificates = open.filter(({ state }) => settled.has(state.supplier));
  if (certificates.length === 0) return err({ tag: "certificate_unknown" });
  return ok({
    consumed: [...certificates, record],
    cited: [context.parameters, ...cited],
    made: [
      closedRecord(
        record.state,
        certificates.map(({ state }) => state),
        cited.map(({ state }) => state),
      ),
    ],
    command: { tag: "close-certificates", agency, slot },
    window: windowUntil(context),
    signers: [context.signingKey],
  });
}

/** The public record of an agency. */
export function agencyRecordOf(
  context: FlowContext,
  agency: PublicKey | null,
): VaultState<"agency-record"> | undefined {
  return agency === null ? undefined : context.vault.of("agency-record", agency)[0];
}
