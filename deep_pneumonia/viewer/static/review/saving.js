// Masks drawn on a case of the work list are saved in it as they change. Every version stays; if
// two people change a mask at once, the page says so and nothing is lost. The browser keeps its
// copy until the server has saved the mask.

import { h } from "../dom.js";
import { keep, plain } from "../drawings.js";
import { clock } from "../format.js";
import { encode } from "../run-lengths.js";

/** @import { Stage } from "../stage.js" */
/** @import { Layer, Scene } from "../types.js" */
/** @import { Answer, CaseRow, MaskChange, Request } from "./types.js" */

const REST = 600; // milliseconds without a stroke after which masks are saved
const NO_ANSWER = "the server does not answer. The drawing stays in this browser and is sent when the case is opened "
  + "again.";

/**
 * @typedef {object} SavingPage
 * @property {Stage} stage
 * @property {() => string} author
 * @property {(scene: Scene, part: Partial<Scene>) => void} amend
 * @property {(row: CaseRow) => void} saved
 * @property {(...parts: (string | Node)[]) => void} say
 * @property {(id: number) => void} reopen a case
 */

/**
 * What the server must be told.
 * @param {Layer[]} layers on the stage @param {Set<string>} readers who have a mask on the server
 * @param {Record<string, number>} versions the newest of each reader who ever drew, as this page knows them
 * @returns {MaskChange[]}
 */
export function changesOf(layers, readers, versions) {
  const drawn = layers.filter((layer) => layer.drawn).map((layer) => (
    { ...plain(layer), version: layer.version ?? versions[layer.reader] ?? 0 }
  ));
  const gone = [...readers].filter((reader) => layers.every((layer) => layer.reader !== reader));
  const removed = gone.map(/** @returns {MaskChange} */ (reader) => (
    { reader, removed: true, version: versions[reader] ?? 0 }
  ));
  return [...drawn, ...removed];
}

/**
 * Whether two scenes show the same case of the work list.
 * @param {Scene | null} a @param {Scene | null} b
 */
function isSameCase(a, b) {
  return a?.key === b?.key && a?.work?.id === b?.work?.id;
}

/** A layer as the server stores it: a change of it makes another text. @param {Layer} layer */
function stateOf({ reader, mask }) {
  return JSON.stringify([reader, encode(mask).join()]);
}

export class Saving {
  /** @type {Set<string>} */
  #readers = new Set();
  /** @type {Record<string, number>} */
  #versions = {};
  /** @type {Map<string, number>} versions of the removals that this page saved, by reader */
  #removals = new Map();
  /** @type {Scene | null} the scene whose masks changed since they were last sent */
  #changed = null;
  #busy = false;
  #again = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #resting;

  /** @param {(request: Request) => Promise<Answer>} ask the server @param {SavingPage} page */
  constructor(ask, page) {
    this.ask = ask;
    this.page = page;
  }

  /**
   * A case came on the stage, with the server's masks and drawings that are not saved yet.
   * @param {Scene} scene
   */
  opened(scene) {
    this.#readers = new Set(scene.masks.map(({ reader }) => reader));
    this.#versions = { ...scene.work?.versions };
    this.#removals.clear();
    if (this.page.stage.layers.some((layer) => layer.drawn)) this.changed(scene);
  }

  /** The case's masks were drawn on. @param {Scene} scene */
  changed(scene) {
    this.#changed = scene;
    this.page.say("Not saved yet \u2026");
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.save(), REST);
  }

  /** Save what was changed; resolves when the server has saved it, or has said why not. */
  async save() {
    clearTimeout(this.#resting);
    const { stage } = this.page;
    const scene = this.#changed;
    if (!scene?.work || !isSameCase(stage.scene, scene)) return; // drawings wait for the case to open again
    if (this.#busy) return void (this.#again = true);
    this.#bringBack(stage.layers);
    const changes = changesOf(stage.layers, this.#readers, this.#versions);
    if (!changes.length) return this.page.say("");
    this.#busy = true;
    this.#changed = null;
    const drawn = stage.layers.filter((layer) => layer.drawn);
    const sent = new Map(drawn.map((layer) => [layer, stateOf(layer)]));
    const answer = await this.#asked({ what: "draw", id: scene.work.id, author: this.page.author(), changes });
    this.#busy = false;
    if (answer.problem) {
      this.#changed = scene;
      this.page.say(`Not saved: ${answer.problem}`);
    } else {
      this.#saved(scene, { sent, removed: changes.filter((one) => "removed" in one).map(({ reader }) => reader) }, answer);
    }
    if (this.#again) {
      this.#again = false;
      this.save();
    }
  }

  /** A mask whose removal was saved and undone goes on from that removal. @param {Layer[]} layers */
  #bringBack(layers) {
    for (const layer of layers) {
      layer.version = this.#removals.get(layer.reader) ?? layer.version;
      this.#removals.delete(layer.reader);
    }
  }

  /** @param {Request} request @returns {Promise<Answer>} */
  async #asked(request) {
    try {
      return await this.ask(request);
    } catch {
      return { problem: NO_ANSWER };
    }
  }

  /**
   * @param {Scene} scene
   * @param {{sent: Map<Layer, string>, removed: string[]}} asked layers as they were sent, and readers to remove
   * @param {Answer} answer
   */
  #saved(scene, { sent, removed }, { row, versions, refused, conflict }) {
    const { stage } = this.page;
    this.page.saved(row);
    const { scene: shown } = stage;
    if (!shown?.work || !isSameCase(shown, scene)) return;
    const refusedReaders = new Set(refused);
    this.#versions = versions;
    this.#readers = new Set(row.agreement.map((/** @type {{reader: string}} */ { reader }) => reader));
    for (const reader of removed) if (!refusedReaders.has(reader)) this.#removals.set(reader, versions[reader]);
    for (const [layer, state] of sent) {
      if (refusedReaders.has(layer.reader)) continue;
      layer.version = versions[layer.reader];
      if (stateOf(layer) === state) layer.drawn = false;
    }
    keep(scene.key, stage.layers);
    // If the scene comes back to the stage after another, it shows what the server has now.
    this.page.amend(shown, {
      work: { ...shown.work, versions }, masks: stage.layers.filter((layer) => !layer.drawn).map(plain),
    });
    if (conflict) this.#conflict(scene, refusedReaders, conflict);
    else this.page.say(`Saved in the work list at ${clock()}.`);
  }

  /**
   * Two people changed a mask: the visitor says which version is to be the newest; both stay.
   * @param {Scene} scene @param {Set<string>} readers whose masks were refused @param {string} words
   */
  #conflict(scene, readers, words) {
    const keepMine = () => {
      const mine = this.page.stage.layers.filter(({ reader }) => readers.has(reader));
      for (const layer of mine) layer.version = this.#versions[layer.reader];
      this.#changed = scene;
      this.save();
    };
    const takeTheirs = () => {
      keep(scene.key, []);
      if (scene.work) this.page.reopen(scene.work.id);
    };
    this.page.say(words, " ", h("button", { type: "button", click: keepMine }, "Keep mine as the newest"), " ",
      h("button", { type: "button", click: takeTheirs }, "Take theirs"));
  }
}
