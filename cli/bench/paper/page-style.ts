/** The look of the experiment's page: light and dark, from a phone of 380 px to paper. Colours after Okabe and Ito. */

const LIGHT = `
  color-scheme: light;
  --page: #f4f6f7; --panel: #ffffff; --ink: #13212b; --ink-2: #4d5f6b; --line: #d9e0e4; --grid: #e7ecef;
  --accent: #0b6e99; --good: #11684a; --good-soft: #e2f4ec; --warn: #7a4b00; --warn-soft: #fff4dd; --bad: #a3180c; --bad-soft: #fdeae7;
  --series-0: #0f5c9c; --series-1: #0b8f6d; --series-2: #d1500a; --series-3: #8a2f74; --series-4: #b8860b; --series-5: #4f9fd6;
  --class-0: #9aa6ad; --class-1: #c9d2d7; --class-2: #0f5c9c; --class-3: #56a8dd; --class-4: #0b8f6d; --class-5: #e3a70c; --class-6: #d1500a; --class-7: #8a2f74;
  --class-text-dark: #13212b; --class-text-light: #ffffff;`;

const DARK = `
  color-scheme: dark;
  --page: #0d1418; --panel: #151e24; --ink: #e8eef2; --ink-2: #a3b3bd; --line: #2a3740; --grid: #222e36;
  --accent: #6cc0e8; --good: #6fd6ac; --good-soft: #12291f; --warn: #f6cf86; --warn-soft: #2b2312; --bad: #ff9d90; --bad-soft: #33150f;
  --series-0: #6db5f2; --series-1: #35c596; --series-2: #ff8442; --series-3: #e08fca; --series-4: #e3bf4f; --series-5: #b7dcf7;`;

/** Classes whose colour is dark enough for light letters. */
const DARK_CLASSES = [2, 4, 6, 7];

export const PAGE_STYLE: string = `:root {${LIGHT}
}
@media screen and (prefers-color-scheme: dark) { :root {${DARK}
} }
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 Inter, "Segoe UI", system-ui, -apple-system, Roboto, "Helvetica Neue", Arial, sans-serif; font-feature-settings: "tnum" 1, "lnum" 1; }
h1, h2, p, ul, dl, dd, figure, blockquote { margin: 0; padding: 0; }
main { max-width: 1212px; margin: 0 auto; padding: 2rem 1rem 3rem; }
h1 { font-size: clamp(1.7rem, 1.2rem + 2vw, 2.4rem); font-weight: 700; letter-spacing: -0.025em; line-height: 1.15; }
h2 { font-size: 1.3rem; font-weight: 650; letter-spacing: -0.01em; line-height: 1.25; }
section { margin-top: 2.6rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.lead { margin-top: 0.6rem; max-width: 78ch; color: var(--ink-2); }
.cards { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 0.75rem; margin-top: 1.5rem; }
.card, .panel { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.1rem; min-width: 0; }
.card dt { color: var(--ink-2); font-size: 0.88rem; }
.card .value { margin-top: 0.15rem; font-size: 1.5rem; font-weight: 650; letter-spacing: -0.02em; line-height: 1.3; }
.card .note { color: var(--ink-2); font-size: 0.84rem; overflow-wrap: anywhere; }
.mark-met, .mark-noise, .mark-missed { display: inline-block; margin-top: 0.5rem; padding: 0.05rem 0.6rem; border: 1px solid currentcolor; border-radius: 99px; font-size: 0.8rem; font-weight: 600; }
.mark-met { color: var(--good); background: var(--good-soft); }
.mark-noise { color: var(--warn); background: var(--warn-soft); }
.mark-missed { color: var(--bad); background: var(--bad-soft); }
.panel { margin-top: 0.9rem; }
.beside { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0.75rem 2rem; margin-top: 0.9rem; font-size: 0.92rem; }
.beside h3 { margin: 0 0 0.2rem; font-size: 0.82rem; font-weight: 600; color: var(--ink-2); }
.beside blockquote { padding-left: 0.9rem; border-left: 3px solid var(--line); }
.beside blockquote + blockquote { margin-top: 0.6rem; }
.wide { overflow-x: auto; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--ink-2); font-size: 10.5px; }
svg .facet { fill: var(--ink); font-weight: 600; font-size: 11px; }
svg .axis-title { font-size: 11px; }
.ground { fill: none; stroke: var(--line); }
.grid { stroke: var(--grid); }
.line { fill: none; stroke-width: 1.8; }
.mark { stroke-width: 0; }
.whisker { stroke: var(--ink-2); stroke-width: 1.2; }
${Array.from({ length: 6 }, (_, index) => `.line.series-${index} { stroke: var(--series-${index}); } .mark.series-${index} { fill: var(--series-${index}); }`).join("\n")}
${Array.from({ length: 8 }, (_, index) => `.part.class-${index}, .swatch.class-${index} { fill: var(--class-${index}); }`).join("\n")}
svg .part-text { fill: var(--class-text-dark); font-size: 9.5px; }
${DARK_CLASSES.map((index) => `svg .class-text-${index} { fill: var(--class-text-light); }`).join("\n")}
.part { stroke: var(--panel); stroke-width: 0.7; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; margin-bottom: 0.5rem; padding: 0; list-style: none; color: var(--ink-2); font-size: 0.84rem; }
.legend li { display: inline-flex; align-items: center; gap: 0.4rem; }
.legend svg { width: 16px; height: 12px; }
details { margin-top: 0.7rem; }
summary { color: var(--accent); font-size: 0.88rem; cursor: pointer; }
table { width: 100%; border-collapse: collapse; font-size: 0.86rem; }
caption { padding: 0.4rem 0; color: var(--ink-2); text-align: left; }
th, td { padding: 0.3rem 0.5rem; border-bottom: 1px solid var(--grid); text-align: right; white-space: nowrap; }
th[scope="row"], .text { text-align: left; font-weight: 500; }
thead th { color: var(--ink-2); font-weight: 500; vertical-align: bottom; }
.notes { padding-left: 1.1rem; }
.notes li { max-width: 92ch; margin-top: 0.3rem; }
.foot { margin-top: 2.5rem; color: var(--ink-2); font-size: 0.85rem; }
@media (max-width: 900px) { .cards { grid-template-columns: repeat(2, minmax(0, 1fr)); } .beside { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 560px) { .cards { grid-template-columns: minmax(0, 1fr); } main { padding-inline: 0.75rem; } .panel { padding: 0.8rem; } }
@media print {
  @page { margin: 12mm; size: A4 landscape; }
  body { background: none; font-size: 9.5pt; }
  main { max-width: none; padding: 0; }
  .card, .panel { border-color: #cccccc; break-inside: avoid; }
  .wide { overflow: visible; }
  svg { min-width: 0 !important; }
  .part, .mark, .swatch { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2, .beside { break-after: avoid; }
  details:not([open]) { display: none; }
}
`;
