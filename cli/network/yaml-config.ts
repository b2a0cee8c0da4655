/** Reads a YAML file against one strict schema: all errors at once, each with file, line, key and mend. */
import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { err, ok, type Result } from "#core";

export type ConfigProblem = {
  readonly file: string;
  readonly line: number | null;
  /** Path of the key, such as `members.0.roles`; empty for the whole file. */
  readonly key: string;
  readonly problem: string;
  readonly mend: string;
};

/** A problem that shows only in several values at once, or in what a value names. */
export type Finding = {
  readonly path: readonly (string | number)[];
  readonly problem: string;
  readonly mend: string;
};

type LineOf = (path: readonly PropertyKey[]) => number | null;
type Source = { readonly file: string; readonly section: string; readonly lineOf: LineOf };

/**
 * Parses outside input; never throws.
 * @param section - The part of docs/config.md that explains the file.
 * @param check - What the schema can't say; run when the schema holds.
 */
export function parseYaml<T>(
  file: string,
  text: string,
  { schema, section, check }: { schema: z.ZodType<T>; section: string; check?: (value: T) => readonly Finding[] },
): Result<T, readonly ConfigProblem[]> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    return err(
      document.errors.map(({ message, pos }) => ({
        file,
        line: lines.linePos(pos[0]).line,
        key: "",
        problem: message,
        mend: "write it as YAML",
      })),
    );
  }
  const lineOf: LineOf = (path) => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as { readonly range?: readonly number[] } | undefined;
      const start = node?.range?.[0];
      if (start !== undefined) return lines.linePos(start).line;
    }
    return null;
  };
  const source = { file, section, lineOf };
  let content: unknown;
  try {
    content = document.toJS();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return err([{ file, line: 1, key: "", problem, mend: "write it without aliases" }]);
  }
  const parsed = schema.safeParse(content);
  if (!parsed.success) return err(parsed.error.issues.flatMap((issue) => problemsOf(issue, source)));
  const findings = check?.(parsed.data) ?? [];
  return findings.length === 0
    ? ok(parsed.data)
    : err(findings.map(({ path, problem, mend }) => ({ ...at(source, path), problem, mend })));
}

function at({ file, lineOf }: Source, path: readonly PropertyKey[]): Pick<ConfigProblem, "file" | "line" | "key"> {
  return { file, line: lineOf(path), key: path.map(String).join(".") };
}

/** A message of our own schemas reads "what is wrong; how to mend it". */
function problemsOf(issue: z.core.$ZodIssue, source: Source): readonly ConfigProblem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      ...at(source, [...issue.path, key]),
      problem: "there is no such key",
      mend: `remove it, or correct its spelling (docs/config.md, ${source.section})`,
    }));
  }
  const [problem = "", mend = `see docs/config.md, ${source.section}`] = issue.message.split("; ");
  return [{ ...at(source, issue.path), problem, mend }];
}

/** One line for each problem: `FILE:LINE: KEY: what is wrong; how to mend it`. */
export function describeConfigProblems(problems: readonly ConfigProblem[]): string {
  return problems
    .map(
      ({ file, line, key, problem, mend }) =>
        `${file}${line === null ? "" : `:${line}`}: ${key === "" ? "" : `${key}: `}${problem}; ${mend}`,
    )
    .join("\n");
}
