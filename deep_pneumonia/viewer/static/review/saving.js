// Masks that are drawn on a case of the work list are kept in it as they change: every version stays, and what two
// people change at once is said, never lost. Until the server has said that it is kept, the browser's own copy stays.

import { encode } from "../mask.js";

const PAUSE = 600; // ms without a stroke after which masks are kept

/**
 * What the server is to be told.
 * @param {{reader: string, drawn: boolean, version?: number}[]} layers as they are drawn now
 * @param {Set<string>} readers who have a mask as the server knows it
 * @param {Record<string, number>} versions the newest of each reader who ever drew, as this page knows them
 */
export function changesOf(layers, readers, versions, plain) {
  const drawn = layers.filter((layer) => layer.drawn).map((layer) => ({
    ...plain(layer), version: layer.version ?? versions[layer.reader] ?? 0,
  }));
  const gone = [...readers].filter((reader) => layers.every((layer) => layer.reader !== reader));
  return [...drawn, ...gone.map((reader) => ({ reader, removed: true, version: versions[reader] ?? 0 }))];
}

export class Saving {
  /**
   * @param {(request: object) => Promise<object>} ask the server
   * @param {{stage: Stage, author: () => string, keep: (key: string, layers: object[]) => boolean,
   *   plain: (layer: object) => object, kept: (row: object) => void, say: (...parts: (string|Node)[]) => void,
   *   reopen: (id: number) => void}} page
   */
  constructor(ask, page) {
    Object.assign(this, { ask, page });
    this.readers = new Set();
  }

  /** A case came on the stage: what is on it is what the server has, but for drawings that were not kept yet. */
  opened(scene) {
    this.readers = new Set(scene.masks.map(({ reader }) => reader));
    this.versions = { ...scene.work.versions };
    if (this.page.stage.layers.some((layer) => layer.drawn)) this.changed(scene);
  }

  /** Its masks were drawn on. */
  changed(scene) {
    this.dirty = scene;
    this.page.say("Not kept yet \u2026");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), PAUSE);
  }

  /** Keep what was changed; resolves when the server has it, or has said why not. */
  async save() {
    clearTimeout(this.timer);
    const { stage } = this.page;
    const scene = this.dirty;
    if (!scene || stage.scene !== scene) return; // its drawings lie in the browser until it is opened again
    if (this.busy) return void (this.again = true);
    const changes = changesOf(stage.layers, this.readers, this.versions, this.page.plain);
    if (!changes.length) return this.page.say("");
    [this.busy, this.dirty] = [true, null];
    const sent = new Map(stage.layers.filter((layer) => layer.drawn).map((layer) => [layer, encode(layer.mask).join()]));
    const answer = await this.#asked({ what: "draw", id: scene.work.id, author: this.page.author(), changes });
    this.busy = false;
    if (answer.problem) {
      this.dirty = scene;
      this.page.say(`Not kept: ${answer.problem}`);
    } else {
      this.#kept(scene, sent, answer);
    }
    if (this.again) {
      this.again = false;
      this.save();
    }
  }

  async #asked(request) {
    try {
      return await this.ask(request);
    } catch {
      return { problem: "the server does not answer. The drawing stays in this browser, and is sent when the case is opened again." };
    }
  }

  #kept(scene, sent, { row, versions, refused, conflict }) {
    this.page.kept(row);
    if (this.page.stage.scene !== scene) return;
    const mine = new Set(refused);
    this.versions = versions;
    this.readers = new Set(row.agreement.map(({ reader }) => reader));
    scene.work.versions = versions;
    for (const [layer, counts] of sent) {
      if (mine.has(layer.reader)) continue;
      layer.version = versions[layer.reader];
      if (encode(layer.mask).join() === counts) layer.drawn = false;
    }
    this.page.keep(scene.key, this.page.stage.layers);
    // The scene may come back to the stage after another: then as the server has it now.
    scene.masks = this.page.stage.layers.filter((layer) => !layer.drawn).map(this.page.plain);
    if (conflict) this.#conflict(scene, mine, conflict);
    else this.page.say(`Kept in the work list at ${new Date().toTimeString().slice(0, 5)}.`);
  }

  /** Two changed one mask: the person says which one is to be the newest; both stay. */
  #conflict(scene, mine, conflict) {
    const button = (name, act) => {
      const element = document.createElement("button");
      Object.assign(element, { type: "button", textContent: name, onclick: act });
      return element;
    };
    const ours = () => {
      for (const layer of this.page.stage.layers) if (mine.has(layer.reader)) layer.version = this.versions[layer.reader];
      this.dirty = scene;
      this.save();
    };
    const theirs = () => {
      this.page.keep(scene.key, []);
      this.page.reopen(scene.work.id);
    };
    this.page.say(conflict, " ", button("Keep mine as the newest", ours), " ", button("Take theirs", theirs));
  }
}
