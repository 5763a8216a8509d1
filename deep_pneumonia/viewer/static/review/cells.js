// What stands in a row of the work list.

import { h } from "../controls.js";
import { VERDICTS, verdictOf } from "./rows.js";

/** A row of the table, as a grid of one line, or of two on a phone. */
export function rowOf(row, reviewer, thumbnail) {
  const cell = (name, ...parts) => h("div", { role: "gridcell", class: `c-${name}` }, ...parts);
  return h("div", { role: "row", class: "row" },
    cell("picture", picture(thumbnail)),
    cell("name", h("b", { title: row.name }, row.name), small(row.name.startsWith(row.patient) ? "" : row.patient)),
    cell("probability", ...reading(row)),
    cell("label", ...labelled(row)),
    cell("source", row.source),
    cell("readers", ...readers(row)),
    cell("iou", figure(row.iou)), cell("hit", figure(row.hit)), cell("disagreement", figure(row.disagreement)),
    cell("verdict", ...verdicts(row, reviewer)));
}

/** A case's picture, or the place for it. */
export function picture(url) {
  if (!url) return h("span", { class: "no-picture" });
  const failed = (event) => event.target.replaceWith(picture(null));
  return h("img", { src: url, alt: "", loading: "lazy", decoding: "async", error: failed });
}

/** A verdict as a word with a mark that needs no colour. */
export function mark(verdict) {
  return h("span", { class: `verdict v-${verdict}` }, VERDICTS[verdict] ?? verdict);
}

function reading(row) {
  if (row.problem) return [h("span", { class: "problem", title: row.problem }, "cannot be read")];
  if (row.predicted === null) return [h("span", { class: "unread" }, "not read yet")];
  const percent = `${Math.round(row.probability * 100)}%`;
  const said = `Warnings: ${row.warnings.join(", ").replaceAll("_", " ")}`;
  const warned = row.warnings.length ? [h("em", { title: said, role: "img", "aria-label": said }, "!")] : [];
  return [h("span", {}, row.predicted), small(percent), ...warned, h("i", { class: "meter", style: `--share: ${percent}` })];
}

function labelled(row) {
  const said = "The predicted class is another";
  const wrong = row.right === "wrong" ? [h("em", { title: said, role: "img", "aria-label": said }, "\u2260")] : [];
  return [...wrong, row.label || dash()];
}

function readers({ agreement }) {
  const said = agreement.map(({ reader, kind }) => `${reader} (${kind === "normal" ? "read as normal" : kind})`).join(", ");
  return [agreement.length ? h("span", { title: said }, String(agreement.length)) : dash()];
}

function verdicts(row, reviewer) {
  const own = verdictOf(row, reviewer);
  const others = Object.entries(row.verdicts).filter(([name]) => name !== reviewer);
  const said = others.map(([name, { verdict }]) => `${name}: ${VERDICTS[verdict]}`).join("; ");
  return [
    own ? mark(own.verdict) : "",
    own?.comment ? h("small", { title: own.comment, role: "img", "aria-label": `Comment: ${own.comment}` }, "\u270e") : "",
    others.length ? h("small", { title: said }, `${own ? "+" : ""}${others.length} other${others.length > 1 ? "s" : ""}`) : "",
  ];
}

const small = (words) => (words ? h("small", {}, words) : "");
const figure = (value) => (value === null ? dash() : value.toFixed(2));
const dash = () => h("span", { class: "none" }, "\u2013");
