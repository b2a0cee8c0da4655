/** The heat map: traded energy or gain for each hour of each day. */

/** @typedef {"traded" | "gain"} MapKind */

const GUTTER = 44;
const FOOT = 34;
const HOURS = 24;

/** The sum of each hour of each day, `null` where the day has no such hour. */
const heat = heatOf();
/** @type {MapKind} */
let mapKind = "traded";
/** Day and hour under the pointer or chosen by keys. @type {{ day: number, hour: number } | null} */
let mapCell = null;

function heatOf() {
  /** @type {Map<string, { traded: (bigint | null)[], gain: (bigint | null)[] }>} */
  const days = new Map();
  for (const [index, startMs] of page.timeline.startMs.entries()) {
    const wall = wallClock(startMs);
    const key = dayKey(wall);
    const day = days.get(key) ?? { traded: new Array(HOURS).fill(null), gain: new Array(HOURS).fill(null) };
    days.set(key, day);
    const hour = wall.getUTCHours();
    day.traded[hour] = (day.traded[hour] ?? 0n) + BigInt(page.timeline.tradedWh[index] ?? 0);
    day.gain[hour] = (day.gain[hour] ?? 0n) + BigInt(page.timeline.gainMicros[index] ?? 0);
  }
  return [...days].map(([day, sums]) => ({ day, ...sums }));
}

/** The greatest size of any cell, as a number: the end of the colour scale. @param {MapKind} kind */
function mapTop(kind) {
  let top = 0;
  for (const day of heat) for (const sum of day[kind]) top = Math.max(top, Math.abs(Number(sum ?? 0n)));
  return top;
}

/** @param {MapKind} kind @param {bigint | null} sum */
const mapText = (kind, sum) =>
  sum === null
    ? "no such hour"
    : kind === "traded"
      ? `${energyText(sum)} ${page.unit}`
      : `${moneyText(sum)} ${page.currency}`;

/** @param {number} [printWidth] in place of the width of the page's column */
function drawHeatMap(printWidth) {
  const host = document.getElementById("map-plot");
  const canvas = host?.querySelector("canvas");
  if (host === null || canvas === null || canvas === undefined || heat.length === 0) return;
  const width = printWidth ?? Math.max(200, host.clientWidth);
  const height = host.clientHeight;
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  pen.scale(devicePixelRatio, devicePixelRatio);
  pen.font = AXIS_FONT;
  const cellWidth = (width - GUTTER) / heat.length;
  const cellHeight = (height - FOOT) / HOURS;
  drawCells(pen, cellWidth, cellHeight);
  drawMapMarks(pen, cellWidth, cellHeight, height);
  if (mapCell === null) return;
  pen.strokeStyle = colour("ink");
  pen.lineWidth = 2;
  pen.strokeRect(GUTTER + mapCell.day * cellWidth, mapCell.hour * cellHeight, cellWidth, cellHeight);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number} cellWidth
 * @param {number} cellHeight
 */
function drawCells(pen, cellWidth, cellHeight) {
  const top = mapTop(mapKind) || 1;
  const gap = cellWidth > 5 ? 1 : 0;
  for (const [day, sums] of heat.entries()) {
    const left = Math.round((GUTTER + day * cellWidth) * 2) / 2;
    const width = GUTTER + (day + 1) * cellWidth - left - gap;
    for (const [hour, sum] of sums[mapKind].entries()) {
      const isMissing = sum === null;
      pen.fillStyle = isMissing ? colour("grid") : mapColour(mapKind, Number(sum) / top);
      pen.fillRect(left, (hour + (isMissing ? 0.5 : 0)) * cellHeight, width, isMissing ? 1 : cellHeight - gap);
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number} cellWidth
 * @param {number} cellHeight
 * @param {number} height
 */
function drawMapMarks(pen, cellWidth, cellHeight, height) {
  pen.fillStyle = colour("ink-2");
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (let hour = 0; hour < HOURS; hour += 3) pen.fillText(`${two(hour)}:00`, GUTTER - 8, (hour + 0.5) * cellHeight);
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const { index, lines } of dayMarks(
    heat.map((day) => day.day),
    cellWidth * heat.length,
  )) {
    const x = GUTTER + (index + 0.5) * cellWidth;
    for (const [line, text] of lines.entries()) pen.fillText(text, x, height - FOOT + 5 + 14 * line);
  }
}

/**
 * The colour of a share of the greatest size, -1…1.
 * @param {MapKind} kind
 * @param {number} share
 */
function mapColour(kind, share) {
  const end = kind === "traded" ? "volume" : share < 0 ? "down" : "up";
  return mixed(colour("heat-zero"), colour(end), Math.min(1, Math.abs(share)) ** 0.75);
}

/**
 * Between two colours written as `#rrggbb`.
 * @param {string} from
 * @param {string} to
 * @param {number} share
 */
function mixed(from, to, share) {
  const parts = [1, 3, 5].map((at) => {
    const low = Number.parseInt(from.slice(at, at + 2), 16);
    return Math.round(low + (Number.parseInt(to.slice(at, at + 2), 16) - low) * share);
  });
  return `rgb(${parts.join(" ")})`;
}

function startHeatMap() {
  const host = element("map-plot");
  const canvas = make("canvas");
  const tip = make("div", "tip");
  tip.hidden = true;
  host.append(canvas, tip);
  new ResizeObserver(() => drawHeatMap()).observe(host);
  host.addEventListener("pointermove", (event) => pointAt(host, tip, event));
  host.addEventListener("pointerleave", () => chooseCell(host, tip, null));
  host.addEventListener("blur", () => chooseCell(host, tip, null));
  host.addEventListener("keydown", (event) => stepCell(host, tip, event));
  for (const button of document.querySelectorAll("[data-map]")) {
    button.addEventListener("click", () => {
      mapKind = /** @type {HTMLElement} */ (button).dataset["map"] === "gain" ? "gain" : "traded";
      for (const other of document.querySelectorAll("[data-map]"))
        other.setAttribute("aria-pressed", String(other === button));
      drawMapKey();
      drawHeatMap();
    });
  }
  drawMapKey();
  drawHeatMap();
}

function drawMapKey() {
  const place = document.querySelector('[data-legend="map"]');
  const top = BigInt(Math.round(mapTop(mapKind)));
  const low = mapKind === "gain" ? -top : 0n;
  place?.replaceChildren(
    make("span", "key", mapText(mapKind, low)),
    make("i", `ramp ramp-${mapKind}`),
    make("span", "key", mapText(mapKind, top)),
  );
}

/**
 * @param {HTMLElement} host
 * @param {HTMLElement} tip
 * @param {PointerEvent} event
 */
function pointAt(host, tip, event) {
  const box = host.getBoundingClientRect();
  const day = Math.floor(((event.clientX - box.left - GUTTER) / (box.width - GUTTER)) * heat.length);
  const hour = Math.floor(((event.clientY - box.top) / (box.height - FOOT)) * HOURS);
  const isInside = day >= 0 && day < heat.length && hour >= 0 && hour < HOURS;
  chooseCell(host, tip, isInside ? { day, hour } : null);
}

/**
 * @param {HTMLElement} host
 * @param {HTMLElement} tip
 * @param {KeyboardEvent} event
 */
function stepCell(host, tip, event) {
  const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (by === undefined) return;
  event.preventDefault();
  const [days = 0, hours = 0] = by;
  const day = Math.min(heat.length - 1, Math.max(0, (mapCell?.day ?? -days) + days));
  const hour = Math.min(HOURS - 1, Math.max(0, (mapCell?.hour ?? -hours) + hours));
  chooseCell(host, tip, { day, hour });
  element("spoken").textContent = tip.innerText;
}

/**
 * @param {HTMLElement} host
 * @param {HTMLElement} tip
 * @param {{ day: number, hour: number } | null} cell
 */
function chooseCell(host, tip, cell) {
  if (cell?.day === mapCell?.day && cell?.hour === mapCell?.hour) return;
  mapCell = cell;
  drawHeatMap();
  const day = heat[cell?.day ?? -1];
  tip.hidden = cell === null || day === undefined;
  if (cell === null || day === undefined) return;
  const title = `${dayName(day.day)}, ${hourText(cell.hour)}`;
  const rows = [
    tipRow(
      {
        label: "Traded",
        colour: "volume",
        kind: "area",
        series: [],
        value: () => mapText("traded", day.traded[cell.hour] ?? null),
      },
      0,
    ),
    tipRow(
      {
        label: "Gain",
        colour: "up",
        kind: "area",
        series: [],
        value: () => mapText("gain", day.gain[cell.hour] ?? null),
      },
      0,
    ),
  ];
  tip.replaceChildren(make("strong", "", title), ...rows);
  const x = GUTTER + ((cell.day + 0.5) / heat.length) * (host.clientWidth - GUTTER);
  const left = x > host.clientWidth / 2 ? x - tip.offsetWidth - 18 : x + 18;
  const y = Math.min((cell.hour / HOURS) * (host.clientHeight - FOOT), host.clientHeight - tip.offsetHeight);
  tip.style.transform = `translate(${Math.round(Math.max(0, left))}px, ${Math.round(y)}px)`;
}
