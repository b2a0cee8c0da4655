/**
 * The page's data, and amounts as text. Runs in the page: these scripts are inlined one after the other, so each sees
 * the names of those before it. Amounts are decimal strings; they become numbers only to be drawn.
 */

/** @type {import("../page-model.ts").PageData} */
const page = JSON.parse(element("data").textContent ?? "");

/** Watt-hours in one unit of the charts. */
const unitWh = page.unit === "MWh" ? 1e6 : 1e3;
const unitDigits = page.unit === "MWh" ? 6 : 3;

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no #${id}`);
  return found;
}

/**
 * A new element with a class and text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[K]}
 */
function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className !== undefined) made.className = className;
  if (text !== undefined) made.textContent = visible(text);
  return made;
}

/**
 * Names may hold marks that turn the writing direction: these are made visible, as in the rest of the page.
 * @param {string} text
 */
function visible(text) {
  return text.replace(/[\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/**
 * `value / 10^digits` with so many decimals, rounded half away from zero, exactly.
 * @param {string | bigint} value
 * @param {number} digits
 * @param {number} decimals
 * @param {boolean} [plus]
 */
function scaledText(value, digits, decimals, plus = false) {
  const amount = BigInt(value);
  const dropped = 10n ** BigInt(digits - decimals);
  const rounded = ((amount < 0n ? -amount : amount) + dropped / 2n) / dropped;
  const unit = 10n ** BigInt(decimals);
  const whole = (rounded / unit).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  const fraction = decimals === 0 ? "" : `.${(rounded % unit).toString().padStart(decimals, "0")}`;
  const sign = rounded === 0n ? "" : amount < 0n ? "−" : plus ? "+" : "";
  return `${sign}${whole}${fraction}`;
}

/** @param {string | bigint | null} wattHours */
const energyText = (wattHours) =>
  wattHours === null ? "–" : scaledText(wattHours, unitDigits, page.unit === "MWh" ? 3 : 2);
/** @param {string | bigint | null} amount */
const moneyText = (amount) => (amount === null ? "–" : scaledText(amount, 6, 2, true));
/** @param {string | null} price */
const priceText = (price) => (price === null ? "–" : scaledText(price, 6, 4));

/** @param {string | bigint | null | undefined} wattHours */
const energyNumber = (wattHours) => (wattHours === null || wattHours === undefined ? null : Number(wattHours) / unitWh);
/** @param {string | bigint | null | undefined} amount */
const moneyNumber = (amount) => (amount === null || amount === undefined ? null : Number(amount) / 1e6);

/**
 * Numbers at an axis: as many decimals as their distance needs.
 * @param {readonly number[]} splits
 */
function axisTexts(splits) {
  const step = Math.abs((splits[1] ?? 1) - (splits[0] ?? 0));
  let decimals = 0;
  while (decimals < 4 && Math.abs(step - Number(step.toFixed(decimals))) > step / 1000) decimals++;
  return splits.map((value) => {
    const text = Math.abs(value)
      .toFixed(decimals)
      .replace(/\B(?=(\d{3})+(?!\d))/g, (_match, _group, at, all) => {
        return all.includes(".") && at > all.indexOf(".") ? "" : ",";
      });
    return value < 0 && Number(text.replaceAll(",", "")) !== 0 ? `−${text}` : text;
  });
}
