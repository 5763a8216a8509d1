// The page of the work list: what may be added and taken along, how far the readings are, the list, its statistics.

import { h } from "../controls.js";
import { Progress } from "./progress.js";
import { Statistics } from "./statistics.js";
import { WorkList } from "./worklist.js";

const NOTE = {
  own: "This list is this page's own. It goes away an hour after you last used it, or when the server stops: "
    + "take it along as a ZIP, which can be added again. Whoever runs the viewer can keep lists: make app WORKSPACE=dir.",
  shared: "This list is kept on the server, and everyone who opens this page works in it.",
};
const CANNOT = "The server does not answer; try again.";

export class Desk {
  /**
   * @param {HTMLElement} root @param {object} server as main.js describes it
   * @param {{go: (id: number) => void, changed: () => void}} page
   */
  constructor(root, server, page) {
    Object.assign(this, { server, page });
    this.note = h("p", { class: "hint" });
    this.problem = h("p", { class: "review-problem", role: "alert" });
    this.progress = new Progress({ start: () => this.read(true), stop: () => (this.stopped = true) });
    this.list = new WorkList(h("div"), {
      thumbnail: (row) => this.thumbnail(row), open: page.go, changed: () => page.changed(),
    });
    this.statistics = new Statistics(h("div"), {
      open: (ids, name) => {
        this.list.filterTo(ids, name);
        this.list.host.scrollIntoView({ block: "start" });
      },
    });
    this.figures = h("details", { class: "review-figures", toggle: () => this.tally() },
      h("summary", {}, "Statistics of this list"), this.statistics.host);
    root.append(
      h("header", {}, h("h2", {}, "Work list"), this.#adding(), this.#taking()),
      this.note, this.problem, this.progress.element, this.figures, this.list.host,
    );
  }

  /** Every row, once; later answers bring the rows that changed. */
  load() {
    this.loading ??= this.reload();
    return this.loading;
  }

  async reload() {
    const answer = await this.#asked({ what: "list" });
    if (!answer.rows) {
      this.loading = null;
      return;
    }
    [this.folder, this.name] = [answer.thumbnails, answer.name];
    this.note.textContent = answer.shared ? NOTE.shared : NOTE.own;
    this.list.load(JSON.parse(answer.rows), answer.classes);
    this.#counted();
    this.tally();
  }

  update(rows) {
    this.list.update(rows);
    this.#counted();
    this.tally();
  }

  thumbnail(row) {
    return row.predicted === null ? null : this.server.file(`${this.folder}/${row.key}.webp`);
  }

  /** Read what is not read yet, a second's worth at a time, until it is done or stopped. */
  async read(again = false) {
    if (this.reading) return;
    [this.reading, this.stopped] = [true, false];
    if (again) await this.#asked({ what: "retry" });
    let left = 1;
    while (left && !this.stopped) {
      const answer = await this.#asked({ what: "predict" });
      if (!answer.rows) break;
      left = answer.left;
      this.update(answer.rows);
    }
    this.reading = false;
    this.#counted();
    this.list.refresh(); // into its order, now that the figures are there
  }

  #counted() {
    const { rows } = this.list;
    this.progress.update({ done: rows.filter((row) => row.predicted !== null || row.problem).length, total: rows.length, running: Boolean(this.reading) });
  }

  /** Statistics, while they are looked at. */
  async tally() {
    if (!this.figures.open) return;
    if (this.tallying) return void (this.tallyAgain = true);
    this.tallying = true;
    const answer = await this.#asked({ what: "tally" });
    this.tallying = false;
    if (answer.plots) this.statistics.load(JSON.parse(answer.plots));
    if (this.tallyAgain) {
      this.tallyAgain = false;
      this.tally();
    }
  }

  #adding() {
    const input = (name, options) => {
      const field = h("input", { type: "file", multiple: "", hidden: "", ...options, change: () => this.add([...field.files], field) });
      return [field, h("button", { type: "button", click: () => field.click() }, name)];
    };
    return h("div", { class: "group" },
      ...input("Add radiographs and masks", {}), ...input("Add a folder", { webkitdirectory: "" }));
  }

  #taking() {
    const take = (name, wanted) => h("button", { type: "button", click: () => this.take(wanted) }, name);
    const seg = h("input", { type: "checkbox" });
    return h("div", { class: "group" },
      take("Report, PDF", () => ({ what: "report" })),
      take("Export, ZIP", () => ({ what: "export", seg: seg.checked })),
      h("label", { class: "check", title: "DICOM segmentations in the ZIP as well" }, seg, "with DICOM SEG"));
  }

  /** Files of the person's own: radiographs, their masks, a ZIP of an export. */
  async add(files, field) {
    if (!files.length) return;
    const sent = [];
    try {
      for (const file of files) {
        this.problem.textContent = `Sending ${sent.length + 1} of ${files.length} files \u2026`;
        const { path } = await this.server.upload(file);
        sent.push({ path, name: file.webkitRelativePath || file.name });
      }
      this.problem.textContent = "Looking at what was sent \u2026";
      const { said = "" } = await this.#asked({ what: "add", files: sent });
      if (!said) return;
      this.problem.textContent = said;
      await this.reload();
      this.read();
    } catch {
      this.problem.textContent = CANNOT;
    }
    field.value = ""; // the same files may be chosen again
  }

  /** A file that the server makes. */
  take(wanted) {
    this.wanted = wanted();
    this.problem.textContent = "The file is being made \u2026";
    this.server.download();
  }

  /** The file is made, or the page has said why not. */
  taken(file, why) {
    this.problem.textContent = why;
    if (file) h("a", { href: file.url, download: file.orig_name ?? "" }).click();
  }

  async #asked(request) {
    try {
      const answer = await this.server.ask(request);
      if (answer.problem) this.problem.textContent = answer.problem;
      return answer;
    } catch {
      this.problem.textContent = CANNOT;
      return {};
    }
  }
}
