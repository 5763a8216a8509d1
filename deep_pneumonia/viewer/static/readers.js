// The readers under the panes: the colour of each outline, its agreement with the attention at the
// slider's threshold, and, while drawing, whose mask is drawn on.

import { h } from "./dom.js";
import { twoDecimals } from "./format.js";

/** @import { Editing } from "./tools/editing.js" */
/** @import { Stage } from "./stage.js" */
/** @import { Layer } from "./types.js" */

/** @typedef {"iou" | "dice" | "share_inside"} OverlapKey */
/** @typedef {{item: HTMLLIElement, layer: Layer, cells: [OverlapKey, HTMLElement][], scores: HTMLElement}} ReaderRow */

const OVERLAPS = new Set(["iou", "dice", "share_inside"]); // the scores that one pass over the pixels gives
const QUICK_PIXELS = 3e6; // up to this size scores follow every stroke, not only its end

export class Readers {
  /** @type {ReaderRow[]} */
  #rows = [];
  #drawing = false;

  /**
   * @param {Stage} stage @param {Editing} editing
   * @param {() => void} changed called when a layer comes, goes or is renamed
   */
  constructor(stage, editing, changed) {
    this.stage = stage;
    this.editing = editing;
    this.changed = changed;
    this.list = h("ul", { "aria-label": "Readers" });
    this.add = h("button", { type: "button", class: "add", click: () => this.#added() }, "Add a reader");
    this.element = h("div", { class: "readers" }, this.list, this.add);
    stage.on("change", () => this.build());
    stage.on("frame", () => this.update());
  }

  build() {
    const { layers, look, display } = this.stage;
    this.#drawing = this.stage.draws && display.screen !== "quiz"; // the learner has one mask, under one name
    this.add.hidden = !this.#drawing;
    this.#rows = layers.map((layer, i) => this.#row(layer, i));
    this.list.replaceChildren(...this.#rows.map(({ item }) => item));
    look.colours.forEach((colour, i) => {
      document.documentElement.style.setProperty(`--reader-${i}`, layers[i]?.colour ?? colour);
    });
    this.update();
  }

  /** @param {Layer} layer @param {number} place @returns {ReaderRow} */
  #row(layer, place) {
    const named = this.stage.look.scores.filter(({ key }) => OVERLAPS.has(key));
    const cells = named.map(/** @returns {[OverlapKey, HTMLElement]} */ ({ key }) =>
      [/** @type {OverlapKey} */ (key), h("b")]);
    const scores = h("span", { class: "scores" },
      ...named.flatMap(({ name, hint }, i) => [h("span", { title: hint }, name), " ", cells[i][1], " "]));
    const shown = h("input", {
      type: "checkbox", "aria-label": `Outline of ${layer.reader}`, change: () => {
        layer.shown = shown.checked;
        this.stage.request();
      },
    });
    shown.checked = layer.shown;
    const parts = this.#drawing ? this.#fields(layer, place)
      : [swatch(layer), h("span", { class: "name" }, layer.reader)];
    return { item: h("li", {}, shown, ...parts, scores), layer, cells, scores };
  }

  /** What may be changed of a reader. @param {Layer} layer @param {number} place */
  #fields(layer, place) {
    const active = h("input", {
      type: "radio", name: "active-reader", "aria-label": `Draw as ${layer.reader}`,
      change: () => this.stage.change({ active: place }),
    });
    active.checked = place === Math.min(this.stage.display.active, this.stage.layers.length - 1);
    const colour = h("input", {
      type: "color", value: layer.colour.toLowerCase(), "aria-label": `Colour of ${layer.reader}`,
      change: () => this.#set(layer, { colour: colour.value }),
    });
    const name = h("input", {
      type: "text", value: layer.reader, maxlength: 60, "aria-label": `Name of reader ${place + 1}`,
      change: () => this.#set(layer, { reader: this.#free(name.value.trim() || layer.reader, layer) }),
    });
    const remove = h("button", {
      type: "button", title: "Remove this reader from the case", "aria-label": `Remove ${layer.reader}`,
      click: () => this.#removed(layer),
    }, "\u00d7");
    return [active, colour, name, remove];
  }

  /** @param {Layer} layer @param {{colour?: string, reader?: string}} part */
  #set(layer, part) {
    Object.assign(layer, part, { drawn: true });
    this.build();
    this.stage.request();
    this.changed();
  }

  /**
   * A name that no other reader has: they could not be told apart in a file.
   * @param {string} name @param {Layer | null} own
   */
  #free(name, own = null) {
    const taken = new Set(this.stage.layers.filter((layer) => layer !== own).map((layer) => layer.reader));
    let free = name;
    for (let n = 2; taken.has(free); n++) free = `${name} (${n})`;
    return free;
  }

  #added() {
    const { layers } = this.stage;
    this.stage.add({ reader: this.#free(`Reader ${layers.length + 1}`), drawn: true });
    this.stage.change({ active: layers.length - 1 });
    this.stage.tell("change", "layers");
    const name = this.#rows[layers.length - 1].item.querySelector("input[type=text]");
    if (!(name instanceof HTMLInputElement)) return;
    name.focus({ preventScroll: true });
    name.select();
  }

  /** @param {Layer} layer */
  #removed(layer) {
    const { layers } = this.stage;
    layers.splice(layers.indexOf(layer), 1);
    this.stage.change({ active: Math.max(0, layers.length - 1) });
    this.stage.tell("change", "layers");
    this.changed();
  }

  /** Scores at the slider's threshold, at once. */
  update() {
    const { comparison, map, size, display } = this.stage;
    for (const { layer, cells, scores } of this.#rows) {
      scores.hidden = !map || Boolean(comparison);
      if (!map || scores.hidden || (this.editing.edited === layer && size[0] * size[1] > QUICK_PIXELS)) continue;
      const found = layer.overlap(map, display.threshold);
      for (const [key, cell] of cells) {
        const text = twoDecimals(found[key]);
        if (cell.textContent !== text) cell.textContent = text;
      }
    }
  }
}

/** @param {Layer} layer */
function swatch({ colour }) {
  return h("i", { class: "swatch", style: `background: ${colour}` });
}
