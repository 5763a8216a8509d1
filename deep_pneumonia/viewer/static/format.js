// Numbers as the page shows them.

export const DASH = "\u2013"; // where there is no number

/** A score with two decimals, or a dash. @param {number | null | undefined} value */
export function twoDecimals(value) {
  return value === null || value === undefined ? DASH : value.toFixed(2);
}

/** @param {number} share in [0, 1] */
export function percent(share, digits = 0) {
  return `${(100 * share).toFixed(digits)}%`;
}

/** A whole number with separators of thousands. @param {number} n */
export function grouped(n) {
  return n.toLocaleString("en");
}

/** @param {number} n */
export function cases(n) {
  return `${grouped(n)} ${n === 1 ? "case" : "cases"}`;
}

/** The time of day, hours and minutes. */
export function clock() {
  return new Date().toTimeString().slice(0, 5);
}

/**
 * A time that the server sent, on the visitor's clock; "" if it is not a time.
 * @param {string} time
 */
export function localTime(time) {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

/** @param {number} value @param {number} low @param {number} high */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** @param {number[]} values @returns {number} */
export function sum(values) {
  return values.reduce((a, b) => a + b, 0);
}
