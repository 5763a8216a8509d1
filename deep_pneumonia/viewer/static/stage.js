// The stage: panes, what each of them shows, and one drawing a frame however many things changed.

import { Base, Pane } from "./pane.js";
import { View, ruled } from "./geometry.js";
import { attentionColours, differenceColours } from "./colours.js";
import { MapLayer, MaskLayer, STEPS } from "./layers.js";
import { decode } from "./mask.js";
import { pyramid, unpack } from "./pixels.js";

const REMEMBERED = 600; // durations of frames kept, ten seconds of them

/** What a visitor may change, as it is on opening and after a reset. */
export const DISPLAY = {
  layout: "side", divider: 0.5, attention: true, masks: true, outline: true, opacity: 1,
  window: { centre: 0.5, width: 1, invert: false },
};

/** Screens on which masks are drawn, unless the scene is `locked`; and on which two explanations are compared. */
export const DRAWN_ON = new Set(["annotate", "quiz"]);
const COMPARED_ON = new Set(["compare", "lesson"]);

export class Stage {
  /**
   * @param {HTMLElement} host of the panes
   * @param {{palette: string, most: number, colours: string[]}} look shared with the server's figures
   */
  constructor(host, look) {
    [this.host, this.look] = [host, look];
    this.panes = [new Pane(host), new Pane(host)];
    this.state = { ...DISPLAY, window: { ...DISPLAY.window }, screen: "inspect", threshold: STEPS / 2, tool: "move" };
    this.layers = [];
    this.compared = null;
    this.timings = [];
    this.listeners = { frame: [], change: [] };
    new ResizeObserver(() => this.request()).observe(host);
  }

  /** Call `listener` after each "frame", or whenever the "change" of what is shown matters to others. */
  on(event, listener) {
    this.listeners[event].push(listener);
  }

  tell(event, detail) {
    for (const listener of this.listeners[event]) listener(detail);
  }

  /**
   * Show a case that the server sent, with what was drawn on it before in place of its files' masks of the same
   * readers. Resolves when it is on screen, to false where something else was shown meanwhile.
   */
  async show(scene, drawings = []) {
    const turn = (this.turn = Symbol(scene.name));
    const ready = await this.prepare(scene, drawings);
    if (this.turn !== turn) return false;
    this.enter(ready);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return true;
  }

  /** A scene unfolded, for `enter` or `swap`; it may be shown again and again. */
  async prepare(scene, drawings = []) {
    const { size, bits } = scene;
    const pixels = await unpack(scene.pixels, size, bits);
    const layers = scene.masks.map((mask, i) => this.layer({ ...mask, version: scene.work?.versions[mask.reader] }, i, size));
    for (const drawing of drawings) {
      const place = layers.findIndex(({ reader }) => reader === drawing.reader);
      if (place < 0) layers.push(this.layer(drawing, layers.length, size));
      else layers[place] = this.layer(drawing, place, size);
    }
    if (scene.mark && !layers.length) layers.push(this.layer(scene.mark, 0, size));
    const base = new Base(pyramid(pixels, size), bits === 8 ? 255 : 65535);
    return { scene, size, base, layers, map: scene.cells ? MapLayer.fromCells(scene.cells, size) : null };
  }

  /** Show a prepared scene as a case that has just been opened. */
  enter(ready) {
    Object.assign(this, ready, { view: new View(ready.size), ruler: null, draft: null, compared: null, turn: null });
    this.change({ threshold: Math.round(ready.scene.threshold * STEPS), window: { ...DISPLAY.window } });
    if (this.asked === ready.scene.place) this.asked = null;
    this.tell("change", "case");
  }

  /** Show a prepared scene of the same size in place of this one: zoom, window, threshold and ruler stay. */
  swap(ready) {
    if (String(ready.size) !== String(this.size)) return this.enter(ready);
    Object.assign(this, ready, { draft: null, compared: null, turn: null });
    this.request();
    this.tell("change", "case");
  }

  /** A mask layer from the server's or the store's run lengths, or an empty one. */
  layer({ reader, kind = "pixel", counts = null, colour = null, drawn = false, version }, place = this.layers.length, size = this.size) {
    const [height, width] = size;
    const mask = counts ? decode(counts, height * width) : new Uint8Array(height * width);
    colour ??= this.look.colours[place % this.look.colours.length];
    return new MaskLayer({ reader, kind, mask, colour, drawn, version, size });
  }

  /** Change what is shown; everything is drawn anew in the next frame. */
  change(part) {
    Object.assign(this.state, part);
    this.request();
  }

  /** As it was on opening; drawings stay. */
  reset() {
    const { screen, tool } = this.state;
    this.ruler = null;
    this.view?.fit();
    this.change({
      ...DISPLAY, window: { ...DISPLAY.window }, layout: this.preferred(screen), screen, tool,
      attention: screen !== "annotate", threshold: Math.round((this.scene?.threshold ?? 0.5) * STEPS),
    });
  }

  /** Whether masks are drawn on now. */
  get draws() {
    return DRAWN_ON.has(this.state.screen) && !this.scene?.locked;
  }

  /** Whether two explanations are on the stage, instead of the attention. */
  get compares() {
    return Boolean(this.compared) && COMPARED_ON.has(this.state.screen);
  }

  /** Side by side where there is room; on a phone, and for drawing, one large pane. */
  preferred(screen) {
    return DRAWN_ON.has(screen) || this.host.clientWidth < 620 ? "overlay" : "side";
  }

  request() {
    if (this.scene && !this.frame) this.frame = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.frame = null;
    if (!this.scene) return; // taken away since the frame was asked for
    const start = performance.now();
    const ratio = window.devicePixelRatio || 1;
    const shown = this.contents();
    this.host.dataset.panes = shown.length;
    this.panes.forEach((pane, i) => (pane.element.hidden = i >= shown.length));
    this.view.resize(this.panes[0].measure(ratio));
    this.base.prepare(this.view, ratio, this.state.window);
    const scene = { view: this.view, ratio, base: this.base, marks: (context, scale) => this.#marks(context, scale) };
    this.#colour(shown);
    shown.forEach(({ label, description, sides }, i) => {
      this.panes[i].measure(ratio);
      this.panes[i].label(label, description);
      this.panes[i].draw(scene, sides, this.state.divider);
    });
    this.timings.push(performance.now() - start);
    if (this.timings.length > REMEMBERED) this.timings.shift();
    this.tell("frame");
  }

  #colour(shown) {
    const { palette, most } = this.look;
    const { opacity } = this.state;
    if (this.faded !== opacity) {
      this.faded = opacity;
      this.colours = attentionColours(palette, most, opacity);
      this.differences = differenceColours(most, opacity);
    }
    for (const { sides } of shown) {
      for (const { map } of sides) map?.colour(map.signed ? this.differences : this.colours);
    }
  }

  /** What each visible pane shows: a label and one content, or two with the divider between them. */
  contents() {
    const plain = this.#content(null, "", this.draws);
    if (this.compares) return this.#comparison();
    const about = !this.map ? "No attention map" : this.state.attention ? "Attention" : "Attention, off";
    const marked = this.#content(this.map, about);
    const names = ["Radiograph", about];
    if (this.state.layout === "overlay") return [this.#pane(this.map && this.state.attention ? "Attention over the radiograph" : names[0], [marked])];
    if (this.state.layout === "slider") return [this.#pane(names.join(" | "), [plain, marked])];
    return [this.#pane(names[0], [plain]), this.#pane(names[1], [marked])];
  }

  #comparison() {
    const [a, b] = this.compared.maps;
    const [first, second] = this.compared.sides.map((side) => side.name);
    const sides = [this.#content(a, first, true), this.#content(b, second, true)];
    if (this.state.layout === "side") return [this.#pane(first, [sides[0]]), this.#pane(second, [sides[1]])];
    if (this.state.layout === "slider") return [this.#pane(`${first} | ${second}`, sides)];
    this.compared.difference ??= a && b ? MapLayer.between(a, b) : null;
    const content = { ...this.#content(this.compared.difference, "", true), outline: null };
    return [this.#pane(`Difference: orange, ${first} is higher; blue, ${second} is higher`, [content])];
  }

  #pane(label, sides) {
    const { name } = this.scene;
    return { label, description: `${label} of ${name}`, sides };
  }

  #content(map, name, masks = map !== null || name !== "") {
    const shown = this.state.attention ? map : null;
    const level = this.compares ? this.#levelOf(map) : this.state.threshold;
    return {
      map: shown,
      outline: shown && !shown.signed && this.state.outline && level > 0 ? shown.outline(level) : null,
      masks: masks && this.state.masks ? this.layers.filter((layer) => layer.shown) : [],
    };
  }

  // Two explanations have thresholds of their own, each chosen for it on validation images.
  #levelOf(map) {
    const side = this.compared.maps.indexOf(map);
    return side < 0 ? 0 : Math.round(this.compared.sides[side].threshold * STEPS);
  }

  #marks(context, scale) {
    this.draft?.(context, scale);
    if (!this.ruler) return;
    const [from, to] = this.ruler;
    const path = new Path2D();
    path.moveTo(...from);
    path.lineTo(...to);
    for (const [colour, width] of [["#000", 4], ["#F0E442", 2]]) {
      [context.strokeStyle, context.lineWidth] = [colour, width / scale];
      context.stroke(path);
    }
    const { length, unit } = ruled(from, to, this.scene.spacing_mm);
    const size = 14 / scale;
    context.font = `600 ${size}px system-ui, sans-serif`;
    [context.lineWidth, context.strokeStyle, context.fillStyle] = [3 / scale, "#000", "#F0E442"];
    const text = `${length.toFixed(unit === "mm" ? 1 : 0)} ${unit}`;
    context.strokeText(text, to[0] + size / 2, to[1]);
    context.fillText(text, to[0] + size / 2, to[1]);
  }

  /** Two explanations from /compare: {a, b}, each with cells, or the mask of a doctor whose layer is here. */
  compare(answer) {
    const sides = [answer.a, answer.b];
    this.compared = { sides, maps: sides.map((side) => this.#mapOf(side)), difference: null };
    this.request();
  }

  #mapOf({ key, cells, shows_map: shown }) {
    if (key.startsWith("doctor:")) {
      return this.layers.find((layer) => layer.reader === key.slice("doctor:".length))?.asMap ?? null;
    }
    return cells && shown ? MapLayer.fromCells(cells, this.size) : null;
  }
}
