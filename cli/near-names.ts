/** "Did you mean": the names nearest to one that there is not. */
import { compareText } from "#core";
import { editDistance } from "#strategies";

const NEAR_MAX = 5;

/** At most five of the names: those that hold the text first, then the least unlike. */
export function nearNames(text: string, names: Iterable<string>): readonly string[] {
  const wanted = text.toLowerCase();
  return [...new Set(names)]
    .map((name) => ({
      name,
      isPart: name.toLowerCase().includes(wanted) ? 0 : 1,
      distance: editDistance(wanted, name.toLowerCase()),
    }))
    .sort(
      (left, right) =>
        left.isPart - right.isPart || left.distance - right.distance || compareText(left.name, right.name),
    )
    .slice(0, NEAR_MAX)
    .map(({ name }) => name);
}
