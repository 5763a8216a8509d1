// The reviewer's panel beside a case: a verdict by one key, a comment, the way to the next case. What was not kept on
// the server lies in this browser, so that no comment is lost.

import { h } from "../controls.js";
import { draftOf, keepDraft, store, stored } from "./drafts.js";
import { Judging, local, opening } from "./judging.js";
import { VERDICTS, verdictOf } from "./rows.js";

const REVIEWER = "deep-pneumonia/reviewer";
const STAY = "deep-pneumonia/stay-after-verdict";
const QUESTION = "Does the attention agree with the doctor?";
const STEPS = {
  previous: ["\u2190 Previous", "P or \u2190", "This is the first case of the list."],
  next: ["Next \u2192", "N or \u2192", "This is the last case of the list."],
  nextUnreviewed: ["Next unreviewed", "U", "No other case of this list is without a verdict of yours."],
};

export class VerdictPanel {
  /**
   * @param {HTMLElement} host
   * @param {{judge: (verdict: object) => Promise<object>, go: (id: number) => void, list: WorkList, place: () => string,
   *   changed: () => void}} page judge: resolves with {row} when kept, {row, conflict} or {problem} when not; place: a
   *   name of the workspace, under which drafts are kept; changed: the reviewer's name
   */
  constructor(host, page) {
    Object.assign(this, { host, page });
    this.unkept = new Map();
    this.missed = h("p", { class: "missed" });
    this.judging = new Judging((verdict) => page.judge(verdict), page.place);
    this.buttons = Object.entries(VERDICTS).map(([verdict, name], i) => h("button", {
      type: "button", class: `v-${verdict}`, "aria-pressed": "false", click: () => this.judge(verdict),
    }, h("kbd", {}, String(i + 1)), h("span", { class: `verdict v-${verdict}` }, name)));
    this.others = h("ul", { class: "others", "aria-label": "Verdicts of others" });
    host.replaceChildren(
      h("h3", {}, QUESTION), this.#name(),
      h("div", { class: "verdicts", role: "group", "aria-label": "Verdict" }, ...this.buttons),
      this.#comment(), this.#state(), this.missed, this.others, this.#steps(), this.#progress(),
      h("p", { class: "hint" }, "Masks can be corrected on ", h("a", { href: "#annotate" }, "Annotate"),
        "; they are kept in the work list."),
    );
  }

  get reviewer() {
    return this.name.value.trim();
  }

  /** A row came, of the case on the stage or of the same case anew. */
  show(row) {
    const other = row.id !== this.row?.id;
    this.row = row;
    const own = verdictOf(row, this.reviewer);
    const draft = draftOf(this.#key);
    if (other || document.activeElement !== this.comment) this.comment.value = draft?.comment ?? own?.comment ?? "";
    Object.keys(VERDICTS).forEach((verdict, i) => this.buttons[i].setAttribute("aria-pressed", verdict === own?.verdict));
    if (other) {
      this.pending = null;
      const { words, again } = opening(draft, own);
      this.#say(words, again);
    }
    this.others.replaceChildren(...Object.entries(row.verdicts).filter(([name]) => name !== this.reviewer).map(said));
    const { rows } = this.page.list;
    const done = rows.filter((one) => verdictOf(one, this.reviewer)).length;
    this.bar.value = rows.length ? done / rows.length : 0;
    this.count.textContent = `You have reviewed ${done.toLocaleString("en")} of ${rows.length.toLocaleString("en")} cases.`;
  }

  /** Keep a verdict on this case; after the first one of it, go on. */
  async judge(verdict) {
    const { row, reviewer } = this;
    if (!row) return;
    if (!reviewer) return this.#asking(verdict);
    const first = !verdictOf(row, reviewer);
    this.#say("Keeping \u2026");
    const answer = await this.judging.judge(row, reviewer, verdict, this.comment.value.trim());
    this.#missed(row, answer.problem);
    if (this.row?.id !== row.id || this.reviewer !== reviewer) return;
    if (answer.row) this.show(answer.row);
    this.#say(answer.problem ? `Not kept: ${answer.problem}` : `Kept, ${clock()}.`, Boolean(answer.problem));
    if (!answer.problem && first && this.on.checked) this.step("nextUnreviewed");
  }

  /** To another case; to: a method of the list. */
  step(to) {
    const id = this.page.list[to](this.row?.id);
    if (id === null) this.end.textContent = STEPS[to][2];
    else this.page.go(id);
  }

  /** Keys of the case screen, as in ../keys.js. */
  keys() {
    const words = Object.entries(VERDICTS).map(([verdict, name]) => [verdict, `verdict: ${name.toLowerCase()}`]);
    return [
      ...words.map(([verdict, said], i) => [String(i + 1), said, () => this.judge(verdict)]),
      ["C", "comment", () => this.comment.focus()],
      ["N", "next case", () => this.step("next")],
      ["P", "previous case", () => this.step("previous")],
      ["ArrowRight", "next case", () => this.step("next")],
      ["ArrowLeft", "previous case", () => this.step("previous")],
      ["U", "next case without a verdict of yours", () => this.step("nextUnreviewed")],
    ];
  }

  get #key() {
    return this.judging.key(this.row, this.reviewer);
  }

  #name() {
    this.name = h("input", { type: "text", maxlength: 60, autocomplete: "name", change: () => this.#named() });
    this.name.value = stored(REVIEWER);
    return h("label", { class: "name" }, "Your name", this.name);
  }

  #comment() {
    this.comment = h("textarea", {
      rows: 3, maxlength: 4000, placeholder: "Comment (C)", "aria-label": "Comment", input: () => this.#drafted(),
      keydown: (event) => this.#typed(event), blur: () => this.#commented(),
    });
    return this.comment;
  }

  #state() {
    this.words = h("span");
    this.retry = h("button", { type: "button", hidden: true, click: () => this.#again() }, "Try again");
    return h("p", { class: "state", role: "status" }, this.words, this.retry);
  }

  #steps() {
    this.on = h("input", { type: "checkbox", change: () => store(STAY, this.on.checked ? "" : "yes") });
    this.on.checked = !stored(STAY);
    this.end = h("p", { class: "hint end", role: "status" });
    const steps = Object.entries(STEPS).map(([to, [name, title]]) =>
      h("button", { type: "button", title, click: () => this.step(to) }, name));
    return h("div", {}, h("div", { class: "steps" }, ...steps), this.end,
      h("label", { class: "check" }, this.on, "go on to the next unreviewed case after a verdict"));
  }

  #progress() {
    this.bar = h("progress", { max: 1, value: 0, "aria-label": "Cases that you have reviewed" });
    this.count = h("span");
    return h("div", { class: "reviewed" }, this.bar, this.count);
  }

  #say(words, again = false) {
    this.words.textContent = words;
    this.retry.hidden = !again;
    this.end.textContent = "";
  }

  /** A verdict has a name: it is asked for here, and the verdict follows. */
  #asking(verdict) {
    this.pending = verdict;
    this.#say(`Say who you are, then \u201c${VERDICTS[verdict]}\u201d is kept.`);
    this.name.focus();
  }

  #named() {
    store(REVIEWER, this.reviewer);
    const { row, pending } = this;
    if (row) this.judging.adopt(row, this.reviewer);
    this.row = null;
    this.page.changed();
    if (!row) return;
    this.show(row);
    if (pending && this.reviewer) this.judge(pending);
  }

  /** A verdict that failed while another case came on the stage must not go unseen. */
  #missed(row, problem) {
    if (problem) this.unkept.set(row.id, row.name);
    else this.unkept.delete(row.id);
    const links = [...this.unkept].map(([id, name]) => h("button", { type: "button", click: () => this.page.go(id) }, name));
    this.missed.replaceChildren(...(links.length ? ["Not kept yet: ", ...links] : []));
  }

  #again() {
    const verdict = draftOf(this.#key)?.verdict ?? verdictOf(this.row, this.reviewer)?.verdict;
    if (verdict) this.judge(verdict);
  }

  #drafted() {
    if (!this.row) return;
    const comment = this.comment.value;
    const own = verdictOf(this.row, this.reviewer)?.comment ?? "";
    const safe = keepDraft(this.#key, comment.trim() === own ? null : { comment });
    if (!safe) this.#say("This browser cannot keep the comment: give a verdict before you leave the page.");
  }

  /** A comment that is changed after the verdict is kept with it when the field is left. */
  #commented() {
    if (!this.row) return;
    const [own, comment] = [verdictOf(this.row, this.reviewer), this.comment.value.trim()];
    if (own && own.comment !== comment) this.judge(own.verdict);
    else if (!own && comment) this.#say("The comment is not kept yet: choose a verdict.");
  }

  #typed(event) {
    if (event.key !== "Escape" && !(event.key === "Enter" && (event.ctrlKey || event.metaKey))) return;
    event.preventDefault();
    this.comment.blur(); // which keeps what was changed
  }
}

function said([name, { verdict, comment, time }]) {
  const head = h("b", {}, `${name}: ${VERDICTS[verdict] ?? verdict}`);
  return h("li", { title: local(time) }, head, comment ? ` \u2013 ${comment}` : "");
}

const clock = () => new Date().toTimeString().slice(0, 5);
