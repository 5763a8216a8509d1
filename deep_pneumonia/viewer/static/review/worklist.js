// The work list: search, filters and order above a table of which only the rows in view are in the page.

import { h } from "../controls.js";
import { rowOf } from "./cells.js";
import { FILTERS, ORDER, beside, choices, filtered, following, rightness, sorted, verdictOf } from "./rows.js";
import { Virtual } from "./virtual.js";

/** Column: what it sorts by, its name, and whether the first click puts the highest first. */
const COLUMNS = [
  ["name", "Case", false], ["probability", "Predicted", false], ["label", "Label", false], ["source", "Source", false],
  ["readers", "Doctors", true], ["iou", "IoU", true], ["hit", "Hit", true], ["disagreement", "Disagreement", true],
  ["verdict", "Verdict", false],
];
const [ROW, CARD] = [46, 76]; // pixels; the same stand in review.css
const NARROW = "(max-width: 760px)";
const opens = (row) => !row.problem; // what cannot be read cannot be reviewed

export class WorkList {
  #reviewer = "";

  /**
   * @param {HTMLElement} host
   * @param {{thumbnail: (row: object) => string | null, open: (id: number) => void, changed: () => void}} page
   *   changed: which rows are shown, in which order, or what they say
   */
  constructor(host, page) {
    Object.assign(this, { host, page, rows: [], ordered: [], classes: [], places: new Map(), wanted: {}, order: { ...ORDER } });
    this.narrow = matchMedia(NARROW);
    this.heads = COLUMNS.map(([key, name, down]) => this.#head(key, name, down));
    this.table = new Virtual({
      label: "Work list", role: "grid", height: () => (this.narrow.matches ? CARD : ROW), picked: ({ id }) => page.open(id),
      row: (row) => rowOf(row, this.#reviewer, page.thumbnail(row)),
      head: h("div", { class: "heads", role: "row", "aria-rowindex": 1 },
        h("span", { role: "columnheader", "aria-label": "Picture" }), ...this.heads),
    });
    host.classList.add("work-list");
    host.append(this.#filters(), this.#found(), this.table.element);
    this.narrow.addEventListener("change", () => this.#fit());
    this.#fit();
  }

  /** @param {object[]} rows as worklist.py describes them @param {string[]} classes of the checkpoint */
  load(rows, classes = []) {
    Object.assign(this, { rows, classes, sorted: null, places: new Map(rows.map((row, at) => [row.id, at])) });
    for (const row of rows) row.right = rightness(row, classes);
    this.#offer();
    this.refresh();
  }

  /**
   * Rows that changed; the others, filters and place stay. The order stays too, or a row would run from the hand: a
   * button appears that sorts anew.
   */
  update(rows) {
    for (const row of rows) {
      if (!this.places.has(row.id)) continue;
      row.right = rightness(row, this.classes);
      this.rows[this.places.get(row.id)] = row;
    }
    this.sorted = null;
    this.#offer();
    const now = this.ordered.map(({ id }) => this.row(id));
    const anew = this.#passing();
    this.again.hidden = anew.length === now.length && anew.every((row, at) => row === now[at]);
    this.#show(now);
  }

  row(id) {
    return this.rows[this.places.get(id)] ?? null;
  }

  /** Ids on the screen, after filters, in their order. */
  get shown() {
    return this.ordered.map(({ id }) => id);
  }

  /** Whose verdicts are "mine". */
  get reviewer() {
    return this.#reviewer;
  }

  set reviewer(name) {
    this.#reviewer = name;
    this.sorted = null;
    this.table.renew();
  }

  /** Show these cases alone, under a name that says why; null for all. */
  filterTo(ids, name = "") {
    this.chip.hidden = !ids;
    this.chip.textContent = `${name} \u00d7`;
    this.chip.setAttribute("aria-label", `Remove the filter ${name}`);
    this.#want("ids", ids && new Set(ids));
  }

  /** The id beside this one in the order on the screen, of a case that can be opened; null at the end. */
  next(id) {
    return beside(this.ordered, id, 1, opens);
  }

  previous(id) {
    return beside(this.ordered, id, -1, opens);
  }

  /** The next id, round from the beginning, of a case that the reviewer has not judged; null where there is no other. */
  nextUnreviewed(id) {
    return following(this.ordered, id, (row) => opens(row) && !verdictOf(row, this.#reviewer));
  }

  /** Filter and sort anew. */
  refresh() {
    this.again.hidden = true;
    this.#show(this.#passing());
    this.heads.forEach((head, i) => {
      const on = COLUMNS[i][0] === this.order.key;
      head.setAttribute("aria-sort", !on ? "none" : this.order.descending ? "descending" : "ascending");
    });
  }

  /** All rows are sorted once, for filters keep an order. */
  #passing() {
    this.sorted ??= sorted(this.rows, this.order, this.#reviewer);
    return filtered(this.sorted, this.wanted, this.#reviewer);
  }

  #show(rows) {
    this.ordered = rows;
    this.table.show(rows);
    const [n, all] = [rows.length, this.rows.length].map((number) => number.toLocaleString("en"));
    const said = n === all ? `${all} ${all === "1" ? "case" : "cases"}` : `${n} of ${all} cases`;
    if (this.count.textContent !== said) this.count.textContent = said;
    this.none.hidden = rows.length > 0;
    this.none.textContent = this.rows.length ? "No case passes these filters." : "No case is in this list yet.";
    this.clear.hidden = !Object.values(this.wanted).some(Boolean);
    this.page.changed();
  }

  #filters() {
    this.search = h("input", {
      type: "search", placeholder: "Search name, patient, doctor, comment \u2026", "aria-label": "Search the work list",
      input: () => this.#want("text", this.search.value),
    });
    this.selects = Object.fromEntries(Object.entries(FILTERS).map(([filter, name]) => [filter, h("select", {
      "aria-label": name, change: () => this.#want(filter, this.selects[filter].value),
    })]));
    const filters = h("div", { class: "filters" }, ...Object.values(this.selects));
    this.more = h("details", { class: "filters-more" }, h("summary", {}, "Filters"), filters);
    return h("div", { class: "searching" }, this.search, this.more);
  }

  #found() {
    const button = (name, click, options = {}) => h("button", { type: "button", hidden: true, click, ...options }, name);
    this.count = h("p", { class: "count", role: "status" });
    this.chip = button("", () => this.filterTo(null), { class: "chip" });
    this.clear = button("Clear filters", () => this.#cleared());
    this.again = button("Filter and sort anew", () => this.#anew(), { title: "Cases have changed since the list was sorted" });
    this.none = h("p", { class: "none-found" });
    return h("div", { class: "found" }, this.count, this.chip, this.clear, this.again, this.none);
  }

  /** On a phone filters are folded away, and cases are cards. */
  #fit() {
    this.more.open = !this.narrow.matches;
    this.table.renew();
  }

  #want(filter, value) {
    this.wanted[filter] = value;
    this.selects[filter]?.toggleAttribute("data-set", Boolean(value));
    this.#anew();
  }

  #anew() {
    this.refresh();
    this.table.toTop();
  }

  #cleared() {
    this.wanted = {};
    this.search.value = "";
    for (const select of Object.values(this.selects)) {
      select.value = "";
      select.removeAttribute("data-set");
    }
    this.filterTo(null);
    this.table.element.focus({ preventScroll: true }); // the button is gone
  }

  #offer() {
    for (const [filter, select] of Object.entries(this.selects)) {
      const set = this.wanted[filter] ?? "";
      const options = [["", FILTERS[filter]], ...choices(this.rows, filter, set)];
      select.hidden = options.length < 3 && !set; // a choice of one is none
      if (options.map(([value]) => value).join("\n") === [...select.options].map(({ value }) => value).join("\n")) continue;
      select.replaceChildren(...options.map(([value, name]) => h("option", { value }, name)));
      select.value = set;
    }
  }

  #head(key, name, down) {
    const sort = () => {
      this.order = { key, descending: this.order.key === key ? !this.order.descending : down };
      this.sorted = null;
      this.#anew();
    };
    return h("div", { role: "columnheader", class: `c-${key}` }, h("button", { type: "button", click: sort }, name));
  }
}
