/** What all line and bar charts share: colours of the theme, axes, the readout under the pointer, the legend. */

/** @typedef {{ label: string, colour: string, series: number[], value: ((index: number) => string) | null, kind?: "line" | "area" | "band" | "dash" }} Entry */
/** @typedef {{ host: HTMLElement, plot: uPlot, tip: HTMLElement }} Chart */

/** @type {Chart[]} */
const allCharts = [];

/** @type {Map<string, string>} */
const colours = new Map();

/**
 * A colour of the page's style such as `promised`, as it is in the theme of the moment.
 * @param {string} name
 */
function colour(name) {
  let value = colours.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    colours.set(name, value);
  }
  return value;
}

/** Draws all charts again in the colours of the moment. */
function recolour() {
  colours.clear();
  // Bars keep the colour with which their paths were made; before the first drawing there is nothing to make again.
  for (const { plot } of allCharts) plot.redraw(typeof plot.scales["x"]?.min === "number");
  drawHeatMap();
}

const AXIS_FONT = "12px Inter, 'Segoe UI', system-ui, -apple-system, Roboto, 'Helvetica Neue', Arial, sans-serif";

/** @returns {Partial<uPlot.Axis>} */
function axisLook() {
  return {
    stroke: () => colour("ink-2"),
    font: AXIS_FONT,
    grid: { stroke: () => colour("grid"), width: 1 },
    ticks: { stroke: () => colour("grid"), width: 1, size: 4 },
  };
}

/** @returns {uPlot.Axis} */
function timeAxis() {
  return {
    ...axisLook(),
    size: 44,
    splits: (plot, _axis, min, max) => timeSplits(min, max, plot.bbox.width / devicePixelRatio),
    values: (_plot, splits) => timeTexts(splits),
  };
}

/** @returns {uPlot.Axis} */
function valueAxis() {
  return { ...axisLook(), size: 58, space: 34, values: (_plot, splits) => axisTexts(splits) };
}

/**
 * A scale from nought, or from below what is negative, to a little above the greatest value.
 * @param {uPlot} _plot
 * @param {number | null} min
 * @param {number | null} max
 * @returns {[number, number]}
 */
function fromZero(_plot, min, max) {
  const low = Math.min(0, min ?? 0);
  const high = Math.max(0, max ?? 0);
  const room = (high - low) * 0.06 || 1;
  return [low < 0 ? low - room : 0, high > 0 || low === 0 ? high + room : 0];
}

const steps = uPlot.paths.stepped?.({ align: 1 });
const bars = uPlot.paths.bars?.({ align: 1, size: [0.9, 60, 1] });

/**
 * Horizontal strokes, each as long as its slot, joined where neighbours both have a value.
 * @type {uPlot.Series.PathBuilder}
 */
function slotStrokes(plot, seriesIndex, from, to) {
  const stroke = new Path2D();
  const values = plot.data[seriesIndex] ?? [];
  const scale = plot.series[seriesIndex]?.scale ?? "y";
  let joined = false;
  for (let index = from; index <= to; index++) {
    const value = values[index];
    const start = plot.data[0][index];
    const end = plot.data[0][index + 1];
    if (value === null || value === undefined || start === undefined || end === undefined) {
      joined = false;
      continue;
    }
    const y = plot.valToPos(value, scale, true);
    const x = plot.valToPos(start, "x", true);
    if (joined) stroke.lineTo(x, y);
    else stroke.moveTo(x, y);
    stroke.lineTo(plot.valToPos(end, "x", true), y);
    joined = true;
  }
  return { stroke, fill: null, clip: null, band: null, flags: 1 };
}

/**
 * Draws a chart into `host` and keeps it at the host's size.
 * @param {HTMLElement} host
 * @param {Omit<uPlot.Options, "width" | "height">} options
 * @param {uPlot.AlignedData} values
 * @param {(index: number) => { title: string, entries: readonly Entry[] } | null} readout
 * @returns {Chart}
 */
function drawChart(host, options, values, readout) {
  const tip = make("div", "tip");
  tip.hidden = true;
  const plot = new uPlot(
    {
      ...options,
      width: Math.max(200, host.clientWidth),
      height: host.clientHeight,
      legend: { show: false },
      hooks: { ...options.hooks, setCursor: [(self) => showTip(host, self, tip, readout)] },
    },
    values,
    host,
  );
  host.append(tip);
  const chart = { host, plot, tip };
  allCharts.push(chart);
  new ResizeObserver(() => fitChart(chart, host.clientWidth)).observe(host);
  host.addEventListener("keydown", (event) => moveCursor(chart, event));
  host.addEventListener("pointerleave", () => {
    tip.hidden = true;
  });
  host.addEventListener("blur", () => {
    tip.hidden = true;
  });
  return chart;
}

/**
 * @param {Chart} chart
 * @param {number} width
 */
function fitChart({ plot, host }, width) {
  const height = host.clientHeight;
  if (width > 0 && height > 0 && (plot.width !== width || plot.height !== height)) plot.setSize({ width, height });
}

/**
 * The place whose step the pointer is over, which begins at or before it; uPlot offers the nearest.
 * @param {uPlot} plot
 * @param {number} _series
 * @param {number} nearest
 * @param {number} x
 */
function stepUnder(plot, _series, nearest, x) {
  return nearest > 0 && (plot.data[0][nearest] ?? 0) > x ? nearest - 1 : nearest;
}

/** The place under the pointer; null without one. @param {uPlot} plot */
function indexUnder(plot) {
  const { idxs, left = -1 } = plot.cursor;
  return left < 0 ? null : (idxs?.[0] ?? plot.cursor.idx ?? null);
}

/**
 * @param {HTMLElement} host
 * @param {uPlot} plot
 * @param {HTMLElement} tip
 * @param {(index: number) => { title: string, entries: readonly Entry[] } | null} readout
 */
function showTip(host, plot, tip, readout) {
  const index = indexUnder(plot);
  const left = plot.cursor.left ?? 0;
  const isHere = host.matches(":hover") || document.activeElement === host;
  const content = index === null || !isHere ? null : readout(index);
  tip.hidden = content === null;
  if (content === null || index === null) return;
  const rows = content.entries.map((entry) => tipRow(entry, index));
  tip.replaceChildren(make("strong", "", content.title), ...rows);
  const area = plot.over;
  const side = left > area.clientWidth / 2 ? left - tip.offsetWidth - 14 : left + 14;
  const x = Math.min(Math.max(area.offsetLeft + side, 0), Math.max(0, host.clientWidth - tip.offsetWidth));
  tip.style.transform = `translate(${Math.round(x)}px, 8px)`;
}

/**
 * @param {Entry} entry
 * @param {number} index
 */
function tipRow(entry, index) {
  const row = make("span", "tip-row");
  row.append(swatch(entry), make("span", "", entry.label), make("b", "", entry.value?.(index) ?? ""));
  return row;
}

/** @param {Entry} entry */
function swatch(entry) {
  const mark = make("i", `swatch swatch-${entry.kind ?? "line"}`);
  mark.style.setProperty("--swatch", `var(--${entry.colour})`);
  return mark;
}

/**
 * Left and right move the readout by one step, so that the chart can be read without a pointer.
 * @param {Chart} chart
 * @param {KeyboardEvent} event
 */
function moveCursor({ plot, tip }, event) {
  if (event.key === "Escape") tip.hidden = true;
  const by = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
  if (by === 0) return;
  event.preventDefault();
  const first = plot.valToIdx(plot.scales["x"]?.min ?? 0);
  const last = plot.valToIdx(plot.scales["x"]?.max ?? 0);
  const index = Math.min(last, Math.max(first, (indexUnder(plot) ?? first - by) + by));
  plot.setCursor({ left: plot.valToPos(plot.data[0][index] ?? 0, "x") + 1, top: 12 });
  element("spoken").textContent = tip.innerText;
}

/**
 * Buttons that show what the colours mean, and switch their series on and off.
 * @param {string} id
 * @param {Chart} chart
 * @param {readonly Entry[]} entries
 */
function drawLegend(id, chart, entries) {
  const place = document.querySelector(`[data-legend="${id}"]`);
  for (const entry of entries) {
    const button = make("button", "chip");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.append(swatch(entry), entry.label);
    button.addEventListener("click", () => {
      const show = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(show));
      for (const series of entry.series) chart.plot.setSeries(series, { show });
    });
    place?.append(button);
  }
}
