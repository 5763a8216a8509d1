// The column beside the quiz: which cases are asked, how far the learner is, and a teacher's link.

import { h } from "../controls.js";
import { linkTo } from "./quiz-link.js";

export class DeckColumn {
  /** @param {HTMLElement} host @param {{pick, restart, choose}} does what a visitor asks for */
  constructor(host, does) {
    this.does = does;
    this.choice = h("div", { class: "quiz-pick" });
    this.progress = h("p", { class: "quiz-progress" });
    this.left = h("p", { class: "quiz-unknown", role: "status" });
    this.cases = h("div", { class: "quiz-cases" });
    const restart = h("button", { type: "button", class: "quiz-button", click: does.restart }, "Start over");
    this.teacher = h("details", { toggle: () => this.teacher.open && does.choose() },
      h("summary", {}, "Make a link for learners"), this.cases);
    host.replaceChildren(h("h2", {}, "Quiz"), h("p", { class: "hint" }, "Mark the lesion, name the class and say how sure you are; "
      + "then see what the doctors and the model marked. ", h("a", { href: here("lesson") }, "The guided lesson")),
    this.choice, this.left, this.progress, restart, this.teacher);
  }

  /**
   * @param {{decks, key, difficulty, linked}} now linked: how many cases of a teacher's link are here, null without one
   * @param {string[]} unknown ids that the link names and nobody has here
   */
  show({ decks, key, difficulty, linked }, unknown) {
    this.left.textContent = unknown.length
      ? `Not on this server, and left out: ${unknown.join(", ")}. Cases of a workspace open only where that workspace is open.` : "";
    if (linked !== null) {
      this.choice.replaceChildren(h("p", {}, `A list of ${linked} ${linked === 1 ? "case" : "cases"}. `, h("a", { href: here("quiz") }, "All teaching cases")));
      return;
    }
    const deck = decks.find((one) => one.key === key);
    const levels = [...new Set(deck.cases.map((one) => one.difficulty).filter(Boolean))];
    const parts = [];
    if (decks.length > 1) parts.push(select("Cases", decks.map((one) => [one.key, `${one.name} (${one.cases.length})`]), key, (k) => this.does.pick({ key: k, difficulty: "" })));
    if (levels.length) parts.push(select("Difficulty", [["", "all"], ...levels.map((level) => [level, level])], difficulty, (d) => this.does.pick({ difficulty: d })));
    this.choice.replaceChildren(...parts);
  }

  count(done, total) {
    this.progress.textContent = `${done} of ${total} answered`;
  }

  /** The cases under their names, for a teacher to choose from. */
  offer(cases) {
    const link = h("input", { type: "text", readonly: true, "aria-label": "Link", focus: () => link.select() });
    const said = h("p", { class: "hint", role: "status" });
    const seed = Math.floor(Math.random() * 1e9);
    const boxes = cases.map((one) => h("input", { type: "checkbox", value: one.id }));
    const copy = h("button", { type: "button", class: "quiz-button", click: () => copied(link, said) }, "Copy link");
    const make = () => {
      const ids = boxes.filter((box) => box.checked).map((box) => box.value);
      link.value = ids.length ? linkTo(location.href, ids, seed) : "";
      copy.disabled = !ids.length;
      said.textContent = `${ids.length} chosen`;
    };
    const rows = cases.map((one, i) => h("label", { class: "quiz-case" }, boxes[i], picture(one),
      h("span", {}, one.title, h("small", {}, ` ${one.about}`))));
    this.cases.replaceChildren(h("p", { class: "hint" }, "Choose cases; this list shows their answers, the link does not. It holds "
      + "ids and the order, no picture. Cases of a workspace open only on this server, for those who have that workspace."),
    h("div", { class: "quiz-list", role: "group", "aria-label": "Cases for the link", change: make }, ...rows), link, copy, said);
    make();
  }
}

/** The page's own address: Gradio's <base> would take away what stands behind its "?", and load it anew. */
function here(screen) {
  return `${location.href.split("#")[0]}#${screen}`;
}

function picture({ picture: src }) {
  return src ? h("img", { src, alt: "", width: 44, height: 44 }) : "";
}

async function copied(link, said) {
  try {
    await navigator.clipboard.writeText(link.value);
    said.textContent = "Copied.";
  } catch {
    link.select(); // without a secure address the browser keeps its clipboard to itself
    said.textContent = "Press Ctrl+C to copy the link.";
  }
}

function select(name, options, value, chosen) {
  const found = h("select", { change: () => chosen(found.value) }, ...options.map(([key, text]) => h("option", { value: key }, text)));
  found.value = value;
  return h("label", {}, `${name} `, found);
}
