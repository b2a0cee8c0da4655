/** Reads the pages of the documentation for the tests that hold them against the code. */
import { textOf } from "../architecture/checkout.ts";

/** The part of a page from the heading with this text to the next heading of the same or a higher level. */
export function section(path: string, heading: string): string {
  const lines = textOf(path).split("\n");
  const level = (line: string): number => /^#+(?= )/.exec(line)?.[0].length ?? 0;
  const start = lines.findIndex((line) => level(line) > 0 && line.replace(/^#+ /, "") === heading);
  if (start < 0) throw new Error(`${path} has no heading ${heading}`);
  const own = level(lines[start] ?? "");
  const length = lines.slice(start + 1).findIndex((line) => level(line) > 0 && level(line) <= own);
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n");
}

/** Texts of the headings of a level, in order. */
export function headings(path: string, level: number): readonly string[] {
  return [...textOf(path).matchAll(new RegExp(`^#{${level}} (.+)$`, "gm"))].map(([, text = ""]) => text);
}

/** Cells of the tables in a text, header and rule left out: one list per row. */
export function tableRows(text: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const rows = lines.filter((line, index) => line.startsWith("|") && !isRule(line) && !isRule(lines[index + 1] ?? ""));
  return rows.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function isRule(line: string): boolean {
  return /^\|(?: *:?-+:? *\|)+$/.test(line);
}

/** What stands in backticks, in order. */
export function codes(text: string): readonly string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
}

/** The item of a list that begins with `- name: `, with the lines that continue it. */
export function listItem(text: string, name: string): string {
  const found = new RegExp(`^- ${name}: (.*(?:\\n {2}.*)*)`, "m").exec(text)?.[1];
  if (found === undefined) throw new Error(`there is no item "${name}:" in ${JSON.stringify(text.slice(0, 80))}`);
  return found;
}

/** Fenced blocks of a language, in order. */
export function blocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    ([, block = ""]) => block,
  );
}
