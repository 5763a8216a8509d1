// What was changed on a case, in order, so that it can be undone and redone: strokes, and readers
// who came, went, or were given another name or colour.

/** @typedef {{undo: () => void, redo: () => void}} Step */

export class Timeline {
  #limit;
  /** @type {Step[]} */
  #done = [];
  /** @type {Step[]} */
  #undone = [];

  /** @param {number} [limit] steps that are kept; older ones cannot be undone. */
  constructor(limit = 200) {
    this.#limit = limit;
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Note a step that was just made; nothing can be redone after it. @param {Step} step */
  add(step) {
    this.#done.push(step);
    this.#undone.length = 0;
    if (this.#done.length > this.#limit) this.#done.shift();
  }

  /** Undo the last step. @returns {boolean} whether there was one */
  undo() {
    const step = this.#done.pop();
    if (!step) return false;
    this.#undone.push(step);
    step.undo();
    return true;
  }

  /** Redo the step that was undone last. @returns {boolean} whether there was one */
  redo() {
    const step = this.#undone.pop();
    if (!step) return false;
    this.#done.push(step);
    step.redo();
    return true;
  }

  /** Another case: its steps begin anew. */
  clear() {
    this.#done.length = 0;
    this.#undone.length = 0;
  }
}
