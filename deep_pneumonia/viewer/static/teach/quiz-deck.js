// The column beside the quiz: which cases are asked, the learner's progress, and a teacher's link.

import { h } from "../dom.js";
import { cases as numberOfCases } from "../format.js";
import { linkTo } from "./quiz-link.js";

/** @import { QuizList } from "./quiz-list.js" */
/** @import { OfferedCase } from "./types.js" */

/**
 * @typedef {object} DeckActions
 * @property {(part: {key?: string, difficulty?: string}) => void} pick a deck or a difficulty
 * @property {() => void} restart
 * @property {() => void} choose cases for a link
 */

const HINT = "Mark the lesion, name the class and say how sure you are; then see what the doctors and the model "
  + "marked. ";
const LINK_HINT = "Choose cases; this list shows their answers, the link does not. The link holds ids and the order, "
  + "no pictures. Cases of a workspace open only on this server, for those who have that workspace.";

export class DeckColumn {
  choice = h("div", { class: "quiz-pick" });
  progress = h("p", { class: "quiz-progress" });
  left = h("p", { class: "quiz-unknown", role: "status" });
  cases = h("div", { class: "quiz-cases" });

  /** @param {HTMLElement} host @param {DeckActions} actions */
  constructor(host, actions) {
    this.actions = actions;
    const restart = h("button", { type: "button", class: "quiz-button", click: actions.restart }, "Start over");
    const teacher = h("details", { toggle: () => teacher.open && actions.choose() },
      h("summary", {}, "Make a link for learners"), this.cases);
    const lesson = h("a", { href: addressOf("lesson") }, "The guided lesson");
    host.replaceChildren(h("h2", {}, "Quiz"), h("p", { class: "hint" }, HINT, lesson),
      this.choice, this.left, this.progress, restart, teacher);
  }

  /** @param {QuizList} list */
  show({ decks, key, difficulty, linked, unknown }) {
    this.left.textContent = !unknown.length ? "" : `Not on this server, and left out: ${unknown.join(", ")}. `
      + "Cases of a workspace open only where that workspace is open.";
    if (linked !== null) {
      const all = h("a", { href: addressOf("quiz") }, "All teaching cases");
      this.choice.replaceChildren(h("p", {}, `A list of ${numberOfCases(linked)}. `, all));
      return;
    }
    const deck = decks.find((one) => one.key === key);
    const levels = [...new Set(deck?.cases.map((one) => one.difficulty).filter(Boolean))];
    const parts = [];
    if (decks.length > 1) {
      const names = decks.map((one) => [one.key, `${one.name} (${one.cases.length})`]);
      parts.push(select("Cases", names, key, (chosen) => this.actions.pick({ key: chosen, difficulty: "" })));
    }
    if (levels.length) {
      const names = [["", "all"], ...levels.map((level) => [level, level])];
      parts.push(select("Difficulty", names, difficulty, (chosen) => this.actions.pick({ difficulty: chosen })));
    }
    this.choice.replaceChildren(...parts);
  }

  /** @param {number} done @param {number} total */
  count(done, total) {
    this.progress.textContent = `${done} of ${total} answered`;
  }

  /** List cases by their names for a teacher to choose from. @param {OfferedCase[]} cases */
  offer(cases) {
    const link = h("input", { type: "text", readonly: true, "aria-label": "Link", focus: () => link.select() });
    const status = h("p", { class: "hint", role: "status" });
    const seed = Math.floor(Math.random() * 1e9);
    const boxes = cases.map((one) => h("input", { type: "checkbox", value: one.id }));
    const copy = h("button", { type: "button", class: "quiz-button" }, "Copy link");
    copy.addEventListener("click", () => copyLink(link, status));
    const make = () => {
      const ids = boxes.filter((box) => box.checked).map((box) => box.value);
      link.value = ids.length ? linkTo(location.href, ids, seed) : "";
      copy.disabled = !ids.length;
      status.textContent = `${ids.length} chosen`;
    };
    const rows = cases.map((one, i) => h("label", { class: "quiz-case" }, boxes[i], picture(one),
      h("span", {}, one.title, h("small", {}, ` ${one.about}`))));
    const attributes = { class: "quiz-list", role: "group", "aria-label": "Cases for the link", change: make };
    const list = h("div", attributes, ...rows);
    this.cases.replaceChildren(h("p", { class: "hint" }, LINK_HINT), list, link, copy, status);
    make();
  }
}

/**
 * The full address of a screen: Gradio's <base> would remove its query, and load the page again.
 * @param {string} screen
 */
function addressOf(screen) {
  return `${location.href.split("#")[0]}#${screen}`;
}

/** @param {OfferedCase} one */
function picture({ picture: src }) {
  return src ? h("img", { src, alt: "", width: 44, height: 44 }) : "";
}

/** @param {HTMLInputElement} link @param {HTMLElement} status */
async function copyLink(link, status) {
  try {
    await navigator.clipboard.writeText(link.value);
    status.textContent = "Copied.";
  } catch {
    link.select(); // the browser gives its clipboard to secure addresses only
    status.textContent = "Press Ctrl+C to copy the link.";
  }
}

/**
 * @param {string} name @param {string[][]} options [value, text] @param {string} value
 * @param {(value: string) => void} choose
 */
function select(name, options, value, choose) {
  const found = h("select", { change: () => choose(found.value) },
    ...options.map(([key, text]) => h("option", { value: key }, text)));
  found.value = value;
  return h("label", {}, `${name} `, found);
}
