/** Reading XML of bank messages: elements by name, whatever their number. No document types, so no entities of their own. */
import { convert } from "xmlbuilder2";
import { err, ok, type Result } from "#core";

/** An element: its text, its attributes and its children, by name. */
export class XmlElement {
  readonly #content: unknown;

  constructor(content: unknown) {
    this.#content = content;
  }

  /** Children of a name. */
  all(name: string): readonly XmlElement[] {
    const child = this.#field(name);
    if (child === undefined) return [];
    return (Array.isArray(child) ? child : [child]).map((each: unknown) => new XmlElement(each));
  }

  /** The first element on a path. */
  first(...path: readonly string[]): XmlElement | undefined {
    let element: XmlElement | undefined = this;
    for (const name of path) element = element?.all(name)[0];
    return element;
  }

  /** Text on a path; undefined where there is none. */
  text(...path: readonly string[]): string | undefined {
    const element = this.first(...path);
    return element === undefined ? undefined : element.#text();
  }

  attribute(name: string): string | undefined {
    const value = this.#field(`@${name}`);
    return typeof value === "string" ? value : undefined;
  }

  #text(): string | undefined {
    if (typeof this.#content === "string") return this.#content;
    const text = this.#field("#");
    return typeof text === "string" ? text : undefined;
  }

  #field(name: string): unknown {
    return isRecord(this.#content) && Object.hasOwn(this.#content, name) ? this.#content[name] : undefined;
  }
}

/** The document's root under its own name. */
export function parseXml(text: string): Result<XmlElement, "message_malformed"> {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) return err("message_malformed");
  try {
    return ok(new XmlElement(convert(text, { format: "object" })));
  } catch {
    return err("message_malformed");
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
