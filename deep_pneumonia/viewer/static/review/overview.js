// The page of the work list: adding and downloading, the model's progress, the list and its
// statistics.

import { h } from "../dom.js";
import { Progress } from "./progress.js";
import { Statistics } from "./statistics.js";
import { WorkList } from "./worklist.js";

/** @import { Score } from "../types.js" */
/** @import { Answer, CaseRow, Request, ReviewServer } from "./types.js" */

const OWN_LIST = "This list belongs to this page. It is deleted an hour after you last used it, or when the server "
  + "stops: download it as a ZIP, which can be added again. Whoever runs the viewer can keep lists: "
  + "make app WORKSPACE=dir.";
const SHARED_LIST = "This list is stored on the server, and everyone who opens this page works in it.";
const NO_ANSWER = "The server does not answer; try again.";

export class Overview {
  name = ""; // of the workspace
  /** @type {Request} the file that the server is asked to make */
  wanted = {};
  /** @type {Promise<void> | null} */
  #loading = null;
  #folder = ""; // of thumbnails
  #predicting = false;
  #stopped = false;
  #isCounting = false; // statistics are on their way
  #countAgain = false;

  /**
   * @param {HTMLElement} root @param {ReviewServer} server @param {Score[]} scores
   * @param {{go: (id: number) => void, changed: () => void}} page
   */
  constructor(root, server, scores, page) {
    this.server = server;
    this.note = h("p", { class: "hint" });
    this.problem = h("p", { class: "review-problem", role: "alert" });
    this.progress = new Progress({ start: () => this.predict(true), stop: () => (this.#stopped = true) });
    this.list = new WorkList(h("div"), {
      scores, thumbnail: (row) => this.thumbnail(row), open: page.go, changed: page.changed,
    });
    this.statistics = new Statistics(h("div"), { open: (ids, name) => this.#list(ids, name) });
    this.details = h("details", { class: "review-statistics", toggle: () => this.count() },
      h("summary", {}, "Statistics of this list"), this.statistics.host);
    root.append(
      h("header", {}, h("h2", {}, "Work list"), this.#adding(), this.#downloading()),
      this.note, this.problem, this.progress.element, this.details, this.list.host,
    );
  }

  /** Load every row, once; later answers bring the rows that changed. */
  load() {
    this.#loading ??= this.reload();
    return this.#loading;
  }

  async reload() {
    const answer = await this.#asked({ what: "list" });
    if (!answer.rows) {
      this.#loading = null;
      return;
    }
    this.#folder = answer.thumbnails;
    this.name = answer.name;
    this.note.textContent = answer.shared ? SHARED_LIST : OWN_LIST;
    this.list.load(JSON.parse(answer.rows), answer.classes);
    this.#progressed();
    this.count();
  }

  /** @param {CaseRow[]} rows that changed */
  update(rows) {
    this.list.update(rows);
    this.#progressed();
    this.count();
  }

  /** The address of a case's picture. @param {CaseRow} row */
  thumbnail(row) {
    return row.predicted === null ? null : this.server.file(`${this.#folder}/${row.key}.webp`);
  }

  /**
   * Predict the cases that are left, about a second's worth at a time, until all are done or the
   * visitor stops it.
   */
  async predict(again = false) {
    if (this.#predicting) return;
    this.#predicting = true;
    this.#stopped = false;
    if (again) await this.#asked({ what: "retry" });
    let left = 1;
    while (left && !this.#stopped) {
      const answer = await this.#asked({ what: "predict" });
      if (!answer.rows) break;
      left = answer.left;
      this.update(answer.rows);
    }
    this.#predicting = false;
    this.#progressed();
    this.list.refresh(); // into its order, now that the scores are there
  }

  #progressed() {
    const { rows } = this.list;
    const done = rows.filter((row) => row.predicted !== null || row.problem).length;
    this.progress.update({ done, total: rows.length, running: this.#predicting });
  }

  /** Load the statistics while they are open; a change on the way loads them once more. */
  async count() {
    if (!this.details.open) return;
    this.#countAgain = this.#isCounting;
    if (this.#isCounting) return;
    this.#isCounting = true;
    const answer = await this.#asked({ what: "tally" });
    this.#isCounting = false;
    if (answer.plots) this.statistics.load(JSON.parse(answer.plots));
    if (this.#countAgain) this.count();
  }

  /** Show the cases behind a part of a plot. @param {number[]} ids @param {string} name */
  #list(ids, name) {
    this.list.filters.only(ids, name);
    this.list.host.scrollIntoView({ block: "start" });
  }

  #adding() {
    const field = (/** @type {string} */ name, options = {}) => {
      const input = h("input", {
        type: "file", multiple: true, hidden: true, ...options, change: () => this.add([...(input.files ?? [])], input),
      });
      return [input, h("button", { type: "button", click: () => input.click() }, name)];
    };
    return h("div", { class: "group" },
      ...field("Add radiographs and masks"), ...field("Add a folder", { webkitdirectory: true }));
  }

  #downloading() {
    const button = (/** @type {string} */ name, /** @type {() => Request} */ wanted) =>
      h("button", { type: "button", click: () => this.download(wanted()) }, name);
    const seg = h("input", { type: "checkbox" });
    return h("div", { class: "group" },
      button("Report, PDF", () => ({ what: "report" })),
      button("Export, ZIP", () => ({ what: "export", seg: seg.checked })),
      h("label", { class: "check", title: "DICOM segmentations in the ZIP as well" }, seg, "with DICOM SEG"));
  }

  /**
   * Add files: radiographs, their masks, an exported ZIP.
   * @param {File[]} files @param {HTMLInputElement} field
   */
  async add(files, field) {
    if (!files.length) return;
    try {
      await this.#sent(files);
    } catch {
      this.problem.textContent = NO_ANSWER;
    }
    field.value = ""; // the same files may be chosen again
  }

  /** @param {File[]} files */
  async #sent(files) {
    const sent = [];
    for (const file of files) {
      this.problem.textContent = `Sending ${sent.length + 1} of ${files.length} files \u2026`;
      const { path } = await this.server.upload(file);
      sent.push({ path, name: file.webkitRelativePath || file.name });
    }
    this.problem.textContent = "Opening the files \u2026";
    const { said = "" } = await this.#asked({ what: "add", files: sent });
    if (!said) return;
    this.problem.textContent = said;
    await this.reload();
    this.predict();
  }

  /** Ask for a file that the server makes. @param {Request} wanted */
  download(wanted) {
    this.wanted = wanted;
    this.problem.textContent = "The server makes the file \u2026";
    this.server.download();
  }

  /**
   * The server made the file, or says why not.
   * @param {{url: string, orig_name?: string} | null} file @param {string} why
   */
  downloaded(file, why) {
    this.problem.textContent = why;
    if (file) h("a", { href: this.server.linked(file.url), download: file.orig_name ?? "" }).click();
  }

  /** @param {Request} request @returns {Promise<Answer>} */
  async #asked(request) {
    try {
      const answer = await this.server.ask(request);
      if (answer.problem) this.problem.textContent = answer.problem;
      return answer;
    } catch {
      this.problem.textContent = NO_ANSWER;
      return {};
    }
  }
}
