/** Figures of the experiment as text, the same in the terminal and on the page. */
import { type Cell, type Machine, TASK_NAMES } from "./experiment.ts";

const MEGABYTE = 1_000_000;

export function megabytes(bytes: number): string {
  return (bytes / MEGABYTE).toFixed(0);
}

/** Milliseconds with three digits that say something. */
export function milliseconds(seconds: number): string {
  const value = seconds * 1_000;
  return value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
}

export function ratioText(ratio: number): string {
  return `× ${ratio.toFixed(2)}`;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function listed(items: readonly (string | number)[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

export function cellText({ task, nodes, requests }: Cell): string {
  return `${TASK_NAMES[task]}, ${counted(nodes, "node")}, ${counted(requests, "request")}`;
}

export function machineText({ cpu, cores, memoryBytes, runtime, loadBefore, loadAfter }: Machine): string {
  const load = `load ${loadBefore.toFixed(1)} before, ${loadAfter.toFixed(1)} after`;
  return `${counted(cores, "core")} (${cpu}) · ${(memoryBytes / 1e9).toFixed(0)} GB · ${runtime} · ${load}`;
}

/** Such as `state_conflict 2, node_unreachable 1`, the most frequent first. */
export function refusalsText(refusals: Readonly<Record<string, number>>): string {
  return Object.entries(refusals)
    .sort(([, left], [, right]) => right - left)
    .map(([code, count]) => `${code} ${count}`)
    .join(", ");
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
