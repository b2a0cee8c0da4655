/** What the words and figures of the report mean: shown on hover, and listed at its end. */
import { html, type Markup } from "./markup.ts";

export type Term = keyof typeof DEFINITIONS;

/** Each figure in a sentence or two; the same text on hover and in the list. */
export const DEFINITIONS = {
  promise:
    "Energy that a member undertook to put into the grid in one slot. It can be traded until the slot’s gate closes.",
  delivered: "Promised energy that the meters confirmed.",
  shortfall:
    "Promised energy that was not delivered. The power company covers it, and the supplier loses the deposit for it.",
  "kept promises": "Delivered energy as a share of promised energy, rounded down.",
  traded: "Energy that changed hands on the marketplace, counted once for each trade.",
  produced: "Energy that the members’ plants produced, by the meters.",
  consumed: "Energy that the members used, by the meters.",
  bought: "Energy that the member bought on the marketplace.",
  sold: "Energy that the member sold on the marketplace.",
  net: "All the member’s money for energy: trades, fees, lost deposits, feed-in and retail. Negative when it paid.",
  baseline:
    "What the same production and use would have come to without a market: surplus at the feed-in price, need at the retail price.",
  gain: "Net less baseline: what the market was worth to the member. Negative when it would have been better off without.",
  "deposit lost": "Deposits that went to the power company because promised energy was not delivered.",
  fees: "What the marketplace takes per kWh, which the buyer pays on top of the price, and what the grid authority takes for checking deliveries.",
  price: "Mean price of the trades, weighted by their energy.",
  "feed-in price": "What the power company pays for energy that nobody bought: the floor of any sensible trade.",
  "retail price": "What the power company takes for energy that nobody sold: the ceiling of any sensible trade.",
  forecast:
    "What the plants were expected to produce, as known when the forecast was issued. In 10 of 100 cases less than the 10 % quantile should come, and in 10 of 100 more than the 90 % quantile. The band adds up the members’ quantiles: as far as their errors cancel out, it is wider than it would have to be.",
  nMAE: "Mean absolute error of the middle forecast, in per cent of capacity for plants and of mean load for loads.",
  pinball:
    "Mean pinball loss of the forecast’s quantiles, in per cent of the same. It is smaller the better the whole spread of the forecast was.",
  "in 80 % band": "Readings between the 10 % and the 90 % quantile, in per cent. A well-judged forecast has 80.",
  skill:
    "How much smaller the error was than that of persistence (the last known day again), in per cent. Below zero, repeating that day would have done better.",
  denied:
    "What strategies intended and did not get: held back by the risk gate before it reached the ledger, or rejected there; by reason.",
  transactions:
    "Changes of ownership or money on the ledger. Each is signed by its parties, checked by contracts, and made final by a notary.",
  aggregator:
    "Runs one node for many members. It acts by a key of its own for each, under a mandate that the member can revoke with one transaction.",
  "meter operator":
    "Reads the meters independently of others. A reading counts as far as the reports of the operators agree.",
  certified: "What a supplier says of its energy, countersigned by a verification agency before it was sold.",
  contradicted: "Certified energy that did not come, or that another agency says is not what was certified.",
  covered:
    "Own promises that were sold and could not be kept, for which the supplier gave its buyers energy that it had bought of others. Its deposit came back.",
  "surplus cost": "What buyers paid for energy that they had bought and did not use.",
  statement: "What a member used in a month, by hour and source. The file in the run directory has every hour.",
  "run hash": "Fingerprint of all that happened in the run. The same command with the same seed gives the same hash.",
} as const;

/** A word with its definition on hover. */
export function term(name: Term, shown: string = name): Markup {
  return html`<abbr title="${DEFINITIONS[name]}">${shown}</abbr>`;
}

/** What the figures rest on: whoever reads them should know. */
export const ASSUMPTIONS: readonly string[] = [
  "Weather, production and use are what the community’s data say; trading does not change them, except where a member moves its use or its battery.",
  "Strategies see only what was known at the time: forecasts with the moment of their issue, readings after their slot.",
  "Whatever is left over goes to the power company at the feed-in price, and whatever is missing comes from it at the retail price. Both are always possible.",
  "The baseline takes the same production and use, settled at the feed-in and retail prices alone.",
  "A shortfall costs the supplier the deposit for it. The buyer has its energy in any case: the power company delivers it.",
  "Members trade among themselves only. Losses in the grid, and taxes beyond the prices given, are left out.",
  "Money is exact to a millionth of the currency and energy to a watt-hour. Figures on this page are rounded for reading, half away from zero; percentages of kept promises are rounded down.",
];
