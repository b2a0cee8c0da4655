/** Text on a terminal: how wide it is, how it is cut, wrapped, aligned, and coloured. */

/** Characters and colours that a terminal can show. */
export type TerminalLook = { readonly colour: boolean; readonly unicode: boolean };

export type Ink = "bold" | "dim" | "red" | "green" | "yellow";

const INKS: Readonly<Record<Ink, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

/** `text` in a colour (ECMA-48 SGR codes), or as it is without colour. */
export function inked(look: TerminalLook, ink: Ink, text: string): string {
  const [on, off] = INKS[ink];
  return look.colour && text !== "" ? `\u001b[${on}m${text}\u001b[${off}m` : text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these codes are what the pattern is for
const SGR = /\u001b\[\d+m/g;

/** Columns that a text takes: colour codes and combining marks none, East Asian wide characters and emoji two. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text.replace(SGR, "")) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(character)) return 0;
  return isWide(character.codePointAt(0) ?? 0) ? 2 : 1;
}

/** The blocks that Unicode's EastAsianWidth.txt gives as wide, and emoji that are shown as pictures. */
function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x20000 && code <= 0x3fffd) ||
    /\p{Emoji_Presentation}/u.test(String.fromCodePoint(code))
  );
}

/**
 * Text from outside made safe to print: control characters and marks that turn the writing direction become spaces,
 * so that a member's name cannot move the cursor or change colours. Without unicode, ASCII only.
 */
export function printable(look: TerminalLook, text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, " ");
  return look.unicode ? clean : asciiOf(clean);
}

const ASCII: Readonly<Record<string, string>> = {
  "–": "-",
  "—": "-",
  "−": "-",
  "·": "-",
  "…": "...",
  "‘": "'",
  "’": "'",
  "“": '"',
  "”": '"',
  "€": "EUR",
  "×": "x",
  ß: "ss",
};

function asciiOf(text: string): string {
  let out = "";
  for (const character of text.normalize("NFKD")) {
    if (/^\p{Mn}$/u.test(character)) continue;
    out += character < "\u007f" ? character : (ASCII[character] ?? "?");
  }
  return out;
}

/** The text, or its beginning and an ellipsis, in at most `width` columns. */
export function cut(look: TerminalLook, text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const ellipsis = look.unicode ? "…" : "~";
  let kept = "";
  let used = 1;
  for (const character of text) {
    used += characterWidth(character);
    if (used > width) break;
    kept += character;
  }
  return kept.trimEnd() + ellipsis;
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}

/** Lines of at most `width` columns, broken at spaces where there are any; what goes beyond `linesMax` is cut. */
export function wrap(look: TerminalLook, text: string, width: number, linesMax: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  const words = text.split(/\s+/).filter((word) => word !== "");
  for (const [index, word] of words.entries()) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (displayWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (lines.length === linesMax - 1) {
      lines.push(cut(look, `${longer} ${words.slice(index + 1).join(" ")}`, width));
      return lines;
    }
    if (line !== "") lines.push(line);
    line = cut(look, word, width);
  }
  return line === "" ? lines : [...lines, line];
}
