// The severity of one pneumonia: a slider over frames that are all loaded, and the model's
// prediction of each.

import { h, labelledSlider } from "../dom.js";
import { percent } from "../format.js";
import { curves } from "./plot.js";

/** @import { SeverityData, SeverityFrame, WidgetTools } from "./types.js" */

/** @param {SeverityData} data @param {WidgetTools} tools */
export function severity({ series, said, limit }, { scene, stage }) {
  const last = series.length - 1;
  const chosen = { place: 0 };
  const truth = h("p", { class: "teach-fact" });
  const prediction = h("p", { class: "teach-fact", "aria-live": "polite" });
  const plot = curves([series.map((frame) => frame.finding), series.map((frame) => frame.evidence)],
    { limit, label: `Over severity 0 to ${last}: probability of a finding, and highest attention. ${said}` });
  const tell = (/** @type {number} */ place) => {
    chosen.place = place;
    plot.mark(place);
    truth.textContent = place ? truthOf(series[place]) : "No pneumonia: both lungs hold air.";
    prediction.replaceChildren(...predictionOf(series[place]));
  };
  const slider = labelledSlider("Severity", { min: 0, max: last, value: 0 }, {
    text: () => (chosen.place ? `${chosen.place} of ${last}` : "none"), write: (place) => {
      tell(place);
      scene(place, { keep: true });
    },
  });
  tell(0);
  const check = (/** @type {"masks" | "attention"} */ part, /** @type {string} */ label) => {
    const change = () => stage.change({ [part]: box.checked });
    const box = h("input", { type: "checkbox", "data-part": part, change });
    return h("label", { class: "check" }, box, label);
  };
  return h("div", { class: "teach-widget" }, slider.element, truth,
    h("div", { class: "teach-checks" }, check("masks", "True outline"), check("attention", "Attention")), prediction,
    plot.element, h("p", { class: "hint" }, `Across: severity. Dotted: the probability of a finding from which on a `
      + `map is shown, ${percent(limit)}. ${said}`));
}

/** @param {SeverityFrame} frame */
function truthOf({ area, contrast }) {
  return `The true lesion covers ${percent(area, 1)} of the picture and absorbs up to ${percent(contrast)} of the `
    + "radiation that would otherwise reach the detector.";
}

/** @param {SeverityFrame} frame */
function predictionOf({ finding, evidence, shown }) {
  return ["The model: ", swatch(0), `a finding ${percent(finding)}, ${shown ? "enough" : "too little"} for a map, `,
    swatch(1), `highest attention ${evidence.toFixed(2)}`];
}

/** @param {number} line of the plot */
function swatch(line) {
  return h("i", { class: `teach-key line-${line}` });
}
