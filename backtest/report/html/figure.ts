/** The frame of every chart: title, caption, the chart itself with its description, and the same figures as a table. */
import { type Content, html, type Markup } from "./markup.ts";

type Plot = { readonly id: string; readonly className: string; readonly title?: string };

export type FigureOptions = {
  readonly id: string;
  readonly title: string;
  readonly caption: Content;
  /** What the chart shows, for those who don't see it. */
  readonly label: string;
  /** Places that a script draws into, from above; or the chart itself as `body`. */
  readonly plots?: readonly Plot[];
  readonly body?: Markup;
  /** The table; without it, a script fills it in when it is opened. */
  readonly twin?: Markup;
  readonly tools?: Content;
  readonly className?: string;
};

export function figure(options: FigureOptions): Markup {
  const { id, plots = [] } = options;
  const drawn = plots.map(
    (plot) => html`${plot.title === undefined ? null : html`<h4 class="plot-title">${plot.title}</h4>`}
    <div class="${plot.className}" id="${plot.id}" role="img" aria-label="${plot.title ?? options.label}" tabindex="0"></div>`,
  );
  return html`<figure class="panel ${options.className ?? ""}" id="${id}" aria-labelledby="${id}-title" aria-describedby="${id}-label">
  <div class="panel-head"><h3 id="${id}-title">${options.title}</h3>${options.tools}</div>
  <p class="hidden" id="${id}-label">${options.label}. A table with the same figures follows.</p>
  <div class="legend" data-legend="${id}"></div>
  ${options.body}${drawn}
  <figcaption class="caption">${options.caption}</figcaption>
  <details class="twin" data-twin="${id}"><summary>Figures as a table</summary><div class="twin-body">${options.twin}</div></details>
</figure>`;
}
