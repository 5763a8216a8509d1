// Editing the mask of the reader who draws: each edit begins, changes pixels, and is committed as a
// step that can be undone, or cancelled. A locked mask cannot be edited.

import { History } from "../history.js";

/** @import { Roster } from "../roster.js" */
/** @import { Readership } from "../roster.js" */
/** @import { Stage } from "../stage.js" */
/** @import { Timeline } from "../timeline.js" */
/** @import { Layer, Rect } from "../types.js" */

export class Editing {
  /** @type {Layer | null} the layer of the edit that is open */
  edited = null;
  /** @type {Readership | null} the readers before the open edit, if a newcomer joined for it */
  #before = null;
  /** @type {WeakMap<Layer, History>} */
  #histories = new WeakMap();

  /**
   * @param {Stage} stage @param {Roster} roster @param {Timeline} timeline of the case
   * @param {() => void} drawn called after each committed edit, undo and redo
   */
  constructor(stage, roster, timeline, drawn) {
    this.stage = stage;
    this.roster = roster;
    this.timeline = timeline;
    this.drawn = drawn;
    stage.on("change", (what) => {
      if (what === "case") this.edited = this.#before = null; // the layer has left the stage
    });
  }

  /** @param {Layer} layer @returns {History} */
  #history(layer) {
    const found = this.#histories.get(layer) ?? new History(this.stage.size);
    this.#histories.set(layer, found);
    return found;
  }

  /** Open an edit. @returns {Layer | null} its layer; null where that is locked */
  begin() {
    if (this.roster.refuses()) return null;
    this.#before = this.roster.layer ? null : this.roster.join();
    const layer = /** @type {Layer} */ (this.roster.layer);
    this.#history(layer).begin(layer.mask);
    this.edited = layer;
    return layer;
  }

  /** Close the open edit as one step. @param {Rect | null} rect around all that was drawn */
  commit(rect) {
    const [layer, before] = [this.edited, this.#before];
    this.edited = this.#before = null;
    if (!layer) return;
    if (this.#history(layer).commit(layer.mask, rect)) this.#committed(layer, before);
    else if (before) this.roster.restore(before);
  }

  /** @param {Layer} layer @param {Readership | null} before the readers, if a newcomer joined for this edit */
  #committed(layer, before) {
    const { roster, timeline } = this;
    const { kind } = layer;
    const after = roster.state();
    const edited = kind === "normal" || kind === "box" ? "pixel" : kind; // no longer what it was loaded as
    this.#changed(layer, edited);
    this.drawn();
    timeline.add({
      undo: () => {
        this.#history(layer).undo(layer.mask);
        this.#changed(layer, kind);
        if (before) roster.restore(before);
      },
      redo: () => {
        if (before) roster.restore(after);
        this.#history(layer).redo(layer.mask);
        this.#changed(layer, edited);
      },
    });
  }

  /** Give up the open edit: the mask is as it was before, and who joined for it has left. */
  cancel() {
    const [layer, before] = [this.edited, this.#before];
    this.edited = this.#before = null;
    if (!layer) return;
    this.#history(layer).cancel(layer.mask);
    layer.changed();
    if (before) this.roster.restore(before);
  }

  undo() {
    if (this.canUndo && this.timeline.undo()) this.#moved();
  }

  redo() {
    if (this.canRedo && this.timeline.redo()) this.#moved();
  }

  get canUndo() {
    return this.stage.draws && !this.edited && this.timeline.canUndo;
  }

  get canRedo() {
    return this.stage.draws && !this.edited && this.timeline.canRedo;
  }

  #moved() {
    this.stage.request();
    this.drawn();
  }

  /** @param {Layer} layer @param {string} kind that its mask has now */
  #changed(layer, kind) {
    layer.changed();
    layer.drawn = true;
    layer.kind = kind;
    this.stage.request();
  }
}
