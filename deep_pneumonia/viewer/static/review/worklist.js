// The work list: search, filters and order above a table of which only the rows in view are in the
// page.

import { h } from "../dom.js";
import { cases, grouped } from "../format.js";
import { rowOf } from "./cells.js";
import { Filters } from "./filters.js";
import { ORDER, beside, filtered, following, rightness, sorted, verdictOf } from "./rows.js";
import { Virtual } from "./virtual.js";

/** @import { Score } from "../types.js" */
/** @import { Order } from "./rows.js" */
/** @import { CaseRow } from "./types.js" */

const ROW_HEIGHT = 46; // pixels; review.css has the same
const CARD_HEIGHT = 76; // of a row on a narrow screen

/** @typedef {{key: string, name: string, highestFirst?: boolean}} Column key: what it sorts by */
/**
 * @typedef {object} WorkListPage
 * @property {Score[]} scores
 * @property {(row: CaseRow) => string | null} thumbnail
 * @property {(id: number) => void} open
 * @property {() => void} changed which rows are shown, in which order, or what they say
 */

/** @param {Score[]} scores @returns {Column[]} */
function columnsOf(scores) {
  const named = (/** @type {string} */ wanted) => scores.find(({ key }) => key === wanted)?.name ?? wanted;
  return [
    { key: "name", name: "Case" }, { key: "probability", name: "Predicted" }, { key: "label", name: "Label" },
    { key: "source", name: "Source" }, { key: "readers", name: "Doctors", highestFirst: true },
    { key: "iou", name: named("iou"), highestFirst: true }, { key: "hit", name: named("hit"), highestFirst: true },
    { key: "disagreement", name: "Disagreement", highestFirst: true }, { key: "verdict", name: "Verdict" },
  ];
}

/** A radiograph that cannot be read cannot be reviewed. @param {CaseRow} row */
function canOpen(row) {
  return !row.problem;
}

export class WorkList {
  /** @type {CaseRow[]} every row, in the order in which cases came */
  rows = [];
  #reviewer = "";
  /** @type {CaseRow[]} the rows on the screen */
  #ordered = [];
  /** @type {CaseRow[] | null} every row in order; null: to be sorted again. Filters keep the order */
  #sorted = null;
  /** @type {string[]} */
  #classes = [];
  /** @type {Map<number, number>} places in `rows`, by id */
  #places = new Map();
  /** @type {Order} */
  #order = { ...ORDER };

  filters = new Filters(() => this.#anew());
  #count = h("p", { class: "count", role: "status" });
  #clear = h("button", { type: "button", hidden: true, click: () => this.#cleared() }, "Clear filters");
  #again = h("button", {
    type: "button", hidden: true, title: "Cases have changed since the list was sorted", click: () => this.#anew(),
  }, "Filter and sort again");
  #none = h("p", { class: "none-found" });

  /** @param {HTMLElement} host @param {WorkListPage} page */
  constructor(host, page) {
    this.host = host;
    this.page = page;
    const { narrow } = this.filters;
    this.columns = columnsOf(page.scores);
    this.heads = this.columns.map((column) => this.#head(column));
    this.table = new Virtual(/** @type {import("./virtual.js").VirtualOptions<CaseRow>} */ ({
      label: "Work list", role: "grid", height: () => (narrow.matches ? CARD_HEIGHT : ROW_HEIGHT),
      picked: ({ id }) => page.open(id), row: (row) => rowOf(row, this.#reviewer, page.thumbnail(row)),
      head: h("div", { class: "heads", role: "row", "aria-rowindex": 1 },
        h("span", { role: "columnheader", "aria-label": "Picture" }), ...this.heads),
    }));
    host.classList.add("work-list");
    host.append(
      this.filters.element,
      h("div", { class: "found" }, this.#count, this.filters.chip, this.#clear, this.#again, this.#none),
      this.table.element,
    );
    narrow.addEventListener("change", () => this.table.renew()); // rows are cards on a narrow screen
  }

  /** @param {CaseRow[]} rows @param {string[]} classes of the checkpoint */
  load(rows, classes = []) {
    this.rows = rows;
    this.#classes = classes;
    this.#places = new Map(rows.map((row, at) => [row.id, at]));
    this.#sorted = null;
    for (const row of rows) row.right = rightness(row, classes);
    this.filters.offer(this.rows);
    this.refresh();
  }

  /**
   * Rows that changed; filters and scroll position stay. The order stays too, or a row would move
   * under the hand: a button offers to sort again.
   * @param {CaseRow[]} rows
   */
  update(rows) {
    for (const row of rows) {
      const place = this.#places.get(row.id);
      if (place === undefined) continue;
      row.right = rightness(row, this.#classes);
      this.rows[place] = row;
    }
    this.#sorted = null;
    this.filters.offer(this.rows);
    const now = this.#ordered.map(({ id }) => this.row(id)).filter((row) => row !== null);
    const anew = this.#passing();
    this.#again.hidden = anew.length === now.length && anew.every((row, at) => row === now[at]);
    this.#show(now);
  }

  /** @param {number | undefined} id @returns {CaseRow | null} */
  row(id) {
    const place = id === undefined ? undefined : this.#places.get(id);
    return place === undefined ? null : this.rows[place];
  }

  /** The rows on the screen, after filters, in their order. */
  get shown() {
    return this.#ordered;
  }

  /** Whose verdicts are "mine". @param {string} name */
  setReviewer(name) {
    this.#reviewer = name;
    this.#sorted = null;
    this.table.renew();
  }

  /**
   * The id of the next case on the screen that can be opened; null at the end.
   * @param {number | undefined} id
   */
  next(id) {
    return beside(this.#ordered, id, 1, canOpen);
  }

  /** @param {number | undefined} id */
  previous(id) {
    return beside(this.#ordered, id, -1, canOpen);
  }

  /**
   * The next id, then from the beginning, without a verdict of the reviewer; null if there is no
   * other.
   * @param {number | undefined} id
   */
  nextUnreviewed(id) {
    return following(this.#ordered, id, (row) => canOpen(row) && !verdictOf(row, this.#reviewer));
  }

  /** Filter and sort again. */
  refresh() {
    this.#again.hidden = true;
    this.#show(this.#passing());
    this.heads.forEach((head, i) => {
      const isKey = this.columns[i].key === this.#order.key;
      head.setAttribute("aria-sort", !isKey ? "none" : this.#order.descending ? "descending" : "ascending");
    });
  }

  #passing() {
    this.#sorted ??= sorted(this.rows, this.#order, this.#reviewer);
    return filtered(this.#sorted, this.filters.wanted, this.#reviewer);
  }

  /** @param {CaseRow[]} rows */
  #show(rows) {
    this.#ordered = rows;
    this.table.show(rows);
    const all = this.rows.length;
    const words = rows.length === all ? cases(all) : `${grouped(rows.length)} of ${grouped(all)} cases`;
    if (this.#count.textContent !== words) this.#count.textContent = words;
    this.#none.hidden = rows.length > 0;
    this.#none.textContent = this.rows.length ? "No case passes these filters." : "This list has no cases yet.";
    this.#clear.hidden = !this.filters.isSet;
    this.page.changed();
  }

  #anew() {
    this.refresh();
    this.table.toTop();
  }

  #cleared() {
    this.filters.clear();
    this.table.element.focus({ preventScroll: true }); // the button is gone
  }

  /** @param {Column} column */
  #head({ key, name, highestFirst = false }) {
    const sort = () => {
      this.#order = { key, descending: this.#order.key === key ? !this.#order.descending : highestFirst };
      this.#sorted = null;
      this.#anew();
    };
    return h("div", { role: "columnheader", class: `c-${key}` }, h("button", { type: "button", click: sort }, name));
  }
}
