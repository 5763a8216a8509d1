// What is said after a case, and the running score.

import { h } from "../dom.js";
import { DASH, percent, twoDecimals } from "../format.js";
import { plot } from "./quiz-plot.js";
import { ofModel, score, sureness } from "./quiz-score.js";

/** @import { Score } from "../types.js" */
/** @import { MeanScores, Result, Revealed, ScoreKey, ScoreValues } from "./types.js" */

const OVERLAPS = new Set(["iou", "dice", "share_inside"]); // the scores that compare two masks
const CONTROLS = "Each score goes from 0 to 1. Beside the attention stand two controls, because a large lesion is hit "
  + "by chance: a random map, which has the attention's values in random order, and a fixed map of the lungs' centres.";
const BRIER = "The Brier score is the mean squared difference between confidence and outcome: 0 is best, and 0.25 is "
  + "what always saying 50% gives. It penalises certain but wrong answers most. The model has the same cases as you.";
const NO_RESULTS = "After the first case, your score stands here, and how well your confidence matches it.";
const LEGEND = "model, with the number of answers; bars are 95% intervals. On the dashed line, confidence equals the "
  + "share right.";

/**
 * The verdict on one case and its three sets of scores.
 * @param {Revealed} found @param {Score[]} scores
 */
export function result(found, scores) {
  const point = found.teaching_point && h("span", {}, h("b", {}, "To learn: "), found.teaching_point);
  const verdict = `${found.right ? "Right" : "Not right"}: ${found.truth}`;
  return h("div", { class: "quiz-result" },
    h("h3", { class: "quiz-verdict", "data-right": String(found.right) }, verdict),
    h("p", {}, inWords(found)),
    found.title && h("p", { class: "quiz-title" }, h("b", {}, found.title)),
    ...[found.findings, point].filter(Boolean).map((part) => h("p", {}, part)),
    byDoctors(found, scores),
    byMap("Attention against the doctors", found.attention.doctors, scores),
    byMap("Attention against your mark", found.attention.learner, scores),
    h("details", {}, h("summary", {}, "What these scores mean"), h("p", {}, CONTROLS),
      h("dl", {}, ...scores.flatMap(({ name, hint }) => [h("dt", {}, name), h("dd", {}, `${hint}.`)]))),
  );
}

/** @param {Revealed} found */
function inWords({ answer, confidence, model, ill, marked, readers }) {
  const subject = readers.length > 1 ? "The doctors" : "The doctor";
  const drew = marked ? "you drew a lesion" : "you drew none";
  const doctors = !readers.length ? "No doctor drew here." : ill ? "" : `${subject} read it as normal, and ${drew}.`;
  const hidden = model.marked ? "" : " Its attention is too weak to be shown.";
  const answers = `You said ${answer}, ${percent(confidence)} sure. The model says ${model.answer}, `
    + `${percent(model.confidence)}: ${model.right ? "right" : "not right"}.`;
  return `${answers}${hidden} ${doctors}`.trimEnd();
}

/** @param {Revealed} found @param {Score[]} scores */
function byDoctors({ doctors, among, marked }, scores) {
  if (!doctors.length) return "";
  const overlaps = scores.filter(({ key }) => OVERLAPS.has(key));
  const values = (/** @type {ScoreValues} */ one) =>
    overlaps.map(({ key }) => twoDecimals(one[/** @type {ScoreKey} */ (key)]));
  const rows = doctors.map((one) => row(one.reader, values(one)));
  if (among) rows.push(row("Doctors with each other", [twoDecimals(among.iou), twoDecimals(among.dice), ""]));
  const title = marked ? "Your mark against the doctors" : "You drew nothing where the doctors drew this";
  return table(title, overlaps.map(({ name }) => name), rows);
}

/** @param {string} title @param {MeanScores | null} found @param {Score[]} scores */
function byMap(title, found, scores) {
  if (!found) return "";
  const { random, centre } = found.controls;
  const rows = scores.map(({ key, name, hint }) => {
    const [attention, chance, lungs] = [found, random, centre].map((map) => map[/** @type {ScoreKey} */ (key)]);
    const written = (/** @type {number | null} */ value) =>
      (key === "hit" ? hitInWords(value, found.n) : twoDecimals(value));
    return row(name, [written(attention), twoDecimals(chance), written(lungs)], hint);
  });
  return table(found.n > 1 ? `${title}, mean of ${found.n}` : title, ["Attention", "Random map", "Lung centres"], rows);
}

/** One hit is yes or no, several have a mean. @param {number | null} value @param {number} n */
function hitInWords(value, n) {
  if (n > 1 || (value !== null && value % 1)) return twoDecimals(value);
  return value === null ? DASH : value ? "yes" : "no";
}

/** The learner's score beside the model's, and the calibration plot. @param {Result[]} results */
export function scored(results) {
  if (!results.length) return h("p", { class: "hint" }, NO_RESULTS);
  const you = score(results);
  const model = score(ofModel(results));
  const both = (/** @type {string} */ name, /** @type {(side: typeof you) => string} */ text, hint = "") =>
    row(name, [text(you), text(model)], hint);
  const rows = [
    both("Class right", ({ right, n }) => `${right} of ${n}`),
    both(you.ious ? `IoU, mean of ${you.ious} with a lesion` : "IoU with the doctors", ({ iou }) => twoDecimals(iou),
      "overlap with the doctors' masks; 0 where you drew nothing"),
    both("Normal cases left unmarked", ({ unmarked, normal }) => (normal ? `${unmarked} of ${normal}` : DASH)),
    both("Brier score", (side) => twoDecimals(side.brier), "mean squared error of the confidence"),
  ];
  return h("div", { class: "quiz-score" }, table("Score", ["You", "Model"], rows),
    h("h4", {}, "Calibration"), plot(results, ofModel(results)),
    h("p", { class: "quiz-legend" }, h("span", { class: "quiz-key quiz-you" }), "you ",
      h("span", { class: "quiz-key quiz-model" }), LEGEND),
    h("p", {}, sureness(you)), h("p", { class: "hint" }, BRIER),
  );
}

/** @param {string} title @param {string[]} heads @param {Node[]} rows */
function table(title, heads, rows) {
  return h("table", {}, h("caption", {}, title),
    h("thead", {}, h("tr", {}, h("td"), ...heads.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, ...rows));
}

/** @param {string} name @param {string[]} cells @param {string} hint */
function row(name, cells, hint = "") {
  return h("tr", {}, h("th", { scope: "row", title: hint || null }, name), ...cells.map((text) => h("td", {}, text)));
}
