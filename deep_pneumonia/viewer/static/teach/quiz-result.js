// What is said after a case, and the running score.

import { h } from "../controls.js";
import { plot } from "./quiz-plot.js";
import { ofModel, score, sureness } from "./quiz-score.js";

const OVERLAP = { iou: "IoU", dice: "Dice", share_inside: "Share inside" };
const HINTS = {
  hit: "the attention's highest point lies in the mask",
  iou: "intersection over union",
  dice: "twice the intersection over the sum of both areas",
  share_inside: "share of the first that lies in the second",
  average_precision: "how well the map ranks the mask's pixels first",
};
const MAP = { hit: "Hit", ...OVERLAP, average_precision: "Average precision" };
const percent = (share) => `${Math.round(100 * share)}%`;
const figure = (value) => (value === null || value === undefined ? "\u2013" : value.toFixed(2));

/** The verdict on one case and its three sets of figures. @param {object} found the server's answer */
export function result(found) {
  const teaching = [found.findings, found.teaching_point && h("span", {}, h("b", {}, "To learn: "), found.teaching_point)];
  return h("div", { class: "quiz-result" },
    h("h3", { class: "quiz-verdict", "data-right": String(found.right) }, `${found.right ? "Right" : "Not right"}: ${found.truth}`),
    h("p", {}, said(found)),
    found.title && h("p", { class: "quiz-title" }, h("b", {}, found.title)),
    ...teaching.filter(Boolean).map((part) => h("p", {}, part)),
    byDoctors(found),
    byMap("Attention against the doctors", found.attention.doctors),
    byMap("Attention against your mark", found.attention.learner),
    h("details", {}, h("summary", {}, "What these figures mean"), h("p", {}, "Each goes from 0 to 1. Beside the attention stand "
      + "two maps that know nothing of the lesion, because a large one is hit by chance: the attention's own values in random "
      + "order, and a fixed map of the lungs' centres."),
    h("dl", {}, ...Object.entries(MAP).flatMap(([key, name]) => [h("dt", {}, name), h("dd", {}, `${HINTS[key]}.`)]))),
  );
}

function said({ answer, confidence, model, ill, marked, readers }) {
  const doctors = !readers.length ? "No doctor drew here."
    : ill ? "" : `${readers.length > 1 ? "The doctors" : "The doctor"} read it as normal${marked ? ", and you drew a lesion." : ", and you drew none."}`;
  const shown = model.marked ? "" : " Its attention is too weak to be shown.";
  return `You said ${answer}, ${percent(confidence)} sure. The model says ${model.answer}, ${percent(model.confidence)}: `
    + `${model.right ? "right" : "not right"}.${shown} ${doctors}`.trimEnd();
}

function byDoctors({ doctors, among, marked }) {
  if (!doctors.length) return "";
  const rows = doctors.map((one) => row(one.reader, Object.keys(OVERLAP).map((key) => figure(one[key]))));
  if (among) rows.push(row("Doctors with each other", [figure(among.iou), figure(among.dice), ""]));
  return table(marked ? "Your mark against the doctors" : "You drew nothing where the doctors drew this", Object.values(OVERLAP), rows);
}

function byMap(title, found) {
  if (!found) return "";
  const hit = (value) => (value === null ? "\u2013" : found.n === 1 && value % 1 === 0 ? (value ? "yes" : "no") : figure(value));
  const maps = [found, found.controls.random, found.controls.centre];
  const rows = Object.entries(MAP).map(([key, name]) =>
    row(name, maps.map((map, i) => (key === "hit" && i !== 1 ? hit(map.hit) : figure(map[key]))), HINTS[key]));
  return table(found.n > 1 ? `${title}, mean of ${found.n}` : title, ["Attention", "Random map", "Lung centres"], rows);
}

/** The learner's score beside the model's, and the calibration plot. @param {object[]} results */
export function scored(results) {
  if (!results.length) return h("p", { class: "hint" }, "Your score and how well you know what you know stand here after the first case.");
  const [you, model] = [score(results), score(ofModel(results))];
  const both = (name, text, hint) => row(name, [text(you), text(model)], hint);
  const rows = [
    both("Class right", ({ right, n }) => `${right} of ${n}`),
    both(you.ious ? `IoU, mean of ${you.ious} with a lesion` : "IoU with the doctors", ({ iou }) => figure(iou), "overlap with the doctors' masks; 0 where you drew nothing"),
    both("Normal ones left unmarked", ({ unmarked, normal }) => (normal ? `${unmarked} of ${normal}` : "\u2013")),
    both("Brier score", ({ brier }) => figure(brier), "mean squared error of the confidence"),
  ];
  return h("div", { class: "quiz-score" }, table("Score", ["You", "Model"], rows),
    h("h4", {}, "Calibration"), plot(results, ofModel(results)),
    h("p", { class: "quiz-legend" }, h("span", { class: "quiz-key quiz-you" }), "you ", h("span", { class: "quiz-key quiz-model" }),
      "model, with how many answers; bars are 95% intervals. On the dashed line confidence is what it promises"),
    h("p", {}, sureness(you)),
    h("p", { class: "hint" }, "The Brier score is the mean squared difference between confidence and outcome: 0 is best, always "
      + "saying 50% gives 0.25, and it punishes being sure and wrong most. The model has the same cases as you."),
  );
}

function table(title, heads, rows) {
  return h("table", {}, h("caption", {}, title),
    h("thead", {}, h("tr", {}, h("td", {}), ...heads.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, ...rows));
}

function row(name, cells, hint = null) {
  return h("tr", {}, h("th", { scope: "row", title: hint }, name), ...cells.map((text) => h("td", {}, text)));
}
