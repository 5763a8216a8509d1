// The readers of the case on the stage: who draws, whose mask is locked, and who comes, goes or is
// renamed. Every change but the lock is a step that can be undone.
//
// A visitor begins as a new reader, who joins the others with the first stroke: until then there is
// no mask of theirs that could be saved, or taken for "no lesion".

import { REVIEWER, read } from "./storage.js";

/** @import { Stage } from "./stage.js" */
/** @import { Timeline } from "./timeline.js" */
/** @import { Layer } from "./types.js" */

/** @typedef {{layers: Layer[], newcomer: string | null, active: number}} Readership */

const VISITOR = "You";

export class Roster {
  /** @type {string | null} the visitor's name while they have not drawn; null where they have a mask */
  newcomer = null;
  /** What the last press did not do, or did, in one sentence; "" if there is nothing to say. */
  words = "";

  /**
   * @param {Stage} stage @param {Timeline} timeline of the case
   * @param {() => void} changed called when a reader goes or is changed
   */
  constructor(stage, timeline, changed) {
    this.stage = stage;
    this.timeline = timeline;
    this.changed = changed;
    stage.on("change", (what) => {
      this.words = "";
      if (what === "case") timeline.clear();
      const isUnnamed = this.newcomer === VISITOR; // a reviewer may have given their name on another screen
      if (what === "case" || (what === "screen" && isUnnamed)) this.begin();
    });
  }

  /** The visitor draws as the reader of their own, or else as a new one; never as a locked stranger. */
  begin() {
    const { layers, scene } = this.stage;
    const name = (scene?.work && read(REVIEWER)) || VISITOR;
    const named = layers.findIndex(({ reader }) => reader === name);
    const own = named < 0 ? layers.findIndex(({ locked }) => !locked) : named;
    this.newcomer = own < 0 ? name : null;
    this.stage.change({ active: own < 0 ? layers.length : own });
  }

  /** The layer that is drawn on; null: that of the newcomer, who has none yet. @returns {Layer | null} */
  get layer() {
    const { layers, display } = this.stage;
    const none = this.newcomer === null ? layers.at(-1) : null;
    return layers[display.active] ?? none ?? null;
  }

  /** The colour that is drawn in. */
  get colour() {
    const { layers, look } = this.stage;
    return this.layer?.colour ?? look.colours[layers.length % look.colours.length];
  }

  /** Draw as the reader at a place; the newcomer's place is after all others. @param {number} active */
  choose(active) {
    this.words = "";
    this.stage.change({ active });
  }

  /** Whether the layer that is drawn on is locked; then also say how to unlock it. */
  refuses() {
    const { layer } = this;
    this.words = layer?.locked ? `The mask of ${layer.reader} is locked: press K, or its Lock button, to unlock it.` : "";
    this.stage.request();
    return Boolean(layer?.locked);
  }

  /** The newcomer gets a mask. @returns {Readership} as it was before */
  join() {
    const before = this.state();
    this.stage.add({ reader: this.free(this.newcomer ?? VISITOR), drawn: true });
    this.newcomer = null;
    this.stage.change({ active: this.stage.layers.length - 1 });
    this.stage.tell("change", "layers");
    return before;
  }

  /** Another reader, who has no lesion drawn, and draws from now on. */
  add() {
    const { stage } = this;
    this.#step(() => {
      stage.add({ reader: this.free(`Reader ${stage.layers.length + 1}`), drawn: true });
      stage.change({ active: stage.layers.length - 1 });
    });
  }

  /** @param {Layer} layer */
  remove(layer) {
    const { layers } = this.stage;
    this.#step(() => {
      layers.splice(layers.indexOf(layer), 1);
      this.begin();
    });
    this.changed();
    this.words = `The mask of ${layer.reader} was removed: press Ctrl+Z, or Undo, to bring it back.`;
  }

  /** Name the newcomer. @param {string} name */
  introduce(name) {
    this.#step(() => (this.newcomer = this.free(name)));
  }

  /** Rename or recolour a reader. @param {Layer} layer @param {{colour?: string, reader?: string}} part */
  set(layer, { colour = layer.colour, reader = layer.reader }) {
    const before = { colour: layer.colour, reader: layer.reader, version: layer.version };
    const free = this.free(reader, layer);
    // A reader of another name has no version of the work list to be changed from.
    const after = { colour, reader: free, version: free === before.reader ? before.version : undefined };
    const apply = (/** @type {typeof after} */ values) => {
      Object.assign(layer, values, { drawn: true });
      this.stage.tell("change", "names");
    };
    apply(after);
    this.timeline.add({ undo: () => apply(before), redo: () => apply(after) });
    this.changed();
  }

  /** Lock the mask that is drawn on, or unlock it. */
  toggle() {
    if (this.layer) this.lock(this.layer, !this.layer.locked);
    else this.words = "You draw as a new reader, who has nothing to lock: choose another reader first.";
    this.stage.request();
  }

  /** Whoever unlocks a mask draws on it next. @param {Layer} layer @param {boolean} locked */
  lock(layer, locked) {
    layer.locked = locked;
    if (!locked) this.stage.change({ active: this.stage.layers.indexOf(layer) });
    this.stage.tell("change", "layers");
  }

  /**
   * A name that no other reader has: they could not be told apart in a file.
   * @param {string} name @param {Layer | null} own
   */
  free(name, own = null) {
    const taken = new Set(this.stage.layers.filter((layer) => layer !== own).map((layer) => layer.reader));
    let free = name;
    for (let n = 2; taken.has(free); n++) free = `${name} (${n})`;
    return free;
  }

  /** @returns {Readership} */
  state() {
    return { layers: [...this.stage.layers], newcomer: this.newcomer, active: this.stage.display.active };
  }

  /** Bring back the readers as they were. @param {Readership} state */
  restore({ layers, newcomer, active }) {
    const now = this.stage.layers;
    for (const layer of layers) if (!now.includes(layer)) layer.drawn = true; // it is stored and saved again
    now.splice(0, now.length, ...layers);
    this.newcomer = newcomer;
    this.stage.change({ active });
    this.stage.tell("change", "layers");
  }

  /** @param {() => void} change */
  #step(change) {
    const before = this.state();
    change();
    const after = this.state();
    this.timeline.add({ undo: () => this.restore(before), redo: () => this.restore(after) });
    this.stage.tell("change", "layers");
  }
}
