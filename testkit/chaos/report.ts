/** The report of a chaos run, as text for a terminal and as a page. */
import type { ClientCommandTag } from "#contracts";
import type { Outcome } from "./clients.ts";
import type { ChaosReport, Check } from "./result.ts";

const PROBLEMS_SHOWN_MAX = 12;

export type FlowCounts = { created: number; refused: number; resolved: number };

/** Per kind of command: carried out, refused, and how many of both were ambiguous first. */
export function flowCounts(outcomes: readonly Outcome[]): ReadonlyMap<ClientCommandTag, FlowCounts> {
  const counts = new Map<ClientCommandTag, FlowCounts>();
  for (const { command, told, ambiguous } of outcomes) {
    const count = counts.get(command.tag) ?? { created: 0, refused: 0, resolved: 0 };
    if (told.tag === "refused") count.refused += 1;
    else count.created += 1;
    if (ambiguous > 0) count.resolved += 1;
    counts.set(command.tag, count);
  }
  return new Map([...counts].sort(([left], [right]) => (left < right ? -1 : 1)));
}

export function isSound({ checks }: Pick<ChaosReport, "checks">): boolean {
  return checks.every(({ problems }) => problems.length === 0);
}

export function refusalCounts(outcomes: readonly Outcome[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { told } of outcomes)
    if (told.tag === "refused") counts.set(told.reason, (counts.get(told.reason) ?? 0) + 1);
  return new Map([...counts].sort(([, left], [, right]) => right - left));
}

/** Plain text; every line ends. */
export function renderChaos(report: ChaosReport): string {
  const { seed, seconds, nodes, kills, wholeStops, pauses, storesFilled, wireFaults, outcomes, transactions } = report;
  const total = Object.values(kills).reduce((sum, count) => sum + count, 0);
  const flows = [...flowCounts(outcomes)].map(
    ([tag, { created, refused, resolved }]) =>
      `  ${tag.padEnd(18)} ${String(created).padStart(6)} created ${String(refused).padStart(6)} refused ${String(resolved).padStart(6)} ambiguous first`,
  );
  return `${[
    isSound(report)
      ? "Sound: everything happened once, everywhere, or not at all."
      : `NOT SOUND; stores and logs are kept in ${report.folder}`,
    `seed           ${seed}`,
    `time           ${seconds.toFixed(0)} s, ${nodes} processes`,
    `kills          ${total}: ${listed(kills)}`,
    `all at once    ${wholeStops}`,
    `pauses         ${pauses}`,
    `stores full    ${storesFilled}`,
    `messages       ${listed(wireFaults)}`,
    `transactions   ${transactions}`,
    `commands       ${outcomes.length}`,
    ...flows,
    `refusals       ${listed(Object.fromEntries(refusalCounts(outcomes)))}`,
    "checks",
    ...report.checks.flatMap(checkLines),
  ].join("\n")}\n`;
}

function checkLines({ name, compared, problems }: Check): readonly string[] {
  return [
    `  ${problems.length === 0 ? "passed" : "FAILED"}  ${name} (${compared})`,
    ...problems.slice(0, PROBLEMS_SHOWN_MAX).map((problem) => `            ${problem}`),
    ...(problems.length > PROBLEMS_SHOWN_MAX ? [`            and ${problems.length - PROBLEMS_SHOWN_MAX} more`] : []),
  ];
}

function listed(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts);
  return entries.length === 0 ? "none" : entries.map(([name, count]) => `${count} ${name}`).join(", ");
}

/** A page of the documents. @param day - Of the run, YYYY-MM-DD. */
export function chaosPage(report: ChaosReport, day: string, command: string): string {
  const { seed, seconds, nodes, kills, wholeStops, pauses, storesFilled, wireFaults, outcomes, transactions } = report;
  const total = Object.values(kills).reduce((sum, count) => sum + count, 0);
  const rows = [...flowCounts(outcomes)].map(
    ([tag, { created, refused, resolved }]) => `| ${tag} | ${created} | ${refused} | ${resolved} |`,
  );
  const checks = report.checks.map(
    ({ name, compared, problems }) =>
      `| ${name} | ${compared} | ${problems.length === 0 ? "passed" : `${problems.length} problems`} |`,
  );
  return `${[
    "# The last long chaos run",
    "",
    `Written by \`${command}\` on ${day}; [chaos.md](chaos.md) explains what is done and checked.`,
    "",
    `**${isSound(report) ? "Sound" : "Not sound"}**: seed \`${seed}\`, ${nodes} processes, ${seconds.toFixed(0)} seconds, ${transactions} final transactions.`,
    "",
    "| fault | times |",
    "| --- | --- |",
    `| kill -9 of one node | ${total} (${listed(kills)}) |`,
    `| kill -9 of all nodes at once | ${wholeStops} |`,
    `| paused for up to 4 seconds | ${pauses} |`,
    `| store full | ${storesFilled} |`,
    ...Object.entries(wireFaults).map(([name, count]) => `| message ${name} | ${count} |`),
    "",
    "| command | created | refused | ambiguous first, then resolved |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
    "| check | compared | result |",
    "| --- | --- | --- |",
    ...checks,
  ].join("\n")}\n`;
}
