/** The snippets in the documentation that are marked with `run` do run. */
import { describe, expect, test } from "vitest";
import { filesEndingWith, textOf } from "./checkout.ts";
import { runnableSnippets, runSnippet } from "./snippet-runner.ts";

const marked = filesEndingWith(".md").flatMap((path) => runnableSnippets(path, textOf(path)));

function resultOf(language: string, text: string): string | undefined {
  return runSnippet({ path: "page.md", line: 1, language, text });
}

test.each(marked)("$path:$line runs ($language)", (snippet) => {
  expect(runSnippet(snippet)).toBeUndefined();
});

describe("the snippet runner", () => {
  test("takes the blocks that are marked, with their lines, and no others", () => {
    const page =
      'Words\n\n```ts\nno();\n```\n\n```json run\n{"a": 1}\n```\n\n~~~sh run quietly\ntrue\n```\nfalse\n~~~\n';
    expect(runnableSnippets("page.md", page)).toEqual([
      { path: "page.md", line: 7, language: "json", text: '{"a": 1}\n' },
      { path: "page.md", line: 11, language: "sh", text: "true\n```\nfalse\n" },
    ]);
  });

  test.each([
    ["ts", 'const total: number = 1 + 1;\nif (total !== 2) throw new Error("no");\n'],
    ["sh", "test -f package.json\n"],
    ["json", '{ "a": [1, 2] }\n'],
    ["yaml", "a: { b: 1 }\n"],
  ])("accepts good %s", (language, text) => {
    expect(resultOf(language, text)).toBeUndefined();
  });

  test.each([
    ["ts", "const total: string = 1;\n", "TS2322"],
    ["ts", 'throw new Error("thrown by the snippet");\n', "thrown by the snippet"],
    ["sh", "exit 3\n", "code 3"],
    ["sh", "false\ntrue\n", "code 1"],
    ["json", "{ a: 1 }\n", "SyntaxError"],
    ["yaml", "a: [1\n", "Error"],
    ["cobol", "STOP RUN.\n", "cannot be run"],
  ])("refuses bad %s: %j", (language, text, says) => {
    expect(resultOf(language, text)).toContain(says);
  });
});
