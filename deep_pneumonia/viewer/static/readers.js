// The readers under the panes: whose outline has which colour, how well the attention agrees with it at the
// threshold of the slider, and, while drawing, whose mask is drawn on.

import { h } from "./controls.js";

const FIGURES = { iou: "IoU", dice: "Dice", share_inside: "inside" };
const QUICK = 3e6; // pixels up to which figures follow every stroke, not only its end

export class Readers {
  /** @param {Stage} stage @param {Pencil} pencil @param {() => void} changed called when a layer comes, goes or is renamed */
  constructor(stage, pencil, changed) {
    [this.stage, this.pencil, this.changed] = [stage, pencil, changed];
    this.list = h("ul", { "aria-label": "Readers" });
    this.add = h("button", { type: "button", class: "add", click: () => this.#added() }, "Add a reader");
    this.element = h("div", { class: "readers" }, this.list, this.add);
    stage.on("change", () => this.build());
    stage.on("frame", () => this.update());
  }

  build() {
    const { layers, look } = this.stage;
    this.drawing = this.stage.draws && this.stage.state.screen !== "quiz"; // the learner has one mask, under one name
    this.add.hidden = !this.drawing;
    this.rows = layers.map((layer, i) => this.#row(layer, i));
    this.list.replaceChildren(...this.rows.map(({ item }) => item));
    look.colours.forEach((colour, i) => {
      document.documentElement.style.setProperty(`--reader-${i}`, layers[i]?.colour ?? colour);
    });
    this.update();
  }

  #row(layer, i) {
    const cells = Object.fromEntries(Object.keys(FIGURES).map((key) => [key, h("b")]));
    const figures = h("span", { class: "figures" }, ...Object.entries(FIGURES).flatMap(([key, name]) => [`${name} `, cells[key], " "]));
    const shown = h("input", {
      type: "checkbox", "aria-label": `Outline of ${layer.reader}`, change: () => {
        layer.shown = shown.checked;
        this.stage.request();
      },
    });
    shown.checked = layer.shown;
    const parts = this.drawing ? this.#editing(layer, i) : [swatch(layer), h("span", { class: "name" }, layer.reader)];
    return { item: h("li", {}, shown, ...parts, figures), layer, cells, figures };
  }

  #editing(layer, i) {
    const active = h("input", {
      type: "radio", name: "active-reader", "aria-label": `Draw as ${layer.reader}`,
      change: () => this.stage.change({ active: i }),
    });
    active.checked = i === Math.min(this.stage.state.active ?? 0, this.stage.layers.length - 1);
    const colour = h("input", {
      type: "color", value: layer.colour.toLowerCase(), "aria-label": `Colour of ${layer.reader}`,
      change: () => this.#set(layer, { colour: colour.value }),
    });
    const name = h("input", {
      type: "text", value: layer.reader, maxlength: 60, "aria-label": `Name of reader ${i + 1}`,
      change: () => this.#set(layer, { reader: this.#free(name.value.trim() || layer.reader, layer) }),
    });
    const remove = h("button", {
      type: "button", title: "Remove this reader from the case", "aria-label": `Remove ${layer.reader}`,
      click: () => this.#removed(layer),
    }, "\u00d7");
    return [active, colour, name, remove];
  }

  #set(layer, part) {
    Object.assign(layer, part, { drawn: true });
    this.build();
    this.stage.request();
    this.changed();
  }

  // Two readers of one name could not be told apart in a saved file.
  #free(name, own = null) {
    const taken = new Set(this.stage.layers.filter((l) => l !== own).map((l) => l.reader));
    let free = name;
    for (let n = 2; taken.has(free); n++) free = `${name} (${n})`;
    return free;
  }

  #added() {
    const { layers } = this.stage;
    const reader = this.#free(`Reader ${layers.length + 1}`);
    layers.push(this.stage.layer({ reader, drawn: true }));
    this.stage.change({ active: layers.length - 1 });
    this.stage.tell("change", "layers");
    const name = this.rows.at(-1).item.querySelector("input[type=text]");
    name.focus({ preventScroll: true });
    name.select();
  }

  #removed(layer) {
    const { layers } = this.stage;
    layers.splice(layers.indexOf(layer), 1);
    this.stage.change({ active: Math.max(0, layers.length - 1) });
    this.stage.tell("change", "layers");
    this.changed();
  }

  /** Figures at the slider's threshold, at once. */
  update() {
    const { compares, map, size, state } = this.stage;
    for (const { layer, cells, figures } of this.rows ?? []) {
      figures.hidden = !map || compares;
      if (figures.hidden || (this.pencil.edited === layer && size[0] * size[1] > QUICK)) continue;
      const found = layer.overlap(map, state.threshold);
      for (const [key, cell] of Object.entries(cells)) {
        const text = found[key] === null ? "\u2013" : found[key].toFixed(2);
        if (cell.textContent !== text) cell.textContent = text;
      }
    }
  }
}

function swatch({ colour }) {
  return h("i", { class: "swatch", style: `background: ${colour}` });
}
