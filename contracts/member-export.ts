/**
 * All of a member's data as a file that another node can take over: lines of JSON, each with the hash of the line before, the
 * last one signed by the node that wrote them (docs/member-export.md). Whoever reads it checks every proof and relies on nobody:
 * what a notary and the signers have not signed, what is of another network, or what shows another member's states is refused.
 */
import {
  canonicalJson,
  compareText,
  encodeCbor,
  err,
  fromHex,
  type Hash,
  hashOf,
  isAcceptablePublicKey,
  isSignatureValid,
  ok,
  type PublicKey,
  parseHash,
  type Result,
  type Signer,
  toHex,
} from "#core";
import { decodeNotice } from "./notice.ts";
import type { ResolvedState } from "./resolved.ts";
import {
  decodeSignedTransaction,
  isNotarySignatureValid,
  isTransactionSignatureValid,
  type NotarySignature,
  type TransactionSignature,
} from "./signed.ts";
import { isPublicKind, participantsOf } from "./states.ts";
import { narrowTearOff, openComponents, tearOff } from "./tear-off.ts";
import { refKey, type StateRef } from "./transaction.ts";
import type { Dependency } from "./wire/peer.ts";

/** In descending precedence, line by line. */
export const EXPORT_REFUSALS = [
  "export_forbidden",
  "export_malformed",
  "export_foreign",
  "export_of_another",
  "export_altered",
  "export_unproved",
  "export_not_concerned",
  "export_incomplete",
] as const;
export type ExportRefusal = (typeof EXPORT_REFUSALS)[number];

/** A transaction as a node stores it: all of it, or a notice; and the command that it carried out, if the member's node gave it. */
export type ExportedTransaction = {
  readonly form: "full" | "notice";
  readonly bytes: Uint8Array;
  readonly command: { readonly id: string; readonly digest: Hash } | null;
};
/** A command that was not concluded when the file was written. */
export type ExportedCommand = {
  readonly id: string;
  readonly digest: Hash;
  readonly stage: "begun" | "signed" | "final";
  readonly body: Uint8Array;
};
export type ExportContent = {
  readonly networkId: string;
  readonly member: PublicKey;
  readonly atMs: number;
  /** In the order in which they were stored. */
  readonly transactions: readonly ExportedTransaction[];
  /** Proofs of single states, written as notices: the network's rules, the member, and the aggregators that it may move to. */
  readonly proofs: readonly Uint8Array[];
  readonly commands: readonly ExportedCommand[];
};
/** An unspent state of the member, or a public one, with its proof. */
export type ExportedState = ResolvedState & { readonly proof: Dependency };
export type MemberExport = Omit<ExportContent, "transactions"> & {
  readonly transactions: readonly (ExportedTransaction & { readonly txId: Hash })[];
  /** Who wrote the file, and answers for what it leaves out. */
  readonly exporter: PublicKey;
  readonly unspent: readonly ExportedState[];
};
export type ExportExpectation = {
  readonly networkId: string;
  readonly notaries: readonly PublicKey[];
  /** Any member's, unless one is named. */
  readonly member?: PublicKey;
};

const FORMAT = "dream-member-export";
const VERSION = 1;
const LINES_MAX = 2_000_000;
const NO_LINE = "0".repeat(64);
type Line = Readonly<Record<string, unknown>> & { readonly kind: string };

/** Writes the file, signed by the node that has the data. */
export function writeExport(content: ExportContent, exporter: Signer): string {
  const own = unspentIn(opened(content).flatMap((each) => each ?? [])).filter(({ state }) =>
    participantsOf(state).includes(content.member),
  );
  const { networkId, member, atMs } = content;
  const lines: Line[] = [
    { kind: "header", format: FORMAT, version: VERSION, networkId, member, atMs, exporter: exporter.publicKey },
    ...content.transactions.map(({ form, bytes, command }) => ({
      kind: "transaction",
      form,
      commandId: command?.id ?? null,
      digest: command?.digest ?? null,
      bytes: toHex(bytes),
    })),
    ...content.proofs.map((bytes) => ({ kind: "proof", bytes: toHex(bytes) })),
    ...own.map(({ ref, state }) => ({ kind: "state", ref: refKey(ref), state })),
    ...content.commands.map(({ id, digest, stage, body }) => ({
      kind: "command",
      commandId: id,
      digest,
      stage,
      body: toHex(body),
    })),
  ];
  const written: string[] = [];
  let previous: string = NO_LINE;
  for (const line of lines) {
    const text = canonicalJson({ previous, ...line });
    written.push(text);
    previous = hashOf(text);
  }
  const signature = toHex(exporter.sign(signedBytes(networkId, previous)));
  written.push(canonicalJson({ previous, kind: "end", lines: lines.length, signature }));
  return `${written.join("\n")}\n`;
}

function signedBytes(networkId: string, head: string): Uint8Array {
  return encodeCbor(["dream/member-export", networkId, "ed25519", fromHex(head)]);
}

/** Reads and checks a file from outside; never throws. */
export function readExport(text: string, expected: ExportExpectation): Result<MemberExport, ExportRefusal> {
  const lines = parseLines(text);
  if (lines === undefined) return err("export_malformed");
  const header = headerOf(lines[0]?.fields);
  if (header === undefined) return err("export_malformed");
  if (header.networkId !== expected.networkId) return err("export_foreign");
  if (expected.member !== undefined && header.member !== expected.member) return err("export_of_another");
  if (!isChained(lines, header)) return err("export_altered");
  const content = contentOf(lines.slice(1, -1), header);
  if (content === undefined) return err("export_malformed");
  const all = opened(content).flatMap((each) => each ?? []);
  const isReadable = all.length === content.transactions.length + content.proofs.length;
  if (!isReadable || !all.every((each) => isProved(each, expected))) return err("export_unproved");
  if (!isOfMember(all, content.member)) return err("export_not_concerned");
  const unspent = unspentIn(all);
  const listed = lines.flatMap(({ fields }) =>
    fields.kind === "state" ? [`${String(fields["ref"])} ${canonicalJson(fields["state"])}`] : [],
  );
  const left = unspent.flatMap(({ ref, state }) =>
    participantsOf(state).includes(content.member) ? [`${refKey(ref)} ${canonicalJson(state)}`] : [],
  );
  if (!isSameText(listed, left)) return err("export_incomplete");
  const transactions = content.transactions.flatMap((each, index) => {
    const txId = all[index]?.txId;
    return txId === undefined ? [] : [{ ...each, txId }];
  });
  return ok({ ...content, transactions, exporter: header.exporter, unspent });
}

function isSameText(left: readonly string[], right: readonly string[]): boolean {
  const sorted = (texts: readonly string[]): string => [...texts].sort(compareText).join("\n");
  return left.length === right.length && sorted(left) === sorted(right);
}

type ReadLine = { readonly text: string; readonly fields: Line };

/** Undefined for what are no lines of JSON objects with a kind. */
function parseLines(text: string): readonly ReadLine[] | undefined {
  const texts = text.split("\n");
  if (texts.pop() !== "" || texts.length < 2 || texts.length > LINES_MAX) return undefined;
  try {
    const lines = texts.map((line): ReadLine => ({ text: line, fields: JSON.parse(line) as Line }));
    return lines.every(({ fields }) => typeof fields?.kind === "string") ? lines : undefined;
  } catch {
    return undefined;
  }
}

type Header = Pick<MemberExport, "networkId" | "member" | "atMs" | "exporter">;

function headerOf(fields: Line | undefined): Header | undefined {
  if (fields === undefined) return undefined;
  const { kind, format, version, networkId, member, exporter, atMs } = fields;
  const isHeader = kind === "header" && format === FORMAT && version === VERSION;
  if (!isHeader || typeof networkId !== "string" || typeof atMs !== "number" || !Number.isSafeInteger(atMs))
    return undefined;
  if (typeof member !== "string" || typeof exporter !== "string") return undefined;
  if (!isAcceptablePublicKey(member) || !isAcceptablePublicKey(exporter)) return undefined;
  return { networkId, member, exporter, atMs };
}

/** Whether each line follows the one before, the last says how many there are, and the exporter has signed that. */
function isChained(lines: readonly ReadLine[], { networkId, exporter }: Header): boolean {
  let previous = NO_LINE;
  for (const { text, fields } of lines) {
    if (fields["previous"] !== previous) return false;
    if (fields.kind !== "end") previous = hashOf(text);
  }
  const end = lines.at(-1)?.fields;
  const signature = bytesOf(end?.["signature"]);
  return (
    end?.kind === "end" &&
    end["lines"] === lines.length - 1 &&
    signature !== undefined &&
    isSignatureValid(exporter, signedBytes(networkId, previous), signature)
  );
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return typeof value === "string" && value.length % 2 === 0 && /^[0-9a-f]+$/.test(value) ? fromHex(value) : undefined;
}

function contentOf(lines: readonly ReadLine[], header: Header): ExportContent | undefined {
  const transactions: ExportedTransaction[] = [];
  const proofs: Uint8Array[] = [];
  const commands: ExportedCommand[] = [];
  for (const { fields } of lines) {
    const transaction = fields.kind === "transaction" ? transactionOf(fields) : undefined;
    const proof = fields.kind === "proof" ? bytesOf(fields["bytes"]) : undefined;
    const command = fields.kind === "command" ? commandOf(fields) : undefined;
    if (transaction !== undefined) transactions.push(transaction);
    else if (proof !== undefined) proofs.push(proof);
    else if (command !== undefined) commands.push(command);
    else if (fields.kind !== "state") return undefined;
  }
  const { networkId, member, atMs } = header;
  return { networkId, member, atMs, transactions, proofs, commands };
}

function transactionOf(fields: Line): ExportedTransaction | undefined {
  const { form, commandId, digest } = fields;
  const bytes = bytesOf(fields["bytes"]);
  if ((form !== "full" && form !== "notice") || bytes === undefined) return undefined;
  if (commandId === null && digest === null) return { form, bytes, command: null };
  const hash = typeof digest === "string" ? parseHash(digest) : undefined;
  if (typeof commandId !== "string" || hash?.ok !== true) return undefined;
  return { form, bytes, command: { id: commandId, digest: hash.value } };
}

function commandOf({ commandId, digest, stage, body }: Line): ExportedCommand | undefined {
  const bytes = bytesOf(body);
  const hash = typeof digest === "string" ? parseHash(digest) : undefined;
  const isStage = stage === "begun" || stage === "signed" || stage === "final";
  if (typeof commandId !== "string" || hash?.ok !== true || !isStage || bytes === undefined) return undefined;
  return { id: commandId, digest: hash.value, stage, body: bytes };
}

/** A transaction or proof, opened: what it spends and makes, and who has signed it. */
type Opened = {
  readonly isWhole: boolean;
  readonly txId: Hash;
  readonly spent: readonly StateRef[];
  readonly made: readonly ExportedState[];
  /** Undefined where only a state is proved. */
  readonly signers: readonly PublicKey[] | undefined;
  readonly signatures: readonly TransactionSignature[];
  readonly notary: PublicKey | undefined;
  readonly notarySignature: NotarySignature;
};

function openFull(bytes: Uint8Array): Opened | undefined {
  const decoded = decodeSignedTransaction(bytes);
  if (!decoded.ok) return undefined;
  const { transaction, signatures, notarySignature } = decoded.value;
  if (notarySignature === null) return undefined;
  const { id: txId, content } = transaction;
  const made = content.outputs.map((state, index): ExportedState => {
    const ref = { txId, index };
    const proof = { ref, tearOff: tearOff(transaction, [index]), notarySignature };
    return { ref, state, notary: content.notary, proof };
  });
  const { inputs: spent, signers, notary } = content;
  return { isWhole: true, txId, spent, made, signers, signatures, notary, notarySignature };
}

function openPart(bytes: Uint8Array): Opened | undefined {
  const notice = decodeNotice(bytes);
  const shown = notice.ok ? openComponents(notice.value.tearOff, notice.value.txId) : undefined;
  if (!notice.ok || shown?.ok !== true) return undefined;
  const { txId, tearOff: torn, signatures, notarySignature } = notice.value;
  const made = [...shown.value.outputs].map(([index, state]): ExportedState => {
    const ref = { txId, index };
    const proof = { ref, tearOff: narrowTearOff(torn, index), notarySignature };
    return { ref, state, notary: notarySignature.by, proof };
  });
  const { signers, notary, inputs } = shown.value;
  return { isWhole: false, txId, spent: [...inputs.values()], made, signers, signatures, notary, notarySignature };
}

function opened({ transactions, proofs }: ExportContent): readonly (Opened | undefined)[] {
  return [
    ...transactions.map(({ form, bytes }) => (form === "full" ? openFull(bytes) : openPart(bytes))),
    ...proofs.map(openPart),
  ];
}

/** Whether one of the network's notaries has made it final, and all have signed who must, where they are named. */
function isProved(each: Opened, { networkId, notaries }: ExportExpectation): boolean {
  const { txId, notarySignature, notary = notarySignature.by, signers = [], signatures } = each;
  const isSigned = (key: PublicKey): boolean =>
    signatures.some((signature) => signature.by === key && isTransactionSignatureValid(networkId, txId, signature));
  return (
    notary === notarySignature.by &&
    notaries.includes(notary) &&
    isNotarySignatureValid(networkId, txId, notarySignature) &&
    signers.every(isSigned)
  );
}

/**
 * Whether every transaction concerns the member: it signed, or its delegate; or a state is its own. Who did not sign is shown
 * nothing of others: in a notice or proof each state is its own or public.
 */
function isOfMember(all: readonly Opened[], member: PublicKey): boolean {
  const isOwn = ({ state }: ExportedState): boolean => participantsOf(state).includes(member);
  const own = all.flatMap(({ made }) => made.filter(isOwn));
  const ownRefs = new Set(own.map(({ ref }) => refKey(ref)));
  const signing = new Set<PublicKey>([member]);
  for (const { state } of own) if (state.tag === "mandate" && state.principal === member) signing.add(state.delegate);
  const isShared = ({ made, spent, signers }: Opened): boolean =>
    signers?.some((key) => signing.has(key)) === true ||
    made.some(isOwn) ||
    spent.some((ref) => ownRefs.has(refKey(ref)));
  const isOwnOrPublic = (state: ExportedState): boolean => isOwn(state) || isPublicKind(state.state.tag);
  return all.every((each) => each.made.every(isOwnOrPublic) || (each.isWhole && isShared(each)));
}

/** States that the transactions and proofs show and that none of the transactions spends; each once. */
function unspentIn(all: readonly Opened[]): readonly ExportedState[] {
  const spent = new Set(all.flatMap((each) => each.spent.map(refKey)));
  const made = new Map(all.flatMap((each) => each.made.map((state) => [refKey(state.ref), state] as const)));
  return [...made].flatMap(([key, state]) => (spent.has(key) ? [] : [state]));
}
