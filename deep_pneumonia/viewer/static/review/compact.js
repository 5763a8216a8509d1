// The work list beside a case: thumbnails with the verdict given, the case on the stage marked.

import { h } from "../controls.js";
import { mark, picture } from "./cells.js";
import { verdictOf } from "./rows.js";
import { Virtual } from "./virtual.js";

const HEIGHT = 58; // pixels; the same stands in review.css

export class CompactList {
  /** @param {HTMLElement} host @param {{thumbnail: (row: object) => string | null, open: (id: number) => void}} page */
  constructor(host, page) {
    this.page = page;
    this.list = new Virtual({
      label: "Cases", role: "listbox", height: () => HEIGHT, picked: ({ id }) => page.open(id), row: (row) => this.#row(row),
    });
    host.replaceChildren(h("a", { href: "#review", class: "back" }, "\u2190 Work list"), this.list.element);
  }

  /** @param {object[]} rows those of the work list's screen, in its order */
  load(rows, reviewer) {
    if (reviewer !== this.reviewer) {
      this.reviewer = reviewer;
      this.list.renew();
    }
    this.list.show(rows);
  }

  /** The case on the stage; it comes into view when it is another one. */
  set current(id) {
    this.list.select(id);
  }

  #row(row) {
    const own = verdictOf(row, this.reviewer);
    const apart = row.disagreement === null ? "" : row.disagreement.toFixed(2);
    const said = row.problem ? "cannot be read" : apart && h("span", {}, h("span", { class: "word" }, "disagreement "), apart);
    return h("div", { class: own ? "row judged" : "row", role: "option" }, picture(this.page.thumbnail(row)),
      h("div", {}, h("b", { title: row.name }, row.name),
        h("small", { title: apart ? `disagreement ${apart}` : "" }, own ? mark(own.verdict) : "", said)));
  }
}
