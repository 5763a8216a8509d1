// The rows of a work list, without the page: searching, filtering, sorting, and which case comes
// next.

/** @import { CaseRow, Verdict, VerdictName } from "./types.js" */

/** @type {Record<VerdictName, string>} */
export const VERDICTS = { agree: "Agree", partly: "Partly", disagree: "Disagree", unsure: "Unsure" };
const collator = new Intl.Collator(undefined, { numeric: true });

/** @typedef {{key: string, descending?: boolean}} Order key: of a column, see worklist.js */
/** @typedef {"predicted" | "label" | "right" | "source" | "split" | "masks" | "prediction" | "verdict"} Filter */
/** @typedef {{text?: string, ids?: Set<number> | null} & Partial<Record<Filter, string>>} Wanted "" or absent: any */

/** The largest disagreement of attention and doctors comes first. @type {Order} */
export const ORDER = { key: "disagreement", descending: true };

/** Filters and their names. @type {Record<Filter, string>} */
export const FILTERS = {
  predicted: "Predicted class", label: "Label", right: "Right or wrong", source: "Source", split: "Split",
  masks: "Doctors' masks", prediction: "Prediction", verdict: "My verdict",
};
/** Filters whose choices are the same for every list. @type {Partial<Record<Filter, Record<string, string>>>} */
const FIXED_CHOICES = {
  right: { right: "right", wrong: "wrong" },
  masks: { drawn: "lesion drawn", normal: "read as normal", none: "no doctor" },
  prediction: { done: "predicted", open: "not predicted yet", problem: "cannot be read", warned: "with a warning" },
  verdict: { none: "not reviewed", any: "reviewed", ...VERDICTS },
};

/**
 * [value, name] of each choice that a filter offers. A value that is set is offered even if the
 * list no longer has it.
 * @param {CaseRow[]} rows @param {Filter} filter @param {string} set
 */
export function choices(rows, filter, set = "") {
  const fixed = FIXED_CHOICES[filter];
  if (fixed) return Object.entries(fixed);
  const found = new Set(set ? [set] : []);
  for (const row of rows) for (const value of VALUES[filter](row, "")) if (value) found.add(value);
  return [...found].sort(collator.compare).map((value) => [value, value]);
}

/**
 * A reviewer's verdict on a case, or null.
 * @param {CaseRow} row @param {string} reviewer @returns {Verdict | null}
 */
export function verdictOf(row, reviewer) {
  return Object.hasOwn(row.verdicts, reviewer) ? row.verdicts[reviewer] : null; // a name may be "constructor"
}

/**
 * The values of a row that a filter lets pass.
 * @type {Record<Filter, (row: CaseRow, reviewer: string) => (string | null)[]>}
 */
const VALUES = {
  predicted: (row) => [row.predicted],
  label: (row) => [row.label],
  source: (row) => [row.source],
  split: (row) => [row.split],
  right: (row) => [row.right ?? ""],
  masks: ({ agreement }) => {
    if (!agreement.length) return ["none"];
    return [agreement.some(({ kind }) => kind !== "normal") ? "drawn" : "normal"];
  },
  prediction: (row) => {
    const state = row.problem ? "problem" : row.predicted === null ? "open" : "done";
    return [state, row.warnings.length ? "warned" : ""];
  },
  verdict: (row, reviewer) => {
    const own = verdictOf(row, reviewer)?.verdict;
    return own ? ["any", own] : ["none"];
  },
};

/**
 * Whether the prediction is right; "" if there is none, or the label is not one of the model's
 * classes.
 * @param {Pick<CaseRow, "predicted" | "label">} row @param {string[]} classes
 */
export function rightness({ predicted, label }, classes) {
  if (!predicted || !classes.includes(label)) return "";
  return predicted === label ? "right" : "wrong";
}

/** @type {WeakMap<CaseRow, string>} what is searched in each row */
const haystacks = new WeakMap();

/** @param {CaseRow} row */
function haystackOf(row) {
  const known = haystacks.get(row);
  if (known !== undefined) return known;
  const comments = Object.entries(row.verdicts).flatMap(([reviewer, { comment }]) => [reviewer, comment]);
  const readers = row.agreement.map(({ reader }) => reader);
  const own = [row.name, row.patient, row.source, row.label, row.predicted ?? "", row.problem];
  const haystack = [...own, ...readers, ...comments].join("\n").toLowerCase();
  haystacks.set(row, haystack);
  return haystack;
}

/**
 * The rows that pass every filter and contain every word of the text.
 * @param {CaseRow[]} rows @param {Wanted} wanted @param {string} reviewer whose verdicts are "mine"
 */
export function filtered(rows, { text = "", ids = null, ...wanted }, reviewer) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const asked = /** @type {[Filter, string][]} */ (Object.entries(wanted).filter(([, value]) => value));
  return rows.filter((row) => (!ids || ids.has(row.id))
    && asked.every(([filter, value]) => VALUES[filter](row, reviewer).includes(value))
    && words.every((word) => haystackOf(row).includes(word)));
}

/** @typedef {string | number | null | undefined} SortValue */
/**
 * What columns sort by, where it is not the row's value of the same name.
 * @type {Record<string, (row: CaseRow, reviewer: string) => SortValue>}
 */
const SORT_VALUES = {
  readers: (row) => row.agreement.length || null,
  probability: (row) => row.predicted && `${row.predicted}\n${(1 - (row.probability ?? 0)).toFixed(6)}`,
  verdict: (row, reviewer) => {
    const own = verdictOf(row, reviewer)?.verdict;
    return own ? Object.keys(VERDICTS).indexOf(own) : null;
  },
};

/**
 * Rows in an order; equal rows stay as they came, and rows without a value come last in both
 * directions.
 * @param {CaseRow[]} rows @param {Order} order @param {string} reviewer
 */
export function sorted(rows, { key, descending = false }, reviewer) {
  const value = SORT_VALUES[key] ?? ((/** @type {Record<string, any>} */ row) => row[key]);
  const keyed = rows.map((row) => ({ row, value: value(row, reviewer) }));
  const hasValue = (/** @type {{value: SortValue}} */ one) => (one.value ?? "") !== "";
  const sign = descending ? -1 : 1;
  const some = keyed.filter(hasValue).sort((a, b) => sign * compared(a.value, b.value));
  return [...some, ...keyed.filter((one) => !hasValue(one))].map(({ row }) => row);
}

/** @param {SortValue} a @param {SortValue} b */
function compared(a, b) {
  return typeof a === "string" ? collator.compare(a, String(b)) : Number(a) - Number(b);
}

/**
 * The id of the next row that passes, after (by 1) or before (by -1) a row; null at the end of the
 * list.
 * @param {CaseRow[]} rows @param {number | undefined} id @param {1 | -1} by @param {(row: CaseRow) => boolean} passes
 */
export function beside(rows, id, by, passes = () => true) {
  let at = rows.findIndex((row) => row.id === id);
  if (at < 0) at = by > 0 ? -1 : rows.length;
  for (at += by; at >= 0 && at < rows.length; at += by) if (passes(rows[at])) return rows[at].id;
  return null;
}

/**
 * The id of the next row that passes, after a row and then from the beginning; null if no other row
 * passes.
 * @param {CaseRow[]} rows @param {number | undefined} id @param {(row: CaseRow) => boolean} passes
 */
export function following(rows, id, passes) {
  const at = rows.findIndex((row) => row.id === id);
  return [...rows.slice(at + 1), ...rows.slice(0, Math.max(at, 0))].find(passes)?.id ?? null;
}
