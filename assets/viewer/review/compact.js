// The work list beside a case: thumbnails with the verdict given, the case on the stage marked.

import { h } from "../controls.js";
import { mark, picture } from "./worklist.js";
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

  load(rows, reviewer) {
    this.reviewer = reviewer;
    this.list.show(rows);
  }

  set current(id) {
    this.list.select(id);
  }

  #row(row) {
    const own = row.verdicts[this.reviewer];
    const apart = row.disagreement === null ? "" : `disagreement ${row.disagreement.toFixed(2)}`;
    return h("div", { class: "row", role: "option" }, picture(this.page.thumbnail(row)),
      h("div", {}, h("b", {}, row.name), h("small", {}, apart)), own ? mark(own.verdict) : "");
  }
}
