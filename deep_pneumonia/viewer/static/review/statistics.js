// Statistics of the list as plots; what stands behind a bar, a point or a cell opens when it is clicked.

import { h } from "../controls.js";

const share = (value) => `${(100 * value).toFixed(2)}%`;
const two = (value) => value.toFixed(2);
const cases = (n) => `${n.toLocaleString("en")} ${n === 1 ? "case" : "cases"}`;

/** What a bar or point says in words, without its name. */
export function figure({ n, value, low, high }) {
  if (value === null || value === undefined) return `no figure, ${cases(n)}`;
  return `${two(value)}${low === null ? "" : ` (${two(low)} to ${two(high)})`}, ${cases(n)}`;
}

/** Where a point and its interval stand on the axis, in [0, 1]; null where there is no figure. */
export function placed({ value, low, high }, [from, to]) {
  if (value === null) return null;
  const at = (figure) => Math.min(Math.max((figure - from) / (to - from), 0), 1);
  return { value: at(value), low: at(low ?? value), high: at(high ?? value) };
}

export class Statistics {
  /** @param {HTMLElement} host @param {{open: (ids: number[], name: string) => void}} page */
  constructor(host, page) {
    Object.assign(this, { host, page, made: new Map() });
    host.classList.add("statistics");
  }

  /** Plots as tally.py describes them; those that are as they were keep their elements, and the focus in them. */
  load(plots) {
    const focus = this.host.contains(document.activeElement) ? document.activeElement.dataset.part : null;
    const before = this.made;
    this.made = new Map(plots.map((plot) => {
      const text = JSON.stringify(plot);
      return [text, before.get(text) ?? this.#plot(plot)];
    }));
    this.host.replaceChildren(...this.made.values());
    const buttons = focus ? [...this.host.querySelectorAll("button")] : [];
    buttons.find(({ dataset }) => dataset.part === focus)?.focus({ preventScroll: true });
  }

  #plot(plot) {
    const body = plot.kind === "grid" ? this.#grid(plot) : plot.kind === "bars" ? this.#bars(plot) : this.#intervals(plot);
    const note = h("p", { class: "hint" }, plot.note);
    return h("figure", { class: `plot ${plot.kind}` }, h("figcaption", {}, plot.title), ...body, note);
  }

  #opener(plot, name, ids, said, ...parts) {
    const title = `${name}: ${said}`;
    return h("button", {
      type: "button", title, "aria-label": `${title}. Show them in the list.`, disabled: !ids.length,
      "data-part": `${plot.key}/${name}`, click: () => this.page.open(ids, `${plot.title}: ${name}`),
    }, ...parts);
  }

  #grid(plot) {
    if (!plot.rows.length) return [];
    const most = Math.max(1, ...plot.cells.flat().map(({ n }) => n));
    const head = h("tr", {}, h("td", { class: "corner" }), ...plot.columns.map((name) => h("th", { scope: "col" }, name)));
    const rows = plot.rows.map((row, i) => h("tr", {}, h("th", { scope: "row" }, row), ...plot.columns.map((column, j) => {
      const { n, ids } = plot.cells[i][j];
      const cell = this.#opener(plot, `${row} / ${column}`, ids, cases(n), n.toLocaleString("en"));
      return h("td", { class: row === column ? "same" : "", style: `--share: ${share(n / most)}` }, cell);
    })));
    return [h("div", { class: "scroll" }, h("table", {}, h("tbody", {}, head, ...rows)))];
  }

  #bars(plot) {
    const most = Math.max(1, ...plot.bars.map(({ n }) => n));
    return plot.bars.map(({ name, n, ids }) => this.#opener(plot, name, ids, cases(n),
      h("span", {}, name), h("i", { class: "bar", style: `--share: ${share(n / most)}` }), h("b", {}, n.toLocaleString("en"))));
  }

  #intervals(plot) {
    if (!plot.bars.length) return [];
    const [from, to] = plot.range ?? [0, 1];
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => h("small", { style: `--value: ${part}` }, String(from + part * (to - from))));
    const axis = h("div", { class: "axis", "aria-hidden": "true" }, h("span"), h("i", {}, ...ticks), h("b"), h("small"));
    return [...plot.bars.map((bar) => this.#point(plot, bar, [from, to])), axis];
  }

  #point(plot, bar, range) {
    const at = placed(bar, range);
    const scale = at ? `--value: ${at.value}; --low: ${at.low}; --high: ${at.high}` : "";
    const none = bar.value === null;
    return this.#opener(plot, bar.name, bar.ids, figure(bar), h("span", {}, bar.name),
      h("i", { class: none ? "interval none" : "interval", style: scale }), h("b", {}, none ? "\u2013" : two(bar.value)),
      h("small", {}, `n = ${bar.n.toLocaleString("en")}`));
  }
}
