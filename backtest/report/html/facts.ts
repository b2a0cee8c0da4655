/** Lists of facts: a name and a value in each row. */
import { type Content, html, type Markup } from "./markup.ts";

export type Facts = readonly (readonly [name: Content, value: Content])[];

export function factList(facts: Facts): Markup {
  return html`<dl class="fact-list">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
