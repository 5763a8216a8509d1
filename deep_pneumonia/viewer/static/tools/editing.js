// Editing a reader's mask: each edit begins, changes pixels, and is committed or cancelled; undo
// and redo by reader.

import { History } from "../history.js";

/** @import { Stage } from "../stage.js" */
/** @import { Layer, Rect } from "../types.js" */

export class Editing {
  /** @type {Layer | null} the layer of the edit that is open */
  edited = null;
  /** @type {WeakMap<Layer, History>} */
  #histories = new WeakMap();

  /** @param {Stage} stage @param {() => void} drawn called after each committed edit */
  constructor(stage, drawn) {
    this.stage = stage;
    this.drawn = drawn;
  }

  /** A case without layers gets one; that cancels what was begun. */
  ensureLayer() {
    if (this.stage.layers.length) return;
    this.stage.add({ reader: "Reader 1", drawn: true });
    this.stage.tell("change", "layers");
  }

  /** The layer that is drawn on. @returns {Layer} */
  get layer() {
    this.ensureLayer();
    const { layers, display } = this.stage;
    return layers[Math.min(display.active, layers.length - 1)];
  }

  /** @param {Layer} layer @returns {History} */
  #history(layer) {
    const found = this.#histories.get(layer) ?? new History(this.stage.size);
    this.#histories.set(layer, found);
    return found;
  }

  /** Open an edit. @returns {Layer} its layer */
  begin() {
    const { layer } = this;
    this.#history(layer).begin(layer.mask);
    this.edited = layer;
    return layer;
  }

  /** Close the open edit as one step. @param {Rect | null} rect around all that was drawn */
  commit(rect) {
    const layer = this.edited;
    this.edited = null;
    if (layer && this.#history(layer).commit(layer.mask, rect)) this.#changed(layer);
  }

  /** Give up the open edit: the mask is as it was before. */
  cancel() {
    if (this.edited) {
      this.#history(this.edited).cancel(this.edited.mask);
      this.edited.changed();
    }
    this.edited = null;
  }

  undo() {
    if (this.canUndo && this.#history(this.layer).undo(this.layer.mask)) this.#changed(this.layer);
  }

  redo() {
    if (this.canRedo && this.#history(this.layer).redo(this.layer.mask)) this.#changed(this.layer);
  }

  get canUndo() {
    return this.stage.layers.length > 0 && this.#history(this.layer).canUndo;
  }

  get canRedo() {
    return this.stage.layers.length > 0 && this.#history(this.layer).canRedo;
  }

  /** @param {Layer} layer */
  #changed(layer) {
    layer.changed();
    layer.drawn = true;
    if (layer.kind === "normal" || layer.kind === "box") layer.kind = "pixel"; // no longer what it was loaded as
    this.stage.request();
    this.drawn();
  }
}
