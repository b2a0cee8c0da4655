/**
 * Refusal codes: each list `…_REFUSALS` or `…_DENIALS` is exported by its folder's door, names no code twice, is documented in
 * docs/refusals.md (both ways), and is met in a test.
 */
import { describe, expect, test } from "vitest";
import { doorOf, filesEndingWith, rooms, textOf } from "./checkout.ts";

type CodeList = { readonly room: string; readonly name: string; readonly path: string };

const sources = rooms().flatMap((room) =>
  filesEndingWith(".ts", room)
    .filter((path) => !path.endsWith(".test.ts"))
    .map((path) => ({ room, path, text: textOf(path) })),
);

/** Every list that is declared anywhere, whether or not its door exports it. */
const declared: readonly CodeList[] = sources.flatMap(({ room, path, text }) =>
  [...text.matchAll(/\bexport const (\w+_(?:REFUSALS|DENIALS))\b/g)].map(([, name]) => ({
    room,
    name: name ?? "",
    path,
  })),
);

async function codesOf({ room, name }: CodeList): Promise<readonly string[]> {
  const codes = (await doorOf(room))[name];
  expect(Array.isArray(codes), `${name} is an array of codes, exported by ${room}/index.ts`).toBe(true);
  return codes as readonly string[];
}

/** Codes that are headings of docs/refusals.md: `### \`slot_closed\``. */
function documentedCodes(): readonly string[] {
  return [...textOf("docs/refusals.md").matchAll(/^#{2,6} `([^`]+)`\s*$/gm)].map(([, code]) => code ?? "");
}

describe("refusal codes", () => {
  test("there are lists to check", () => {
    expect(declared.length).toBeGreaterThan(0);
  });

  test.each(declared)("$name is exported by the door of $room and names each code once", async (list) => {
    const codes = await codesOf(list);
    expect(codes.length).toBeGreaterThan(0);
    expect(new Set(codes).size, "a code appears twice").toBe(codes.length);
    for (const code of codes) expect(code).toMatch(/^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/);
  });

  test.each(declared)("each code of $name is met in a test", async (list) => {
    const tests = filesEndingWith(".test.ts")
      .filter((path) => !path.startsWith("test/architecture/"))
      .map(textOf);
    if (tests.some((text) => text.includes(list.name))) return;
    const codes = await codesOf(list);
    const unmet = codes.filter((code) => !tests.some((text) => text.includes(`"${code}"`)));
    expect(unmet, `codes of ${list.path} that no test produces`).toEqual([]);
  });

  test("docs/refusals.md has a heading for each code, and no other", async () => {
    const codes = new Set((await Promise.all(declared.map(codesOf))).flat());
    const documented = new Set(documentedCodes());
    expect(
      [...codes].filter((code) => !documented.has(code)),
      "codes without a heading in docs/refusals.md",
    ).toEqual([]);
    expect(
      [...documented].filter((code) => !codes.has(code)),
      "headings of docs/refusals.md that are no code",
    ).toEqual([]);
  });

  test("docs/refusals.md explains each code once", () => {
    const documented = documentedCodes();
    expect(documented.filter((code, index) => documented.indexOf(code) !== index)).toEqual([]);
  });
});
