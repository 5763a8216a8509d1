// The work list beside a case: thumbnails with the reviewer's verdicts; the case on the stage is
// marked.

import { h } from "../dom.js";
import { mark, picture } from "./cells.js";
import { verdictOf } from "./rows.js";
import { Virtual } from "./virtual.js";

/** @import { CaseRow } from "./types.js" */

const ROW_HEIGHT = 58; // pixels; review.css has the same

export class CompactList {
  #reviewer = "";

  /**
   * @param {HTMLElement} host
   * @param {{thumbnail: (row: CaseRow) => string | null, open: (id: number) => void}} page
   */
  constructor(host, page) {
    this.page = page;
    this.list = new Virtual(/** @type {import("./virtual.js").VirtualOptions<CaseRow>} */ ({
      label: "Cases", role: "listbox", height: () => ROW_HEIGHT, picked: ({ id }) => page.open(id),
      row: (row) => this.#row(row),
    }));
    host.replaceChildren(h("a", { href: "#review", class: "back" }, "\u2190 Work list"), this.list.element);
  }

  /** @param {CaseRow[]} rows of the work list's screen, in its order @param {string} reviewer */
  load(rows, reviewer) {
    if (reviewer !== this.#reviewer) {
      this.#reviewer = reviewer;
      this.list.renew();
    }
    this.list.show(rows);
  }

  /** Mark the case on the stage; a new one scrolls into view. @param {number} id */
  select(id) {
    this.list.select(id);
  }

  /** @param {CaseRow} row */
  #row(row) {
    const own = verdictOf(row, this.#reviewer);
    const apart = row.disagreement === null ? "" : row.disagreement.toFixed(2);
    const disagreement = apart && h("span", {}, h("span", { class: "word" }, "disagreement "), apart);
    return h("div", { class: own ? "row judged" : "row", role: "option" }, picture(this.page.thumbnail(row)),
      h("div", {}, h("b", { title: row.name }, row.name),
        h("small", { title: apart ? `disagreement ${apart}` : "" }, own ? mark(own.verdict) : "",
          row.problem ? "cannot be read" : disagreement)));
  }
}
