// The rows of a work list, without the page: what is searched, filtered, sorted, and which case comes next.

export const VERDICTS = { agree: "Agree", partly: "Partly", disagree: "Disagree", unsure: "Unsure" };
const collator = new Intl.Collator(undefined, { numeric: true });

/** Where attention and doctors are furthest apart comes first. */
export const ORDER = { key: "disagreement", descending: true };

/** Choices of each filter: those that a row can be asked without knowing the list, and those that the list gives. */
export const FILTERS = {
  predicted: "Predicted class", label: "Label", right: "Right or wrong", source: "Source", split: "Split",
  masks: "Doctors' masks", reading: "Reading", verdict: "My verdict",
};
const FIXED = {
  right: { right: "right", wrong: "wrong" },
  masks: { drawn: "lesion drawn", normal: "read as normal", none: "no doctor" },
  reading: { read: "read", unread: "not read yet", problem: "cannot be read", warned: "with a warning" },
  verdict: { none: "not reviewed", any: "reviewed", ...VERDICTS },
};

/** [value, name] of what a filter offers in this list, and of what it is set to although the list has it no more. */
export function choices(rows, filter, set = "") {
  if (FIXED[filter]) return Object.entries(FIXED[filter]);
  const found = new Set(set ? [set] : []);
  for (const row of rows) if (row[filter]) found.add(row[filter]);
  return [...found].sort(collator.compare).map((value) => [value, value]);
}

/** A reviewer's verdict on a case, or null. Names are anybody's: "constructor" has given none. */
export function verdictOf(row, reviewer) {
  return Object.hasOwn(row.verdicts, reviewer) ? row.verdicts[reviewer] : null;
}

const ASKED = {
  predicted: (row) => [row.predicted],
  label: (row) => [row.label],
  source: (row) => [row.source],
  split: (row) => [row.split],
  right: (row) => [row.right],
  masks: (row) => [!row.agreement.length ? "none" : row.agreement.some(({ kind }) => kind !== "normal") ? "drawn" : "normal"],
  reading: (row) => [row.problem ? "problem" : row.predicted === null ? "unread" : "read", row.warnings.length ? "warned" : ""],
  verdict: (row, reviewer) => {
    const own = verdictOf(row, reviewer)?.verdict;
    return own ? ["any", own] : ["none"];
  },
};

/** Whether the prediction is "right" or "wrong"; "" where it was not read, or the label is no class of the model's. */
export function rightness({ predicted, label }, classes) {
  return !predicted || !classes.includes(label) ? "" : predicted === label ? "right" : "wrong";
}

const haystacks = new WeakMap(); // rows are replaced, never changed

function haystack(row) {
  if (!haystacks.has(row)) {
    const comments = Object.entries(row.verdicts).flatMap(([reviewer, { comment }]) => [reviewer, comment]);
    const readers = row.agreement.map(({ reader }) => reader);
    const parts = [row.name, row.patient, row.source, row.label, row.predicted ?? "", row.problem, ...readers, ...comments];
    haystacks.set(row, parts.join("\n").toLowerCase());
  }
  return haystacks.get(row);
}

/**
 * Rows that pass.
 * @param {object[]} rows @param {{text?: string, ids?: Set<number> | null, [filter: string]: string}} wanted
 * @param {string} reviewer whose verdicts are "mine"
 */
export function filtered(rows, { text = "", ids = null, ...wanted }, reviewer) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const asked = Object.entries(wanted).filter(([, value]) => value);
  return rows.filter((row) => (!ids || ids.has(row.id))
    && asked.every(([filter, value]) => ASKED[filter](row, reviewer).includes(value))
    && words.every((word) => haystack(row).includes(word)));
}

const VALUE = {
  readers: (row) => row.agreement.length || null,
  probability: (row) => row.predicted && `${row.predicted}\n${(1 - row.probability).toFixed(6)}`,
  verdict: (row, reviewer) => {
    const place = Object.keys(VERDICTS).indexOf(verdictOf(row, reviewer)?.verdict);
    return place < 0 ? null : place;
  },
};

/** Rows in an order: equal ones as they came, those without a value last, whichever way it goes. */
export function sorted(rows, { key, descending }, reviewer) {
  const value = VALUE[key] ?? ((row) => row[key]);
  const keyed = rows.map((row) => [value(row, reviewer), row]);
  const [some, none] = [[], []];
  for (const pair of keyed) (pair[0] === null || pair[0] === "" ? none : some).push(pair);
  const sign = descending ? -1 : 1;
  const compare = typeof some[0]?.[0] === "string" ? collator.compare : (a, b) => a - b;
  some.sort(([a], [b]) => sign * compare(a, b));
  return [...some, ...none].map(([, row]) => row);
}

/** The id of the first row that passes, after (by 1) or before (by -1) this one; null at the end of the list. */
export function beside(rows, id, by, passes = () => true) {
  let at = rows.findIndex((row) => row.id === id);
  if (at < 0) at = by > 0 ? -1 : rows.length;
  for (at += by; at >= 0 && at < rows.length; at += by) if (passes(rows[at])) return rows[at].id;
  return null;
}

/** The next id that passes, after this one and round from the list's beginning; null where no other does. */
export function following(rows, id, passes) {
  const at = rows.findIndex((row) => row.id === id);
  return [...rows.slice(at + 1), ...rows.slice(0, Math.max(at, 0))].find(passes)?.id ?? null;
}
