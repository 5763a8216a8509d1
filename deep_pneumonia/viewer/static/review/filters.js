// The work list's search field and filters.

import { h } from "../dom.js";
import { FILTERS, choices } from "./rows.js";

/** @import { Filter, Wanted } from "./rows.js" */
/** @import { CaseRow } from "./types.js" */

const NARROW_SCREEN = "(max-width: 760px)";

export class Filters {
  /** @type {Wanted} what the visitor asks for */
  wanted = {};
  narrow = matchMedia(NARROW_SCREEN);

  search = h("input", {
    type: "search", placeholder: "Search name, patient, doctor, comment \u2026", "aria-label": "Search the work list",
    input: () => this.#want("text", this.search.value),
  });

  chip = h("button", { type: "button", hidden: true, class: "chip", click: () => this.only(null) });

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.selects = new Map(/** @type {[Filter, string][]} */ (Object.entries(FILTERS)).map(([filter, name]) => {
      const select = h("select", { "aria-label": name, change: () => this.#select(filter, select) });
      return [filter, select];
    }));
    const filters = h("div", { class: "filters" }, ...this.selects.values());
    this.more = h("details", { class: "filters-more" }, h("summary", {}, "Filters"), filters);
    this.element = h("div", { class: "searching" }, this.search, this.more);
    this.narrow.addEventListener("change", () => this.#fit());
    this.#fit();
  }

  /** Whether anything is filtered. */
  get isSet() {
    return Object.values(this.wanted).some(Boolean);
  }

  /**
   * Let only these cases pass, under a name that says why; null lets all pass.
   * @param {number[] | null} ids @param {string} name
   */
  only(ids, name = "") {
    this.chip.hidden = !ids;
    this.chip.textContent = `${name} \u00d7`;
    this.chip.setAttribute("aria-label", `Remove the filter ${name}`);
    this.#want("ids", ids && new Set(ids));
  }

  clear() {
    this.wanted = {};
    this.search.value = "";
    for (const select of this.selects.values()) {
      select.value = "";
      select.removeAttribute("data-set");
    }
    this.only(null);
  }

  /** Offer what rows can be filtered by. @param {CaseRow[]} rows */
  offer(rows) {
    for (const [filter, select] of this.selects) {
      const set = this.wanted[filter] ?? "";
      const options = [["", FILTERS[filter]], ...choices(rows, filter, set)];
      select.hidden = options.length < 3 && !set; // one value is no choice
      const offered = [...select.options].map(({ value }) => value);
      if (options.map(([value]) => value).join("\n") === offered.join("\n")) continue;
      select.replaceChildren(...options.map(([value, name]) => h("option", { value }, name)));
      select.value = set;
    }
  }

  /** On a narrow screen filters are folded away. */
  #fit() {
    this.more.open = !this.narrow.matches;
  }

  /** @param {Filter} filter @param {HTMLSelectElement} select */
  #select(filter, select) {
    select.toggleAttribute("data-set", Boolean(select.value));
    this.#want(filter, select.value);
  }

  /** @template {keyof Wanted} Key @param {Key} key @param {Wanted[Key]} value */
  #want(key, value) {
    this.wanted[key] = value;
    this.changed();
  }
}
