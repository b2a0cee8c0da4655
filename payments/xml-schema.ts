/** Validates messages against the schemas that ISO 20022 publishes (`schema/`), with libxml2. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { PaymentRefusal, SchemaProblem } from "./refusals.ts";

export const MESSAGES = ["pain.001.001.03", "camt.054.001.02"] as const;
export type Message = (typeof MESSAGES)[number];

/** Larger than any batch that a bank takes. */
const MESSAGE_CHARACTERS_MAX = 32 * 1_024 * 1_024;
const PROBLEMS_MAX = 20;
/** Of 64 KiB each. */
const MEMORY_PAGES_MAX = 16_384;

export function namespaceOf(message: Message): string {
  return `urn:iso:std:iso:20022:tech:xsd:${message}`;
}

/** Which of the messages a document says that it is, by its name space. */
export function messageOf(xml: string): Message | undefined {
  const [, name] = /<(?:\w+:)?Document\b[^>]*xmlns(?::\w+)?="urn:iso:std:iso:20022:tech:xsd:([\w.]+)"/.exec(xml) ?? [];
  return MESSAGES.find((message) => message === name);
}

/** Undefined for a document that the schema holds. */
export async function schemaRefusal(xml: string, message: Message): Promise<PaymentRefusal | undefined> {
  // A document type could name other files, and entities that grow without end.
  if (xml.length > MESSAGE_CHARACTERS_MAX || /<!(?:DOCTYPE|ENTITY)/i.test(xml)) return { tag: "message_malformed" };
  const { validateXML } = await import("xmllint-wasm");
  const { valid, errors } = await validateXML({
    xml: { fileName: "message.xml", contents: xml },
    schema: { fileName: "schema.xsd", contents: schemaText(message) },
    maxMemoryPages: MEMORY_PAGES_MAX,
  });
  if (valid) return undefined;
  const problems = errors.slice(0, PROBLEMS_MAX).map(
    ({ message: problem, loc }): SchemaProblem => ({
      line: loc?.lineNumber ?? null,
      problem: problem.replaceAll(`{${namespaceOf(message)}}`, "").trim(),
    }),
  );
  return { tag: "schema_violated", problems };
}

function schemaText(message: Message): string {
  // The compiled code lies one folder deeper than the source, and the schemas are not copied there.
  const places = [`./schema/${message}.xsd`, `../../payments/schema/${message}.xsd`];
  const paths = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return readFileSync(paths.find((path) => existsSync(path)) ?? (paths[0] as string), "utf8");
}
