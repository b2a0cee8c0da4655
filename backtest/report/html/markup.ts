/** HTML from templates in which every value is escaped unless it is markup already; and what may stand in a script. */
import { invariant, toJson } from "#core";

/** Text that is known to be well-formed HTML. Made by {@link html} and {@link trusted} only. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Markup | string | number | bigint | null | undefined | false | readonly Content[];

/** A template whose values are escaped: texts become texts, never tags or attributes; lists are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(parts.map((part, index) => part + textOf(values[index])).join(""));
}

/** Markup from our own files. Never for anything that comes from a run, a member or a data set. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function textOf(value: Content): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Markup) return value.text;
  if (isList(value)) return value.map(textOf).join("");
  return escapeHtml(String(value));
}

function isList(value: Content): value is readonly Content[] {
  return Array.isArray(value);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for the body of an element or a quoted attribute. Marks that turn the writing direction are made visible. */
export function escapeHtml(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/**
 * JSON that may stand inside `<script type="application/json">`: bigints as decimal strings, and no `<`, `>`, `&` or
 * line separator, so that no value can end the element, begin a comment, or end a line of script.
 */
export function inlineJson(value: unknown): Markup {
  const escaped = toJson(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return new Markup(escaped);
}

/** Script or style of our own, as the content of its element. @throws InvariantError when it would end the element. */
export function inlineAsset(name: string, text: string): Markup {
  invariant(!/<\/(script|style)|<!--/i.test(text), `${name} holds nothing that ends its element`);
  return new Markup(text);
}
