// The reviewer's panel beside a case: a verdict by one key, a comment, the way to the next case. What was not kept on
// the server lies in this browser, so that no comment is lost.

import { h } from "../controls.js";
import { VERDICTS } from "./rows.js";

const REVIEWER = "deep-pneumonia/reviewer";
const DRAFT = "deep-pneumonia/verdict/";
const QUESTION = "Does the attention agree with the doctor?";

export class VerdictPanel {
  /**
   * @param {HTMLElement} host
   * @param {{judge: (verdict: object) => Promise<object>, go: (id: number) => void, list: object, place: () => string,
   *   changed: () => void}} page judge: resolves with {row} when kept, {row, conflict} or {problem} when not; place: a name
   *   of the workspace, under which drafts are kept; changed: the reviewer's name
   */
  constructor(host, page) {
    Object.assign(this, { host, page });
    this.name = h("input", { type: "text", maxlength: 60, value: stored(REVIEWER), "aria-label": "Your name", placeholder: "Your name", change: () => this.#named() });
    this.buttons = Object.entries(VERDICTS).map(([verdict, name], i) => h("button", {
      type: "button", class: `v-${verdict}`, click: () => this.judge(verdict),
    }, h("kbd", {}, String(i + 1)), name));
    this.comment = h("textarea", {
      rows: 3, maxlength: 4000, placeholder: "Comment", "aria-label": "Comment", input: () => this.#drafted(),
      keydown: (event) => this.#typed(event), change: () => this.#commented(),
    });
    this.state = h("p", { class: "state", role: "status" });
    this.others = h("ul", { class: "others", "aria-label": "Verdicts of others" });
    this.on = h("input", { type: "checkbox", checked: true });
    this.progress = h("p", { class: "hint" });
    const step = (name, key, to) => h("button", { type: "button", title: key, click: () => this.step(to) }, name);
    host.replaceChildren(
      h("h3", {}, QUESTION), h("label", { class: "name" }, "Reviewer", this.name),
      h("div", { class: "verdicts", role: "group", "aria-label": "Verdict" }, ...this.buttons),
      this.comment, this.state, this.others,
      h("div", { class: "steps" }, step("\u2190 Previous", "P or \u2190", "previous"), step("Next \u2192", "N or \u2192", "next"), step("Next unreviewed", "U", "nextUnreviewed")),
      h("label", { class: "check" }, this.on, "go on to the next unreviewed case after a verdict"),
      this.progress, h("p", { class: "hint" }, "Masks can be corrected on ", h("a", { href: "#annotate" }, "Annotate"), "; they are kept in the work list."),
    );
  }

  get reviewer() {
    return this.name.value.trim();
  }

  /** A row came, of the case on the stage or of the same case anew. */
  show(row) {
    const other = row.id !== this.row?.id;
    this.row = row;
    const own = row.verdicts[this.reviewer];
    const draft = JSON.parse(stored(this.#key) || "null");
    if (other || document.activeElement !== this.comment) this.comment.value = draft?.comment ?? own?.comment ?? "";
    Object.keys(VERDICTS).forEach((verdict, i) => this.buttons[i].setAttribute("aria-pressed", verdict === own?.verdict));
    if (other) this.state.textContent = draft?.comment !== undefined ? "The comment is not kept yet: choose a verdict." : own ? `Kept, ${local(own.time)}.` : "";
    this.others.replaceChildren(...Object.entries(row.verdicts).filter(([name]) => name !== this.reviewer)
      .map(([name, { verdict, comment, time }]) => h("li", { title: local(time) }, h("b", {}, `${name}: ${VERDICTS[verdict]}`), comment ? ` \u2013 ${comment}` : "")));
    const rows = this.page.list.rows;
    const done = rows.filter(({ verdicts }) => verdicts[this.reviewer]).length;
    this.progress.textContent = `You have reviewed ${done} of ${rows.length} cases.`;
  }

  /** Keep a verdict on this case, and go on. */
  async judge(verdict) {
    const { row } = this;
    if (!row) return;
    if (!this.reviewer) {
      this.state.textContent = "Say who you are first: a verdict has a name.";
      this.name.focus();
      return;
    }
    const comment = this.comment.value.trim();
    store(this.#key, JSON.stringify({ verdict, comment }));
    const key = this.#key;
    this.state.textContent = "Keeping \u2026";
    const answer = await this.#kept({ id: row.id, reviewer: this.reviewer, verdict, comment, version: row.verdicts[this.reviewer]?.version ?? 0 });
    const problem = answer.problem ?? answer.conflict;
    if (!problem) store(key, "");
    if (this.row?.id !== row.id) return;
    if (answer.row) this.row = answer.row;
    this.state.textContent = problem ? `Not kept: ${problem}` : `Kept, ${new Date().toTimeString().slice(0, 5)}.`;
    if (!problem && this.on.checked && !row.verdicts[this.reviewer]) this.step("nextUnreviewed");
  }

  async #kept(verdict) {
    try {
      return await this.page.judge(verdict);
    } catch {
      return { problem: "the server does not answer. The verdict lies in this browser; choose it again." };
    }
  }

  /** To another case; to: a method of the list. */
  step(to) {
    const id = this.page.list[to](this.row?.id);
    if (id === null) this.state.textContent = to === "nextUnreviewed" ? "Every case of this list is reviewed." : "This is the last case of the list.";
    else if (id !== this.row?.id) this.page.go(id);
  }

  /** Keys of the case screen, as in ../keys.js. */
  keys() {
    const verdicts = Object.entries(VERDICTS).map(([verdict, name], i) => [String(i + 1), `verdict: ${name.toLowerCase()}`, () => this.judge(verdict)]);
    return [
      ...verdicts,
      ["C", "comment", () => this.comment.focus()],
      ["N", "next case", () => this.step("next")],
      ["P", "previous case", () => this.step("previous")],
      ["ArrowRight", "next case", () => this.step("next")],
      ["ArrowLeft", "previous case", () => this.step("previous")],
      ["U", "next case without a verdict of yours", () => this.step("nextUnreviewed")],
    ];
  }

  get #key() {
    return `${DRAFT}${this.page.place()}/${this.row.key}/${this.reviewer}`;
  }

  #named() {
    store(REVIEWER, this.reviewer);
    this.page.changed();
    if (this.row) {
      const { row } = this;
      this.row = null;
      this.show(row);
    }
  }

  #drafted() {
    if (!this.row) return;
    const comment = this.comment.value;
    const own = this.row.verdicts[this.reviewer];
    store(this.#key, comment.trim() === (own?.comment ?? "") ? "" : JSON.stringify({ comment }));
  }

  /** A comment that is changed after the verdict is kept with it when the field is left. */
  #commented() {
    const own = this.row?.verdicts[this.reviewer];
    if (own && own.comment !== this.comment.value.trim()) this.judge(own.verdict);
  }

  #typed(event) {
    if (event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      this.comment.blur(); // which keeps what was changed
    }
  }
}

const local = (time) => new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

function stored(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function store(key, value) {
  try {
    if (value) localStorage.setItem(key, value);
    else localStorage.removeItem(key);
  } catch {
    // without it a verdict that was not kept is lost with the page
  }
}
