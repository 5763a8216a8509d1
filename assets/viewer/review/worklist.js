// The work list: search, filters and order above a table of which only the rows in view are in the page.

import { h } from "../controls.js";
import { FILTERS, ORDER, VERDICTS, beside, choices, filtered, following, rightness, sorted } from "./rows.js";
import { Virtual } from "./virtual.js";

const COLUMNS = [
  ["name", "Case", false], ["probability", "Predicted", false], ["label", "Label", false], ["source", "Source", false],
  ["readers", "Doctors", true], ["iou", "IoU", true], ["hit", "Hit", true], ["disagreement", "Disagreement", true],
  ["verdict", "Verdict", false],
];
const [ROW, CARD] = [46, 76]; // pixels; the same stand in review.css
const NARROW = "(max-width: 760px)";

export class WorkList {
  /**
   * @param {HTMLElement} host
   * @param {{thumbnail: (row: object) => string | null, open: (id: number) => void, changed: () => void}} page
   *   changed: which rows are shown, or in which order
   */
  constructor(host, page) {
    Object.assign(this, { host, page, rows: [], wanted: {}, order: { ...ORDER }, reviewer: "" });
    this.narrow = matchMedia(NARROW);
    this.table = new Virtual({
      label: "Work list", role: "grid", row: (row) => this.#row(row), height: () => (this.narrow.matches ? CARD : ROW),
      picked: ({ id }) => page.open(id),
    });
    this.count = h("p", { class: "count", role: "status" });
    this.chip = h("button", { type: "button", class: "chip", hidden: true, click: () => this.filterTo(null) });
    this.clear = h("button", { type: "button", click: () => this.#cleared() }, "Clear filters");
    this.heads = COLUMNS.map(([key, name, down]) => this.#head(key, name, down));
    host.classList.add("work-list");
    host.append(this.#filters(), h("div", { class: "found" }, this.count, this.chip, this.clear),
      h("div", { class: "heads", role: "row" }, h("span"), ...this.heads), this.table.element);
    this.narrow.addEventListener("change", () => this.refresh());
  }

  /** @param {object[]} rows as worklist.py describes them @param {string[]} classes of the checkpoint */
  load(rows, classes) {
    this.classes = classes;
    this.rows = rows;
    for (const row of rows) row.right = rightness(row, classes);
    this.places = new Map(rows.map((row, at) => [row.id, at]));
    for (const filter of Object.keys(FILTERS)) this.#offer(filter);
    this.refresh();
  }

  /** Rows that changed; the others, filters and place stay. The order stays too, or a row would run from the hand. */
  update(rows) {
    for (const row of rows) {
      row.right = rightness(row, this.classes);
      this.rows[this.places.get(row.id)] = row;
    }
    const now = this.ordered?.map(({ id }) => this.row(id)) ?? [];
    this.#show(now);
    for (const filter of ["predicted"]) this.#offer(filter);
  }

  row(id) {
    return this.rows[this.places?.get(id)] ?? null;
  }

  /** Ids on the screen, after filters, in their order. */
  get shown() {
    return (this.ordered ?? []).map(({ id }) => id);
  }

  /** Show these cases alone, under a name that says why; null for all. */
  filterTo(ids, name = "") {
    this.wanted.ids = ids && new Set(ids);
    this.chip.hidden = !ids;
    this.chip.textContent = `${name} \u00d7`;
    this.chip.setAttribute("aria-label", `Remove the filter ${name}`);
    this.refresh();
  }

  next(id) {
    return beside(this.shown, id, 1);
  }

  previous(id) {
    return beside(this.shown, id, -1);
  }

  nextUnreviewed(id) {
    return following(this.shown, id, (one) => !this.row(one).verdicts[this.reviewer]);
  }

  /** Filter and sort anew. */
  refresh() {
    this.#show(sorted(filtered(this.rows, this.wanted, this.reviewer), this.order, this.reviewer));
    this.heads.forEach((head, i) => {
      const on = COLUMNS[i][0] === this.order.key;
      head.setAttribute("aria-sort", !on ? "none" : this.order.descending ? "descending" : "ascending");
    });
  }

  #show(rows) {
    this.ordered = rows;
    this.table.show(rows);
    const [n, all] = [rows.length, this.rows.length].map((number) => number.toLocaleString("en"));
    this.count.textContent = n === all ? `${all} cases` : `${n} of ${all} cases`;
    this.clear.hidden = !Object.values(this.wanted).some(Boolean);
    this.page.changed();
  }

  #filters() {
    this.search = h("input", {
      type: "search", placeholder: "Search name, patient, comment \u2026", "aria-label": "Search the work list",
      input: () => this.#want("text", this.search.value),
    });
    this.selects = Object.fromEntries(Object.entries(FILTERS).map(([filter, name]) => [filter, h("select", {
      "aria-label": name, change: () => this.#want(filter, this.selects[filter].value),
    })]));
    const filters = h("div", { class: "filters" }, ...Object.values(this.selects));
    const details = h("details", { class: "filters-more" }, h("summary", {}, "Filters"), filters);
    details.open = !this.narrow.matches;
    return h("div", { class: "searching" }, this.search, details);
  }

  #want(filter, value) {
    this.wanted[filter] = value;
    this.refresh();
  }

  #cleared() {
    this.wanted = {};
    this.search.value = "";
    for (const select of Object.values(this.selects)) select.value = "";
    this.filterTo(null);
  }

  #offer(filter) {
    const select = this.selects[filter];
    const options = [["", FILTERS[filter]], ...choices(this.rows, filter)];
    if (select.options.length === options.length) return;
    select.replaceChildren(...options.map(([value, name]) => h("option", { value }, name)));
    select.value = this.wanted[filter] ?? "";
  }

  #head(key, name, down) {
    const sort = () => {
      this.order = { key, descending: this.order.key === key ? !this.order.descending : down };
      this.refresh();
    };
    return h("div", { role: "columnheader", class: `c-${key}` }, h("button", { type: "button", click: sort }, name));
  }

  #row(row) {
    const cell = (name, ...parts) => h("div", { role: "gridcell", class: `c-${name}` }, ...parts);
    return h("div", { role: "row", class: "row" },
      cell("picture", picture(this.page.thumbnail(row))),
      cell("name", h("b", {}, row.name), h("small", {}, row.name.startsWith(row.patient) ? "" : row.patient)),
      cell("probability", ...reading(row)),
      cell("label", row.label || dash(), row.right === "wrong" ? h("em", { title: "The predicted class is another" }, "\u2260") : ""),
      cell("source", row.source),
      cell("readers", String(row.agreement.length || "")),
      cell("iou", figure(row.iou)), cell("hit", figure(row.hit)), cell("disagreement", figure(row.disagreement)),
      cell("verdict", ...verdicts(row, this.reviewer)));
  }
}

/** A case's picture, or the place for it. */
export function picture(url) {
  if (!url) return h("span", { class: "no-picture" });
  return h("img", { src: url, alt: "", loading: "lazy", decoding: "async", error: (event) => event.target.remove() });
}

function reading(row) {
  if (row.problem) return [h("span", { class: "problem", title: row.problem }, "cannot be read")];
  if (row.predicted === null) return [h("span", { class: "unread" }, "not read yet")];
  const percent = `${Math.round(row.probability * 100)}%`;
  const bar = h("i", { class: "meter", style: `--share: ${percent}` });
  const warned = row.warnings.length ? [h("em", { title: `Warnings: ${row.warnings.join(", ").replaceAll("_", " ")}` }, "!")] : [];
  return [h("span", {}, row.predicted), h("small", {}, percent), ...warned, bar];
}

function verdicts(row, reviewer) {
  const own = row.verdicts[reviewer];
  const others = Object.entries(row.verdicts).filter(([name]) => name !== reviewer);
  const said = others.map(([name, { verdict }]) => `${name}: ${VERDICTS[verdict]}`).join("; ");
  return [
    own ? mark(own.verdict) : "",
    own?.comment ? h("small", { title: own.comment }, "\u270e") : "",
    others.length ? h("small", { title: said }, `${own ? "+" : ""}${others.length} other${others.length > 1 ? "s" : ""}`) : "",
  ];
}

/** A verdict as a word with a mark that needs no colour. */
export function mark(verdict) {
  return h("span", { class: `verdict v-${verdict}` }, VERDICTS[verdict]);
}

const figure = (value) => (value === null ? dash() : value.toFixed(2));
const dash = () => h("span", { class: "none" }, "\u2013");
