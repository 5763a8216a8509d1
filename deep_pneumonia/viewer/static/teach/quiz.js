// The quiz: asks the server for one case after the other, compares the learner's answer with the
// truth, and keeps score.

import { h } from "../dom.js";
import { plain } from "../drawings.js";
import { hear, viewerReady } from "../page.js";
import { routeOf } from "../route.js";
import { area } from "../run-lengths.js";
import { DeckColumn } from "./quiz-deck.js";
import { parsed } from "./quiz-link.js";
import { listenToKeys } from "./quiz-keys.js";
import { QuizList } from "./quiz-list.js";
import { Question } from "./quiz-question.js";
import { result, scored } from "./quiz-result.js";
import { forget } from "./quiz-store.js";

/** @import { Scene } from "../types.js" */
/** @import { Viewer } from "../viewer.js" */
/** @import { AskedCase, QuizAnswer, QuizRequest, Revealed } from "./types.js" */

/** @typedef {"begin" | "choose" | "ask" | "reveal"} QuizEvent */

const CANNOT_STORE = "This browser cannot store the score: it is lost when you leave the page.";

/**
 * @param {HTMLElement} root @param {HTMLElement} side the column beside @param {(event: QuizEvent) => void} send
 */
export async function mount(root, side, send) {
  const viewer = await viewerReady;
  viewer.quiz = new Quiz(root, side, send, viewer);
}

export class Quiz {
  list = new QuizList();
  /** @type {QuizRequest | null} what the server is asked */
  request = null;
  /** @type {AskedCase | null} the case that is asked */
  #now = null;
  /** @type {"waiting" | "question" | "revealing" | "revealed" | "finished"} */
  phase = "waiting";
  /** @type {Question | null} */
  #question = null;
  /** @type {Scene | null} of the answer that is revealed */
  #scene = null;
  #link = parsed(""); // in the address

  /**
   * @param {HTMLElement} root @param {HTMLElement} side @param {(event: QuizEvent) => void} send
   * @param {Viewer} viewer
   */
  constructor(root, side, send, viewer) {
    this.viewer = viewer;
    this.stage = viewer.stage;
    this.send = send;
    this.case = h("div", { class: "quiz-now", "aria-live": "polite" });
    this.score = h("div");
    root.append(this.case, this.score);
    this.column = new DeckColumn(side, {
      restart: () => this.#restart(), choose: () => this.send("choose"), pick: (part) => {
        this.list.pick(part);
        this.#listed();
      },
    });
    hear("screen", () => this.#open());
    hear("drawn", () => this.#question?.marked());
    hear("shown", () => this.#arrived());
    listenToKeys(this, viewer.tools);
    this.#open();
  }

  get isOpen() {
    return this.stage.display.screen === "quiz";
  }

  #open() {
    if (!this.isOpen) return;
    this.#link = parsed(routeOf(location.hash).argument);
    this.#arrived();
    this.send("begin");
  }

  /** The screen or its scene came, or was locked: a revealed case is not drawn on any more. */
  #arrived() {
    const { scene, host } = this.stage;
    if (scene?.screen !== "quiz") return;
    host.closest("[data-screen]")?.setAttribute("data-quiz", scene.locked ? "revealed" : "asked");
    this.stage.change({ tool: scene.locked ? "move" : "brush" });
    this.#question?.marked();
  }

  /** The server answered an event. @param {QuizAnswer | null} answer */
  answered(answer) {
    if (answer?.event === "begin") return this.#begun(answer);
    if (!answer) return;
    if (typeof answer.problem === "string") this.#refused(answer.event, answer.problem);
    else if (answer.event === "choose") this.column.offer(answer.cases);
    else if (answer.id !== this.#now?.id) return;
    else if (answer.event === "ask") this.#ask();
    else this.#revealed(answer);
  }

  /** @param {Extract<QuizAnswer, {event: "begin"}>} answer */
  #begun({ decks, problem }) {
    this.list.open(decks, this.#link);
    this.#listed();
    if (problem) this.column.left.textContent = problem;
  }

  #restart() {
    this.#warn(this.list.restart());
    this.#now = null;
    this.#listed();
  }

  /** The list may have changed: go on with the case that is asked if it still belongs to it. */
  #listed() {
    this.column.show(this.list);
    this.#scored();
    const belongs = this.phase !== "waiting" && this.list.cases.some(({ id }) => id === this.#now?.id);
    if (!belongs) this.next();
    else if (this.phase === "question") this.#number();
  }

  /** The case that is asked has another place in another list. */
  #number() {
    const now = this.#now;
    if (!now) return;
    const place = this.list.cases.findIndex(({ id }) => id === now.id);
    const name = this.#request(now, place);
    const heading = this.case.querySelector("h3")?.firstChild;
    if (heading) heading.textContent = name;
    const { scene } = this.stage;
    if (scene?.case === now.id) this.viewer.amend(scene, { name });
    this.stage.request();
  }

  /**
   * Say which case the server is asked for.
   * @param {AskedCase} now @param {number} place @returns {string} its name
   */
  #request({ id }, place) {
    const total = this.list.cases.length;
    this.request = { ...(this.request?.id === id ? this.request : {}), id, number: place + 1, total };
    return `Case ${place + 1} of ${total}`;
  }

  /** Ask the first case that has no answer yet. */
  next() {
    const place = this.list.next;
    this.#question = null;
    if (place < 0) return this.#finished();
    this.#now = this.list.cases[place];
    this.phase = "waiting";
    this.request = null;
    this.case.replaceChildren(h("h3", {}, this.#request(this.#now, place)), h("p", {}, "Opening the radiograph\u2026"));
    this.send("ask");
  }

  /** The case is on the stage: ask about it. */
  #ask() {
    const now = this.#now;
    if (!now || !this.request) return;
    const { number, total } = this.request;
    this.phase = "question";
    this.#question = new Question(now.answers, () => this.#mark !== null, () => this.reveal());
    // On a phone the radiograph is far above.
    if (number > 1 && this.isOpen) this.stage.host.parentElement?.scrollIntoView({ block: "nearest" });
    const level = now.difficulty && h("small", {}, ` ${now.difficulty}`);
    this.case.replaceChildren(h("h3", {}, `Case ${number} of ${total}`, level), this.#question.element);
  }

  /** The learner's drawing as the server takes it, or null without one. */
  get #mark() {
    const { scene, layers } = this.stage;
    if (scene?.case !== this.#now?.id || scene?.locked || !layers.length || !area(layers[0].mask)) return null;
    return plain(layers[0]);
  }

  reveal() {
    const given = this.phase === "question" && this.#question?.given();
    const { scene } = this.stage;
    if (!given || !this.request || !scene || scene.case !== this.#now?.id) return;
    const mark = this.#mark;
    this.request = { ...this.request, ...given, drawings: mark ? [mark] : [] };
    this.phase = "revealing";
    this.#lock(scene, true);
    this.#question?.busy(true);
    this.send("reveal");
  }

  /** @param {Scene} scene @param {boolean} locked */
  #lock(scene, locked) {
    this.#scene = this.viewer.amend(scene, { locked });
    this.#arrived();
    this.stage.tell("change", "locked");
  }

  /** @param {Revealed} found */
  #revealed(found) {
    this.phase = "revealed";
    this.#question = null;
    this.#warn(this.list.record(found.id, found));
    if (this.#scene) forget(this.#scene.key); // the next time begins with nothing drawn
    const next = h("button", { type: "button", class: "quiz-main", click: () => this.next() },
      this.list.next < 0 ? "See how you did" : "Next case");
    this.case.replaceChildren(result(found, this.stage.look.scores));
    this.case.querySelector("h3")?.after(next);
    this.#scored();
    if (this.isOpen) next.focus({ preventScroll: true });
  }

  #finished() {
    const { cases, link, difficulty } = this.list;
    const level = link.ids || !difficulty ? "" : `${difficulty} `;
    const answered = `All ${cases.length} ${level}${cases.length === 1 ? "case is" : "cases are"} answered`;
    this.#now = null;
    this.phase = "finished";
    const [words, advice] = cases.length ? [answered, "Your score is below. Start over, or choose other cases."]
      : ["No case to ask", "Choose other cases, or ask for another link."];
    this.case.replaceChildren(h("h3", {}, words), h("p", {}, advice));
  }

  /** @param {string} event @param {string} problem */
  #refused(event, problem) {
    if (event === "choose") this.column.cases.textContent = problem;
    else if (event === "ask") this.case.replaceChildren(h("p", { role: "alert" }, problem));
    else if (this.phase === "revealing" && this.#scene) {
      this.phase = "question";
      this.#lock(this.#scene, false);
      this.#question?.busy(false, problem);
    }
  }

  #scored() {
    this.score.replaceChildren(scored(Object.values(this.list.results)));
    this.column.count(this.list.done, this.list.cases.length);
  }

  /** @param {boolean} isStored */
  #warn(isStored) {
    if (!isStored) this.viewer.say(CANNOT_STORE);
  }
}
