// Which cases the quiz asks, in which order, and the results so far.

import { listed, parsed, shuffled } from "./quiz-link.js";
import { forget, load, save } from "./quiz-store.js";

/** @import { Link } from "./quiz-link.js" */
/** @import { AskedCase, Deck, Result } from "./types.js" */

export class QuizList {
  /** @type {Deck[]} */
  decks = [];
  key = "teaching"; // of the chosen deck
  difficulty = ""; // "": all
  /** @type {Link} */
  link = parsed("");
  /** @type {AskedCase[]} */
  cases = [];
  /** @type {string[]} ids of the link that no deck has */
  unknown = [];
  /** @type {number | null} how many cases of the link were found; null without a link */
  linked = null;
  #kept = load();

  /** @param {Deck[]} decks @param {Link} link */
  open(decks, link) {
    this.decks = decks;
    this.link = link;
    if (!decks.some((deck) => deck.key === this.key)) this.key = "teaching";
    this.#update();
  }

  /** Choose a deck, or a difficulty. @param {{key?: string, difficulty?: string}} part */
  pick({ key = this.key, difficulty = this.difficulty }) {
    this.key = key;
    this.difficulty = difficulty;
    this.#update();
  }

  #update() {
    const { ids, seed } = this.link;
    const deck = this.decks.find(({ key }) => key === this.key);
    const { cases, unknown } = listed(this.decks, ids ?? deck?.cases.map(({ id }) => id) ?? []);
    const level = ids ? "" : this.difficulty;
    // The order is that of all cases; the cases of one difficulty keep it.
    this.cases = shuffled(cases, seed ?? this.#kept.seed).filter((one) => !level || one.difficulty === level);
    this.unknown = unknown;
    this.linked = ids ? cases.length : null;
  }

  /** Results of this list by case. @returns {Record<string, Result>} */
  get results() {
    const name = this.link.ids ? [...this.link.ids].sort().join(",") : this.key;
    this.#kept.lists[name] ??= {};
    return this.#kept.lists[name];
  }

  /** How many cases of this list are answered. */
  get done() {
    return this.cases.filter(({ id }) => this.results[id]).length;
  }

  /** The place of the first case without a result, or -1. */
  get next() {
    return this.cases.findIndex(({ id }) => !this.results[id]);
  }

  /**
   * @param {string} id @param {Result} result @returns {boolean} false where the browser cannot store it
   */
  record(id, { ill, answer, confidence, right, iou, marked, model }) {
    this.results[id] = { ill, answer, confidence, right, iou, marked, model };
    return save(this.#kept);
  }

  /**
   * Forget the results of this list, and all drawings of the quiz.
   * @returns {boolean} false where the browser refuses
   */
  restart() {
    for (const id of Object.keys(this.results)) delete this.results[id];
    forget();
    return save(this.#kept);
  }
}
