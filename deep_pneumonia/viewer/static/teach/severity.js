// The severity of one pneumonia: a slider over frames that are all here, and what the network makes of each.

import { h } from "../controls.js";
import { curves } from "./plot.js";

const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}%`;

/** @param {{series: {finding, evidence, shown, area, contrast}[], said: string, limit: number}} data healthy first */
export function severity({ series, said, limit }, { scene, stage }) {
  const last = series.length - 1;
  const output = h("output");
  const slider = h("input", {
    type: "range", min: 0, max: last, step: 1, value: 0, "aria-label": "Severity", input: () => pick(Number(slider.value)),
  });
  const truth = h("p", { class: "teach-fact" });
  const read = h("p", { class: "teach-fact", "aria-live": "polite" });
  const plot = curves(
    [{ name: "finding", values: series.map((one) => one.finding) }, { name: "attention", values: series.map((one) => one.evidence) }],
    { limit, label: `Over severity 0 to ${last}: probability of a finding, and highest attention. ${said}` },
  );
  const name = (place) => (place ? `${place} of ${last}` : "none");
  const tell = (place) => {
    const { finding, evidence, shown, area, contrast } = series[place];
    output.textContent = name(place);
    slider.setAttribute("aria-valuetext", name(place));
    plot.mark(place);
    truth.textContent = place
      ? `The true lesion covers ${percent(area, 1)} of the picture and holds back up to ${percent(contrast)} of what would reach the detector.`
      : "No pneumonia: both lungs hold air.";
    read.replaceChildren("The network: ", swatch(0), `a finding ${percent(finding)}, ${shown ? "enough" : "too little"} for a map, `,
      swatch(1), `highest attention ${evidence.toFixed(2)}`);
  };
  const pick = (place) => {
    tell(place);
    scene(place, { keep: true });
  };
  tell(0);
  const shows = (part, label) => {
    const box = h("input", { type: "checkbox", "data-part": part, change: () => stage.change({ [part]: box.checked }) });
    return h("label", { class: "check" }, box, label);
  };
  return h("div", { class: "teach-widget" },
    h("label", { class: "teach-slider" }, h("span", {}, "Severity"), slider, output), truth,
    h("div", { class: "teach-checks" }, shows("masks", "True outline"), shows("attention", "Attention")), read,
    plot.element, h("p", { class: "hint" }, `Along: severity. Dotted: the ${percent(limit)} that a finding needs for a map to be shown. ${said}`));
}

function swatch(line) {
  return h("i", { class: `teach-key line-${line}` });
}
