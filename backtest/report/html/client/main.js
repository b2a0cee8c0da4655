/** Starts the page: charts, tables, period, colours, print. */

const darkSystem = matchMedia("(prefers-color-scheme: dark)");
const THEMES = ["auto", "light", "dark"];
const THEME_KEY = "dream-report-theme";
/** Charts are this wide on paper, which fits A4 and Letter. */
const PRINT_WIDTH = 690;

/** Storage may be refused, as it is for files in some browsers: then the choice lasts as long as the page. */
function storedTheme() {
  try {
    return localStorage.getItem(THEME_KEY) ?? "auto";
  } catch {
    return "auto";
  }
}

/** @param {string} theme */
function setTheme(theme) {
  const button = element("theme");
  const name = THEMES.includes(theme) ? theme : "auto";
  if (name === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = name;
  button.textContent = `Theme: ${name}`;
  button.dataset["value"] = name;
  button.title = name === "auto" ? "Light or dark as the system" : "";
  recolour();
}

function startTheme() {
  const button = element("theme");
  setTheme(storedTheme());
  darkSystem.addEventListener("change", recolour);
  button.addEventListener("click", () => {
    const now = button.dataset["value"] ?? "auto";
    const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length] ?? "auto";
    setTheme(next);
    try {
      localStorage.setItem(THEME_KEY, next);
    } catch {
      // The choice lasts as long as the page.
    }
  });
}

/** First and last instant of the run. @returns {[number, number]} */
const wholeRun = () => [places[0]?.atMs ?? 0, places.at(-1)?.atMs ?? 1];

function startRanges() {
  for (const button of element("ranges").querySelectorAll("button")) {
    const { days, move } = button.dataset;
    button.addEventListener("click", () => {
      if (move !== undefined) movePeriod(Number(move));
      else if (days === "0") showPeriod(...wholeRun());
      else showDays(Number(days));
    });
  }
}

/** Shows so many local days from the first that is now seen. @param {number} days */
function showDays(days) {
  const [first, last] = wholeRun();
  const seen = timeCharts[0]?.plot.scales["x"]?.min ?? first;
  const wall = wallClock(seen);
  const midnight = Math.floor(wall.getTime() / DAY) * DAY;
  const latest = Math.max(first, instantOf(wallClock(last).getTime() - days * DAY));
  const start = Math.min(Math.max(first, instantOf(midnight)), latest);
  showPeriod(start, Math.min(last, instantOf(wallClock(start).getTime() + days * DAY)));
}

/** @param {number} by periods */
function movePeriod(by) {
  const [first, last] = wholeRun();
  const x = timeCharts[0]?.plot.scales["x"];
  const min = x?.min ?? first;
  const length = (x?.max ?? last) - min;
  const start = Math.min(Math.max(first, min + by * length), last - length);
  showPeriod(start, start + length);
}

/**
 * Presses the button of the period that is shown.
 * @param {number} min
 * @param {number} max
 */
function markRange(min, max) {
  const [first, last] = wholeRun();
  const days = Math.round((max - min) / HOUR) / 24;
  for (const button of element("ranges").querySelectorAll("button")) {
    const own = button.dataset["days"];
    if (own === undefined) continue;
    const isAll = min <= first && max >= last;
    const isShown = own === "0" ? isAll : !isAll && Math.abs(days - Number(own)) < 0.05;
    button.setAttribute("aria-pressed", String(isShown));
  }
}

function startPrint() {
  element("print").addEventListener("click", () => print());
  let theme = "auto";
  addEventListener("beforeprint", () => {
    theme = element("theme").dataset["value"] ?? "auto";
    document.documentElement.dataset["printing"] = "true";
    setTheme("light");
    for (const chart of allCharts) fitChart(chart, PRINT_WIDTH);
    drawHeatMap(PRINT_WIDTH);
  });
  addEventListener("afterprint", () => {
    delete document.documentElement.dataset["printing"];
    setTheme(theme);
    for (const chart of allCharts) fitChart(chart, chart.host.clientWidth);
    drawHeatMap();
  });
}

function start() {
  const spoken = make("div", "hidden");
  spoken.id = "spoken";
  spoken.setAttribute("aria-live", "polite");
  document.body.append(spoken);
  if (page.timeline.startMs.length > 0) {
    drawEnergy();
    drawMarket();
    drawHours();
    startHeatMap();
    startRanges();
  }
  if (document.getElementById("gain-by-day") !== null) drawGains();
  startTables();
  startTheme();
  startPrint();
  document.documentElement.dataset["ready"] = String(Math.round(performance.now())); // Milliseconds since the page was asked for.
}

start();
