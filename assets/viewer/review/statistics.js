// Statistics of the list as plots; what stands behind a bar, a point or a cell opens when it is clicked.

import { h } from "../controls.js";

const share = (value) => `${(100 * value).toFixed(2)}%`;
const two = (value) => value.toFixed(2);

export class Statistics {
  /** @param {HTMLElement} host @param {{open: (ids: number[], name: string) => void}} page */
  constructor(host, page) {
    Object.assign(this, { host, page });
    host.classList.add("statistics");
  }

  /** Plots as tally.py describes them. */
  load(plots) {
    this.host.replaceChildren(...plots.map((plot) => this.#plot(plot)));
  }

  #plot(plot) {
    const body = { grid: () => this.#grid(plot), bars: () => this.#bars(plot), intervals: () => this.#intervals(plot) }[plot.kind]();
    return h("figure", { class: `plot ${plot.kind}` }, h("figcaption", {}, plot.title), ...body, h("p", { class: "hint" }, plot.note));
  }

  #opener(plot, name, ids, description, ...parts) {
    const title = `${name}: ${description}`;
    const options = { type: "button", title, "aria-label": `${title}. Show them in the list.`, disabled: !ids.length };
    return h("button", { ...options, click: () => this.page.open(ids, `${plot.title}: ${name}`) }, ...parts);
  }

  #grid(plot) {
    const most = Math.max(1, ...plot.cells.flat().map(({ n }) => n));
    const head = h("tr", {}, h("td"), ...plot.columns.map((name) => h("th", { scope: "col" }, name)));
    const rows = plot.rows.map((row, i) => h("tr", {}, h("th", { scope: "row" }, row), ...plot.columns.map((column, j) => {
      const { n, ids } = plot.cells[i][j];
      const cell = this.#opener(plot, `${row} / ${column}`, ids, cases(n), String(n));
      return h("td", { class: row === column ? "same" : "", style: `--share: ${share(n / most)}` }, cell);
    })));
    return plot.rows.length ? [h("div", { class: "scroll" }, h("table", {}, h("tbody", {}, head, ...rows)))] : [];
  }

  #bars(plot) {
    const most = Math.max(1, ...plot.bars.map(({ n }) => n));
    return plot.bars.map(({ name, n, ids }) => this.#opener(plot, name, ids, cases(n),
      h("span", {}, name), h("i", { class: "bar", style: `--share: ${share(n / most)}` }), h("b", {}, String(n))));
  }

  #intervals(plot) {
    const [from, to] = plot.range ?? [0, 1];
    const at = (figure) => (figure - from) / (to - from);
    const ticks = [from, (from + to) / 2, to].map((tick) => h("small", {}, String(tick)));
    const axis = h("div", { class: "axis", "aria-hidden": "true" }, h("span"), h("i", {}, ...ticks), h("span"));
    const rows = plot.bars.map(({ name, n, ids, value, low, high }) => {
      const said = value === null ? "no figure" : two(value) + (low === null ? "" : ` (${two(low)} to ${two(high)})`);
      const scale = value === null ? "display: none" : `--value: ${at(value)}; --low: ${at(low ?? value)}; --high: ${at(high ?? value)}`;
      return this.#opener(plot, name, ids, `${said}, ${cases(n)}`, h("span", {}, name), h("i", { class: "interval", style: scale }),
        h("b", {}, value === null ? "\u2013" : said), h("small", {}, `n = ${n}`));
    });
    return rows.length ? [...rows, axis] : [];
  }
}

const cases = (n) => `${n} ${n === 1 ? "case" : "cases"}`;
