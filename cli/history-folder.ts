/** The history of a folder that a command was given. */
import { type HistoryStep, historyIn } from "#ledger-node";
import { CommandFailure, EXIT } from "./exit.ts";

/** @throws CommandFailure for a folder without stores that can be read. */
export function readHistory(folder: string): readonly HistoryStep[] {
  const history = historyIn(folder);
  if (history.ok) return history.value;
  const { tag, path } = history.error;
  if (tag === "no_stores")
    throw new CommandFailure(
      EXIT.notFound,
      `${path}: holds no ledger stores (*.sqlite); give a run directory, its folder ledger/, or the folder of a network or node`,
    );
  throw new CommandFailure(EXIT.error, `${path}: a store can't be read; restore it from a copy`);
}
