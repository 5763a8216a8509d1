// The reviewer's panel beside a case: a verdict by one key, a comment, the way to the next case.
// What the server has not saved yet is stored in this browser, so that no comment is lost.

import { h } from "../dom.js";
import { clock, grouped, localTime } from "../format.js";
import { REVIEWER, STAY, read, write } from "../storage.js";
import { draftOf, keepDraft } from "./drafts.js";
import { Judging, opening } from "./judging.js";
import { VERDICTS, verdictOf } from "./rows.js";

/** @import { KeyEntry } from "../types.js" */
/** @import { CaseRow, SentVerdict, Verdict, VerdictAnswer, VerdictName } from "./types.js" */
/** @import { WorkList } from "./worklist.js" */

/** @typedef {"previous" | "next" | "nextUnreviewed"} Step a method of the work list */

const QUESTION = "Does the attention agree with the doctor?";
/** Name, keys, and what is said at the end. @type {Record<Step, [string, string, string]>} */
const STEPS = {
  previous: ["\u2190 Previous", "P or \u2190", "This is the first case of the list."],
  next: ["Next \u2192", "N or \u2192", "This is the last case of the list."],
  nextUnreviewed: ["Next unreviewed", "U", "Every other case of this list has a verdict of yours."],
};
const VERDICT_ENTRIES = /** @type {[VerdictName, string][]} */ (Object.entries(VERDICTS));

/**
 * @typedef {object} PanelPage
 * @property {(verdict: SentVerdict) => Promise<VerdictAnswer>} judge
 * @property {(id: number) => void} go
 * @property {WorkList} list
 * @property {() => string} place names the workspace; drafts are stored under it
 * @property {(judged: number | undefined) => string} coming names the case that is being opened while
 *   the stage or the panel, which judges `judged`, has another; "" if there is none
 * @property {() => void} changed the reviewer's name
 */

export class VerdictPanel {
  /** @type {CaseRow | null} */
  #row = null;
  /** @type {VerdictName | null} a verdict that waits for the reviewer's name */
  #pending = null;
  /** @type {Map<number, string>} names of cases whose verdict was not saved, by id */
  #unsaved = new Map();

  name = h("input", { type: "text", maxlength: 60, autocomplete: "name", change: () => this.#named() });
  comment = h("textarea", {
    rows: 3, maxlength: 4000, placeholder: "Comment (C)", "aria-label": "Comment", input: () => this.#drafted(),
    keydown: (/** @type {KeyboardEvent} */ event) => this.#typed(event), blur: () => this.#commented(),
  });

  goOn = h("input", { type: "checkbox", change: () => write(STAY, this.goOn.checked ? null : "yes") });
  retry = h("button", { type: "button", hidden: true, click: () => this.#again() }, "Try again");
  words = h("span");
  missed = h("p", { class: "missed" });
  others = h("ul", { class: "others", "aria-label": "Verdicts of others" });
  end = h("p", { class: "hint end", role: "status" });
  bar = h("progress", { max: 1, value: 0, "aria-label": "Cases that you have reviewed" });
  count = h("span");

  /** @param {HTMLElement} host @param {PanelPage} page */
  constructor(host, page) {
    this.page = page;
    this.judging = new Judging((verdict) => page.judge(verdict), page.place);
    this.name.value = read(REVIEWER) ?? "";
    this.goOn.checked = !read(STAY);
    this.buttons = VERDICT_ENTRIES.map(([verdict, name], i) => h("button", {
      type: "button", class: `v-${verdict}`, "aria-pressed": "false", click: () => this.choose(verdict),
    }, h("kbd", {}, String(i + 1)), h("span", { class: `verdict v-${verdict}` }, name)));
    const steps = /** @type {[Step, string[]][]} */ (Object.entries(STEPS)).map(([to, [name, title]]) =>
      h("button", { type: "button", title, click: () => this.step(to) }, name));
    this.host = host;
    host.replaceChildren(
      h("h3", {}, QUESTION), h("label", { class: "name" }, "Your name", this.name),
      h("div", { class: "verdicts", role: "group", "aria-label": "Verdict" }, ...this.buttons),
      this.comment, h("p", { class: "state", role: "status" }, this.words, this.retry), this.missed, this.others,
      h("div", {}, h("div", { class: "steps" }, ...steps), this.end,
        h("label", { class: "check" }, this.goOn, "go on to the next unreviewed case after a verdict")),
      h("div", { class: "reviewed" }, this.bar, this.count),
      h("p", { class: "hint" }, "Masks can be corrected on ", h("a", { href: "#annotate" }, "Annotate"),
        "; they are saved in the work list."),
    );
  }

  get #coming() {
    return this.page.coming(this.#row?.id);
  }

  get reviewer() {
    return this.name.value.trim();
  }

  /** Show the case on the stage, or the same case with another row. @param {CaseRow} row */
  show(row) {
    const isOther = row.id !== this.#row?.id;
    this.#row = row;
    const own = verdictOf(row, this.reviewer);
    const draft = draftOf(this.judging.key(row, this.reviewer));
    if (isOther || document.activeElement !== this.comment) this.comment.value = draft?.comment ?? own?.comment ?? "";
    VERDICT_ENTRIES.forEach(([verdict], i) =>
      this.buttons[i].setAttribute("aria-pressed", String(verdict === own?.verdict)));
    if (isOther) {
      this.#pending = null;
      const { words, again } = opening(draft, own);
      this.#say(words, again);
    }
    const others = Object.entries(row.verdicts).filter(([name]) => name !== this.reviewer);
    this.others.replaceChildren(...others.map(([name, verdict]) => otherVerdict(name, verdict)));
    this.#counted();
    this.wait();
  }

  /** Say whether another case than the one on the stage is being opened. */
  wait() {
    this.host.setAttribute("aria-busy", String(Boolean(this.#coming)));
  }

  #counted() {
    const { rows } = this.page.list;
    const done = rows.filter((row) => verdictOf(row, this.reviewer)).length;
    this.bar.value = rows.length ? done / rows.length : 0;
    this.count.textContent = `You have reviewed ${grouped(done)} of ${grouped(rows.length)} cases.`;
  }

  /**
   * The reviewer chose a verdict by a key or a button. While another case is being opened it is
   * refused: nobody could tell which of the two it is for.
   * @param {VerdictName} verdict
   */
  choose(verdict) {
    if (this.#coming) this.#say(`${this.#coming} is being opened. Choose the verdict when it is on the screen.`);
    else this.judge(verdict);
  }

  /** Save a verdict on this case; after its first verdict, go on. @param {VerdictName} verdict */
  async judge(verdict) {
    const row = this.#row;
    const { reviewer } = this;
    if (!row) return;
    if (!reviewer) return this.#askName(verdict);
    const isFirst = !verdictOf(row, reviewer);
    this.#say("Saving \u2026");
    const answer = await this.judging.judge(row, reviewer, verdict, this.comment.value.trim());
    this.#listUnsaved(row, answer.problem);
    if (this.#row?.id !== row.id || this.reviewer !== reviewer) return;
    if (answer.row) this.show(answer.row);
    this.#say(answer.problem ? `Not saved: ${answer.problem}` : `Saved, ${clock()}.`, Boolean(answer.problem));
    if (!answer.problem && isFirst && this.goOn.checked && !this.#coming) this.step("nextUnreviewed");
  }

  /** Go to another case. @param {Step} to */
  step(to) {
    const id = this.page.list[to](this.#row?.id);
    if (id === null) this.end.textContent = STEPS[to][2];
    else this.page.go(id);
  }

  /** The keys of the case screen. @returns {KeyEntry[]} */
  keys() {
    return [
      ...VERDICT_ENTRIES.map(/** @returns {KeyEntry} */ ([verdict, name], i) =>
        [String(i + 1), `verdict: ${name.toLowerCase()}`, () => this.choose(verdict)]),
      ["C", "comment", () => this.comment.focus()],
      ["N", "next case", () => this.step("next")],
      ["P", "previous case", () => this.step("previous")],
      ["ArrowRight", "next case", () => this.step("next")],
      ["ArrowLeft", "previous case", () => this.step("previous")],
      ["U", "next case without a verdict of yours", () => this.step("nextUnreviewed")],
    ];
  }

  /** @param {string} words @param {boolean} again whether to offer to try again */
  #say(words, again = false) {
    this.words.textContent = words;
    this.retry.hidden = !again;
    this.end.textContent = "";
  }

  /**
   * A verdict needs a name: ask for it here, and save the verdict then.
   * @param {VerdictName} verdict
   */
  #askName(verdict) {
    this.#pending = verdict;
    this.#say(`Enter your name, then \u201c${VERDICTS[verdict]}\u201d is saved.`);
    this.name.focus();
  }

  #named() {
    write(REVIEWER, this.reviewer || null);
    const row = this.#row;
    const pending = this.#pending;
    if (row) this.judging.adopt(row, this.reviewer);
    this.#row = null;
    this.page.changed();
    if (!row) return;
    this.show(row);
    if (pending && this.reviewer) this.judge(pending);
  }

  /**
   * Name the cases whose verdict failed, also while another case is on the stage.
   * @param {CaseRow} row @param {string} problem
   */
  #listUnsaved(row, problem) {
    if (problem) this.#unsaved.set(row.id, row.name);
    else this.#unsaved.delete(row.id);
    const links = [...this.#unsaved].map(([id, name]) =>
      h("button", { type: "button", click: () => this.page.go(id) }, name));
    this.missed.replaceChildren(...(links.length ? ["Not saved yet: ", ...links] : []));
  }

  #again() {
    if (!this.#row) return;
    const draft = draftOf(this.judging.key(this.#row, this.reviewer));
    const verdict = draft?.verdict ?? verdictOf(this.#row, this.reviewer)?.verdict;
    if (verdict) this.judge(verdict);
  }

  #drafted() {
    if (!this.#row) return;
    const comment = this.comment.value;
    const own = verdictOf(this.#row, this.reviewer)?.comment ?? "";
    const key = this.judging.key(this.#row, this.reviewer);
    const stored = keepDraft(key, comment.trim() === own ? null : { comment });
    if (!stored) this.#say("This browser cannot store the comment: give a verdict before you leave the page.");
  }

  /** The field was left: a comment that changed after the verdict is saved with it. */
  #commented() {
    if (!this.#row) return;
    const own = verdictOf(this.#row, this.reviewer);
    const comment = this.comment.value.trim();
    if (own && own.comment !== comment) this.judge(own.verdict);
    else if (!own && comment) this.#say("The comment is not saved yet: choose a verdict.");
  }

  /**
   * Escape and Ctrl+Enter leave the field, which saves what was changed.
   * @param {KeyboardEvent} event
   */
  #typed(event) {
    if (event.key !== "Escape" && !(event.key === "Enter" && (event.ctrlKey || event.metaKey))) return;
    event.preventDefault();
    this.comment.blur();
  }
}

/** @param {string} name @param {Verdict} verdict */
function otherVerdict(name, { verdict, comment, time }) {
  const head = h("b", {}, `${name}: ${VERDICTS[verdict] ?? verdict}`);
  return h("li", { title: localTime(time) }, head, comment ? ` \u2013 ${comment}` : "");
}
