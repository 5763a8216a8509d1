// The quiz: asks the server for one case after the other, holds the learner's answer against the truth, and keeps score.

import { h } from "../controls.js";
import { area } from "../mask.js";
import { routeOf } from "../route.js";
import { plain } from "../store.js";
import { DeckColumn } from "./quiz-deck.js";
import { listed, parsed, shuffled } from "./quiz-link.js";
import { Question } from "./quiz-question.js";
import { result, scored } from "./quiz-result.js";
import { forget, load, save } from "./quiz-store.js";

/** @param {HTMLElement} root @param {HTMLElement} side the column beside @param {(event: string) => void} send */
export function mount(root, side, send) {
  const start = () => (window.deepPneumonia.quiz = new Quiz(root, side, send));
  if (window.deepPneumonia) start();
  else document.addEventListener("deep-pneumonia:ready", start, { once: true });
}

class Quiz {
  constructor(root, side, send) {
    [this.root, this.send, this.kept] = [root, send, load()];
    Object.assign(this, { decks: [], key: "teaching", difficulty: "", link: parsed(""), cases: [], now: null, phase: "waiting" });
    this.case = h("div", { class: "quiz-now", "aria-live": "polite" });
    this.score = h("div");
    root.append(this.case, this.score);
    this.column = new DeckColumn(side, {
      pick: (part) => this.#pick(part), restart: () => this.#restart(), choose: () => this.send("choose"),
    });
    document.addEventListener("deep-pneumonia:screen", () => this.#open());
    document.addEventListener("deep-pneumonia:drawn", () => this.question?.marked());
    document.addEventListener("deep-pneumonia:shown", () => this.#arrived());
    document.addEventListener("keydown", (event) => this.#pressed(event), true);
    this.#open();
  }

  get stage() {
    return window.deepPneumonia.stage;
  }

  get isOpen() {
    return this.stage.state.screen === "quiz";
  }

  /** Results of this list of cases, by id. */
  get results() {
    const name = this.link.ids ? [...this.link.ids].sort().join(",") : this.key;
    return (this.kept.lists[name] ??= {});
  }

  #open() {
    if (!this.isOpen) return;
    this.asked = parsed(routeOf(location.hash).argument);
    this.#arrived();
    this.send("begin");
  }

  /** The screen or its scene came: what is revealed is not drawn on any more. */
  #arrived() {
    const { scene } = this.stage;
    if (scene?.screen !== "quiz") return;
    this.stage.host.closest("[data-screen]").dataset.quiz = scene.locked ? "revealed" : "asked";
    this.stage.change({ tool: scene.locked ? "move" : "brush" });
    this.question?.marked();
  }

  /** The server answered an event. */
  answered(answer) {
    if (answer?.problem && answer.event !== "begin") this.#refused(answer);
    else if (answer?.event === "begin") this.#begun(answer);
    else if (answer?.event === "choose") this.column.offer(answer.cases);
    else if (answer?.event === "ask" && answer.id === this.now?.id) this.#question();
    else if (answer?.event === "reveal" && answer.id === this.now?.id) this.#revealed(answer);
  }

  #begun({ decks, problem }) {
    [this.decks, this.link] = [decks, this.asked];
    if (!decks.some((deck) => deck.key === this.key)) this.key = "teaching";
    this.#list();
    if (problem) this.column.left.textContent = problem;
  }

  #pick(part) {
    Object.assign(this, part);
    this.#list();
  }

  #restart() {
    for (const id of Object.keys(this.results)) delete this.results[id];
    forget();
    this.#save();
    this.now = null;
    this.#list();
  }

  /** The list of cases may have changed: go on with the case that is asked if it still belongs to it. */
  #list() {
    const deck = this.decks.find((one) => one.key === this.key);
    const { cases, unknown } = listed(this.decks, this.link.ids ?? deck.cases.map((one) => one.id));
    // The order is that of all cases: those of one difficulty keep theirs.
    const level = this.link.ids ? "" : this.difficulty;
    this.cases = shuffled(cases, this.link.seed ?? this.kept.seed).filter((one) => !level || one.difficulty === level);
    this.column.show({ decks: this.decks, key: this.key, difficulty: this.difficulty, linked: this.link.ids ? cases.length : null }, unknown);
    this.#scored();
    const isStill = this.phase !== "waiting" && this.cases.some((one) => one.id === this.now?.id);
    if (!isStill) this.next();
    else if (this.phase === "question") this.#numbered();
  }

  /** The case that is asked has another place in another list. */
  #numbered() {
    const [place, total] = [this.cases.findIndex((one) => one.id === this.now.id), this.cases.length];
    Object.assign(this.request, { number: place + 1, total });
    this.case.querySelector("h3").firstChild.textContent = `Case ${place + 1} of ${total}`;
    if (this.stage.scene?.case === this.now.id) this.stage.scene.name = `Case ${place + 1} of ${total}`;
    this.stage.request();
  }

  /** Ask the first case that has no answer yet. */
  next() {
    const place = this.cases.findIndex((one) => !this.results[one.id]);
    this.question = null;
    if (place < 0) {
      this.#finished();
      return;
    }
    [this.now, this.phase] = [this.cases[place], "waiting"];
    this.request = { id: this.now.id, number: place + 1, total: this.cases.length };
    this.#say(h("h3", {}, `Case ${place + 1} of ${this.cases.length}`), h("p", {}, "Opening the radiograph\u2026"));
    this.send("ask");
  }

  #question() {
    const { number, total } = this.request;
    this.phase = "question";
    this.question = new Question(this.now.answers, () => this.#mark !== null, () => this.reveal());
    if (number > 1 && this.isOpen) this.stage.host.parentElement.scrollIntoView({ block: "nearest" }); // on a phone it is far above
    const level = this.now.difficulty && h("small", {}, ` ${this.now.difficulty}`);
    this.#say(h("h3", {}, `Case ${number} of ${total}`, level), this.question.element);
  }

  /** The learner's drawing as the server takes it, or null while there is none. */
  get #mark() {
    const { scene, layers, size } = this.stage;
    if (scene?.case !== this.now?.id || scene.locked || !layers.length || !area(layers[0].mask)) return null;
    return { ...plain(layers[0]), size };
  }

  reveal() {
    const given = this.phase === "question" && this.question.given();
    if (!given || this.stage.scene?.case !== this.now.id) return;
    const mark = this.#mark;
    this.request = { ...this.request, ...given, drawings: mark ? [mark] : [] };
    this.phase = "reading";
    this.scene = this.stage.scene;
    this.#lock(true);
    this.question.busy(true);
    this.send("reveal");
  }

  #lock(locked) {
    this.scene.locked = locked;
    this.#arrived();
    this.stage.tell("change", "locked");
  }

  #revealed(found) {
    const { ill, answer, confidence, right, iou, marked, model } = found;
    this.phase = "revealed";
    this.question = null;
    this.results[found.id] = { ill, answer, confidence, right, iou, marked, model };
    this.#save();
    forget(this.scene.key); // answered: the next time begins with nothing drawn
    const isLast = this.cases.every((one) => this.results[one.id]);
    const on = h("button", { type: "button", class: "quiz-main", click: () => this.next() }, isLast ? "See how you did" : "Next case");
    this.#say(result(found));
    this.case.querySelector("h3").after(on);
    this.#scored();
    if (this.isOpen) on.focus({ preventScroll: true });
  }

  #finished() {
    const total = this.cases.length;
    [this.now, this.phase] = [null, "finished"];
    const words = total ? `All ${total} ${this.link.ids ? "" : this.difficulty} ${total === 1 ? "case is" : "cases are"} answered`.replace("  ", " ") : "No case to ask";
    this.#say(h("h3", {}, words), h("p", {}, total ? "Below is how you did. Start over, or choose other cases." : "Choose other cases, or ask for another link."));
  }

  #refused({ event, problem }) {
    if (event === "reveal" && this.phase === "reading") {
      this.phase = "question";
      this.#lock(false);
      this.question.busy(false, problem);
    } else if (event === "ask") this.#say(h("p", { role: "alert" }, problem));
    else if (event === "choose") this.column.cases.textContent = problem;
  }

  #say(...parts) {
    this.case.replaceChildren(...parts);
  }

  #scored() {
    const found = Object.values(this.results);
    this.score.replaceChildren(scored(found));
    this.column.count(this.cases.filter((one) => this.results[one.id]).length, this.cases.length);
  }

  #save() {
    if (!save(this.kept)) window.deepPneumonia.say("This browser cannot keep the score: it is gone when you leave the page.");
  }

  // Before the viewer's own keys: Enter closes a polygon that is begun, and reveals otherwise.
  #pressed(event) {
    if (!this.isOpen || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const focus = document.activeElement;
    if (event.key === "Enter" && this.phase === "question" && !focus?.matches("button, summary, a, select, textarea, input[type=text]")) {
      if (window.deepPneumonia.pencil.corners.length) return;
      event.preventDefault();
      this.reveal();
    }
    const goes = event.key === "ArrowRight" || event.key.toLowerCase() === "n";
    if (goes && this.phase === "revealed" && !focus?.matches("input, select, textarea")) {
      event.preventDefault();
      event.stopPropagation();
      this.next();
    }
  }
}
