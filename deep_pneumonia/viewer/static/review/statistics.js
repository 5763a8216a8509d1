// Statistics of the list as plots; a click on a bar, a point or a cell lists the cases behind it.

import { h } from "../dom.js";
import { DASH, cases, clamp, grouped, percent, twoDecimals } from "../format.js";

/** @import { Bar, BarPlot, GridPlot, Plot } from "./types.js" */

/**
 * A bar's value, its interval and its number of cases in words.
 * @param {Omit<Bar, "name" | "ids">} bar
 */
export function valueInWords({ n, value, low, high }) {
  if (value === null || value === undefined) return `no value, ${cases(n)}`;
  return `${twoDecimals(value)}${low === null ? "" : ` (${twoDecimals(low)} to ${twoDecimals(high)})`}, ${cases(n)}`;
}

/**
 * Where a value and its interval stand on the axis, in [0, 1]; null if there is no value.
 * @param {Pick<Bar, "value" | "low" | "high">} bar @param {[number, number]} range of the axis
 */
export function placed({ value, low, high }, [from, to]) {
  if (value === null) return null;
  const at = (/** @type {number} */ one) => clamp((one - from) / (to - from), 0, 1);
  return { value: at(value), low: at(low ?? value), high: at(high ?? value) };
}

export class Statistics {
  /** @type {Map<string, HTMLElement>} plots by their JSON */
  #made = new Map();

  /** @param {HTMLElement} host @param {{open: (ids: number[], name: string) => void}} page */
  constructor(host, page) {
    this.host = host;
    this.page = page;
    host.classList.add("statistics");
  }

  /**
   * Show plots; those that did not change keep their elements, and the focus in them.
   * @param {Plot[]} plots
   */
  load(plots) {
    const { activeElement } = document;
    const isHere = activeElement instanceof HTMLElement && this.host.contains(activeElement);
    const focus = isHere ? activeElement.dataset.part : null;
    const before = this.#made;
    this.#made = new Map(plots.map((plot) => {
      const text = JSON.stringify(plot);
      return [text, before.get(text) ?? this.#plot(plot)];
    }));
    this.host.replaceChildren(...this.#made.values());
    if (!focus) return;
    const buttons = [...this.host.querySelectorAll("button")];
    buttons.find(({ dataset }) => dataset.part === focus)?.focus({ preventScroll: true });
  }

  /** @param {Plot} plot */
  #plot(plot) {
    const note = h("p", { class: "hint" }, plot.note);
    return h("figure", { class: `plot ${plot.kind}` }, h("figcaption", {}, plot.title), ...this.#body(plot), note);
  }

  /** @param {Plot} plot */
  #body(plot) {
    if (plot.kind === "grid") return this.#grid(plot);
    return plot.kind === "bars" ? this.#bars(plot) : this.#intervals(plot);
  }

  /**
   * A part of a plot that lists its cases.
   * @param {Plot} plot @param {string} name @param {number[]} ids @param {string} words
   * @param {(Node | string)[]} parts
   */
  #opener(plot, name, ids, words, ...parts) {
    const title = `${name}: ${words}`;
    return h("button", {
      type: "button", title, "aria-label": `${title}. Show them in the list.`, disabled: !ids.length,
      "data-part": `${plot.key}/${name}`, click: () => this.page.open(ids, `${plot.title}: ${name}`),
    }, ...parts);
  }

  /** @param {GridPlot} plot */
  #grid(plot) {
    if (!plot.rows.length) return [];
    const most = Math.max(1, ...plot.cells.flat().map(({ n }) => n));
    const names = plot.columns.map((name) => h("th", { scope: "col" }, name));
    const head = h("tr", {}, h("td", { class: "corner" }), ...names);
    const rows = plot.rows.map((row, i) => {
      const cells = plot.columns.map((column, j) => {
        const { n, ids } = plot.cells[i][j];
        const opener = this.#opener(plot, `${row} / ${column}`, ids, cases(n), grouped(n));
        return h("td", { class: row === column ? "same" : "", style: `--share: ${percent(n / most, 2)}` }, opener);
      });
      return h("tr", {}, h("th", { scope: "row" }, row), ...cells);
    });
    return [h("div", { class: "scroll" }, h("table", {}, h("tbody", {}, head, ...rows)))];
  }

  /** @param {BarPlot} plot */
  #bars(plot) {
    const most = Math.max(1, ...plot.bars.map(({ n }) => n));
    return plot.bars.map(({ name, n, ids }) => this.#opener(plot, name, ids, cases(n), h("span", {}, name),
      h("i", { class: "bar", style: `--share: ${percent(n / most, 2)}` }), h("b", {}, grouped(n))));
  }

  /** @param {BarPlot} plot */
  #intervals(plot) {
    if (!plot.bars.length) return [];
    const [from, to] = plot.range ?? [0, 1];
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) =>
      h("small", { style: `--value: ${share}` }, String(from + share * (to - from))));
    const axis = h("div", { class: "axis", "aria-hidden": "true" },
      h("span"), h("i", {}, ...ticks), h("b"), h("small"));
    return [...plot.bars.map((bar) => this.#point(plot, bar, [from, to])), axis];
  }

  /** @param {BarPlot} plot @param {Bar} bar @param {[number, number]} range */
  #point(plot, bar, range) {
    const at = placed(bar, range);
    const style = at ? `--value: ${at.value}; --low: ${at.low}; --high: ${at.high}` : "";
    return this.#opener(plot, bar.name, bar.ids, valueInWords(bar), h("span", {}, bar.name),
      h("i", { class: at ? "interval" : "interval none", style }),
      h("b", {}, bar.value === null ? DASH : twoDecimals(bar.value)), h("small", {}, `n = ${grouped(bar.n)}`));
  }
}
