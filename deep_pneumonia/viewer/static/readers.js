// The readers under the panes: the colour of each outline, its agreement with the attention at the
// slider's threshold, and, while drawing, whose mask is drawn on and which are locked.

import { h } from "./dom.js";
import { twoDecimals } from "./format.js";

/** @import { Editing } from "./tools/editing.js" */
/** @import { Roster } from "./roster.js" */
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

  /** @param {Stage} stage @param {Editing} editing @param {Roster} roster */
  constructor(stage, editing, roster) {
    this.stage = stage;
    this.editing = editing;
    this.roster = roster;
    this.note = h("p", { class: "note", role: "status" });
    this.list = h("ul", { "aria-label": "Readers" });
    this.add = h("button", { type: "button", class: "add", click: () => this.#added() }, "Add a reader");
    this.element = h("div", { class: "readers" }, this.list, this.add);
    stage.on("change", () => this.build());
    stage.on("frame", () => this.update());
  }

  build() {
    const { layers, look } = this.stage;
    this.#drawing = this.stage.managesReaders;
    this.add.hidden = !this.#drawing;
    const held = this.list.contains(document.activeElement) && document.activeElement?.getAttribute("aria-label");
    this.#rows = layers.map((layer, i) => this.#row(layer, i));
    const { newcomer } = this.roster;
    const coming = this.#drawing && newcomer !== null ? [this.#newcomer(newcomer)] : [];
    this.list.replaceChildren(...this.#rows.map(({ item }) => item), ...coming);
    if (held) this.#focus(held);
    look.colours.forEach((colour, i) => {
      document.documentElement.style.setProperty(`--reader-${i}`, layers[i]?.colour ?? colour);
    });
    this.update();
  }

  /** The rows are new, but the focus stays where it was. @param {string} label */
  #focus(label) {
    for (const element of this.list.querySelectorAll("button, input")) {
      const isHeld = element.getAttribute("aria-label") === label;
      if (isHeld && element instanceof HTMLElement) element.focus({ preventScroll: true });
    }
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
      : [swatch([layer.colour], 0), h("span", { class: "name" }, layer.reader)];
    return { item: h("li", {}, shown, ...parts, scores), layer, cells, scores };
  }

  /** What may be changed of a reader. @param {Layer} layer @param {number} place */
  #fields(layer, place) {
    const { reader } = layer;
    const colour = h("input", {
      type: "color", value: layer.colour.toLowerCase(), "aria-label": `Colour of ${reader}`,
      change: () => this.roster.set(layer, { colour: colour.value }),
    });
    const name = nameField(reader, place, (given) => this.roster.set(layer, { reader: given }));
    const lock = h("button", {
      type: "button", class: "lock", "aria-label": `Lock ${reader}`, "aria-pressed": String(layer.locked),
      title: layer.locked ? "Locked: nothing can be drawn on this mask (K)" : "Lock this mask (K)",
      click: () => this.roster.lock(layer, !layer.locked),
    }, "Lock");
    const remove = h("button", {
      type: "button", title: "Remove this reader from the case", "aria-label": `Remove ${reader}`,
      click: () => this.roster.remove(layer),
    }, "\u00d7");
    return [this.#chooser(reader, place), colour, name, lock, remove];
  }

  /** The visitor who has not drawn yet. @param {string} name */
  #newcomer(name) {
    const place = this.stage.layers.length;
    return h("li", { class: "newcomer" }, this.#chooser(name, place), swatch(this.stage.look.colours, place),
      nameField(name, place, (given) => this.roster.introduce(given)), h("span", { class: "scores" }, "nothing drawn yet"));
  }

  /** @param {string} reader @param {number} place */
  #chooser(reader, place) {
    const chooser = h("input", {
      type: "radio", name: "active-reader", "aria-label": `Draw as ${reader}`, change: () => this.roster.choose(place),
    });
    const { active } = this.stage.display;
    chooser.checked = place === active || (this.stage.layers[place] ?? null) === this.roster.layer;
    return chooser;
  }

  #added() {
    this.roster.add();
    const name = this.#rows[this.#rows.length - 1].item.querySelector("input[type=text]");
    if (!(name instanceof HTMLInputElement)) return;
    name.focus({ preventScroll: true });
    name.select();
  }

  /** Scores at the slider's threshold, at once, and what there is to say. */
  update() {
    const { comparison, map, size, display } = this.stage;
    const { words, layer: drawn } = this.roster;
    if (this.note.textContent !== words) this.note.textContent = words;
    this.stage.host.dataset.locked = String(this.#drawing && Boolean(drawn?.locked));
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

/** @param {string[]} colours @param {number} place of the reader */
function swatch(colours, place) {
  return h("i", { class: "swatch", style: `background: ${colours[place % colours.length]}` });
}

/** @param {string} name @param {number} place of the reader @param {(name: string) => void} given */
function nameField(name, place, given) {
  const field = h("input", {
    type: "text", value: name, maxlength: 60, "aria-label": `Name of reader ${place + 1}`, change: () => {
      const text = field.value.trim();
      if (text && text !== name) given(text);
      else field.value = name;
    },
  });
  return field;
}
