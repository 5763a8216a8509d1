// What a row of the work list contains.

import { h } from "../dom.js";
import { DASH, percent, twoDecimals } from "../format.js";
import { VERDICTS, verdictOf } from "./rows.js";

/** @import { CaseRow, VerdictName } from "./types.js" */

/**
 * A row of the table, as a grid of one line, or of two on a phone.
 * @param {CaseRow} row @param {string} reviewer @param {string | null} thumbnail
 */
export function rowOf(row, reviewer, thumbnail) {
  const cell = (/** @type {string} */ name, /** @type {(Node | string)[]} */ ...parts) =>
    h("div", { role: "gridcell", class: `c-${name}` }, ...parts);
  return h("div", { role: "row", class: "row" },
    cell("picture", picture(thumbnail)),
    cell("name", h("b", { title: row.name }, row.name), small(row.name.startsWith(row.patient) ? "" : row.patient)),
    cell("probability", ...prediction(row)),
    cell("label", ...labelled(row)),
    cell("source", row.source),
    cell("readers", readers(row)),
    cell("iou", score(row.iou)), cell("hit", score(row.hit)), cell("disagreement", score(row.disagreement)),
    cell("verdict", ...verdicts(row, reviewer)));
}

/** A case's picture, or the place for it. @param {string | null} url @returns {HTMLElement} */
export function picture(url) {
  if (!url) return h("span", { class: "no-picture" });
  const image = h("img", {
    src: url, alt: "", loading: "lazy", decoding: "async", error: () => image.replaceWith(picture(null)),
  });
  return image;
}

/** A verdict as a word with a mark that needs no colour. @param {VerdictName} verdict */
export function mark(verdict) {
  return h("span", { class: `verdict v-${verdict}` }, VERDICTS[verdict] ?? verdict);
}

/** @param {CaseRow} row */
function prediction(row) {
  if (row.problem) return [h("span", { class: "problem", title: row.problem }, "cannot be read")];
  if (row.predicted === null) return [h("span", { class: "unpredicted" }, "not predicted yet")];
  const share = percent(row.probability ?? 0);
  const warned = row.warnings.length ? [sign("!", `Warnings: ${row.warnings.join(", ").replaceAll("_", " ")}`)] : [];
  const meter = h("i", { class: "meter", style: `--share: ${share}` });
  return [h("span", {}, row.predicted), small(share), ...warned, meter];
}

/** @param {CaseRow} row */
function labelled(row) {
  const wrong = row.right === "wrong" ? [sign("\u2260", "The predicted class is another")] : [];
  return [...wrong, row.label || score(null)];
}

/** @param {CaseRow} row */
function readers({ agreement }) {
  const words = agreement.map(({ reader, kind }) => `${reader} (${kind === "normal" ? "read as normal" : kind})`);
  return agreement.length ? h("span", { title: words.join(", ") }, String(agreement.length)) : score(null);
}

/** @param {CaseRow} row @param {string} reviewer */
function verdicts(row, reviewer) {
  const own = verdictOf(row, reviewer);
  const others = Object.entries(row.verdicts).filter(([name]) => name !== reviewer);
  const words = others.map(([name, { verdict }]) => `${name}: ${VERDICTS[verdict]}`).join("; ");
  const number = `${others.length} other${others.length > 1 ? "s" : ""}`;
  const comment = own?.comment && `Comment: ${own.comment}`;
  return [
    own ? mark(own.verdict) : "",
    own && comment ? h("small", { title: own.comment, role: "img", "aria-label": comment }, "\u270e") : "",
    others.length ? h("small", { title: words }, `${own ? "+" : ""}${number}`) : "",
  ];
}

/** A sign that says more when it is pointed at. @param {string} text @param {string} words */
function sign(text, words) {
  return h("em", { title: words, role: "img", "aria-label": words }, text);
}

/** @param {string} words */
function small(words) {
  return words ? h("small", {}, words) : "";
}

/** @param {number | null} value */
function score(value) {
  return value === null ? h("span", { class: "none" }, DASH) : twoDecimals(value);
}
