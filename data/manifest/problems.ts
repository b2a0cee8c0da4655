/** What is wrong with a data set, where, and how to mend it: the same shape for a manifest and for the files it names. */

export type DataProblem = {
  /** An error stops; a warning is listed and the data are used with the place left empty. */
  readonly severity: "error" | "warning";
  readonly file: string;
  /** Line of the file, from 1; null where the format has no lines that mean anything. */
  readonly line: number | null;
  /** Path in the manifest, or column of the data file. */
  readonly field: string;
  readonly problem: string;
  readonly mend: string;
};

/** How many problems of one kind are listed before the rest are only counted. */
export const LISTED_PER_KIND_MAX = 5;

/** Gathers problems, and lists each kind only so often, so that a broken column of 100,000 rows stays readable. */
export type ProblemList = {
  /** `kind` groups alike problems of one file and field. */
  readonly add: (kind: string, problem: DataProblem) => void;
  readonly hasErrors: () => boolean;
  /** The problems in the order found, each kind followed by a count of what is not listed. */
  readonly list: () => readonly DataProblem[];
};

export function newProblemList(): ProblemList {
  const kinds = new Map<string, { readonly listed: DataProblem[]; more: number }>();
  return {
    add(kind, problem) {
      const key = JSON.stringify([kind, problem.file, problem.field, problem.severity]);
      const known = kinds.get(key) ?? { listed: [], more: 0 };
      kinds.set(key, known);
      if (known.listed.length < LISTED_PER_KIND_MAX) known.listed.push(problem);
      else known.more++;
    },
    hasErrors: () => [...kinds.values()].some(({ listed }) => listed[0]?.severity === "error"),
    list: () => [...kinds.values()].flatMap(({ listed, more }) => [...listed, ...rest(listed, more)]),
  };
}

function rest(listed: readonly DataProblem[], more: number): readonly DataProblem[] {
  const last = listed.at(-1);
  if (more === 0 || last === undefined) return [];
  return [{ ...last, line: null, problem: `${more} more like the ${listed.length} above`, mend: "as above" }];
}

/** One line for people: `error station01.csv:17 power: … Mend: …`. */
export function describeProblem({ severity, file, line, field, problem, mend }: DataProblem): string {
  return `${severity} ${file}${line === null ? "" : `:${line}`} ${field}: ${problem}. Mend: ${mend}.`;
}
