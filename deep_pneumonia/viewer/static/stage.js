// The stage joins a scene, the display state and the renderer, and says when one of them changes.

import {
  fullWindow, initialDisplay, isComparing, isDrawing, preferredLayout, resetDisplay, stepOf,
} from "./display.js";
import { View } from "./geometry.js";
import { MapLayer } from "./layers.js";
import { Renderer } from "./renderer.js";
import { layerOf, unfold } from "./scene.js";

/** @import { Base } from "./pane.js" */
/** @import { Compared, ComparedSide, Comparison, Display, Drawing, Layer, Look } from "./types.js" */
/** @import { Point, Scene, Size, Sketch, Unfolded } from "./types.js" */

const DOCTOR = "doctor:"; // a compared side of this key is a reader's mask

/** @typedef {"frame" | "change"} StageEvent */

export class Stage {
  /** @type {Display} */
  display = initialDisplay();
  /** @type {Scene | null} */
  scene = null;
  /** @type {Size} */
  size = [1, 1];
  view = new View([1, 1]);
  /** @type {Base | null} */
  base = null;
  /** @type {Layer[]} */
  layers = [];
  /** @type {MapLayer | null} the attention */
  map = null;
  /** @type {Compared | null} */
  compared = null;
  /** @type {[Point, Point] | null} */
  ruler = null;
  /** @type {Sketch | null} what a tool has begun */
  draft = null;
  /** @type {number | null} place of the teaching case that was asked for and is not here yet */
  asked = null;
  /** @type {Record<StageEvent, ((detail?: string) => void)[]>} */
  #listeners = { frame: [], change: [] };
  #turn = Symbol("nothing");

  /** @param {HTMLElement} host of the panes @param {Look} look */
  constructor(host, look) {
    this.host = host;
    this.look = look;
    this.renderer = new Renderer(this);
    new ResizeObserver(() => this.request()).observe(host);
  }

  /**
   * Call `listener` after each "frame", or at each "change" that matters to other parts of the
   * page.
   * @param {StageEvent} event @param {(detail?: string) => void} listener
   */
  on(event, listener) {
    this.#listeners[event].push(listener);
  }

  /** @param {StageEvent} event @param {string} [detail] "case", "screen", "layers", "names" or "locked" */
  tell(event, detail) {
    for (const listener of this.#listeners[event]) listener(detail);
  }

  /**
   * Show a scene as a case that was just opened.
   * @param {Scene} scene @param {Drawing[]} drawings take the place of the scene's masks by the same readers
   * @returns {Promise<boolean>} true when it is the stage's scene, false if another scene came first
   */
  async show(scene, drawings = []) {
    const turn = Symbol(scene.name);
    this.#turn = turn;
    const ready = await this.prepare(scene, drawings);
    if (this.#turn !== turn) return false;
    this.enter(ready);
    return true;
  }

  /**
   * Unfold a scene for `enter` or `swap`.
   * @param {Scene} scene @param {Drawing[]} drawings @returns {Promise<Unfolded>}
   */
  prepare(scene, drawings = []) {
    return unfold(scene, drawings, this.look.colours);
  }

  /** Show an unfolded scene as a case that was just opened. @param {Unfolded} ready */
  enter(ready) {
    this.view = new View(ready.size);
    this.ruler = null;
    this.change({ threshold: stepOf(ready.scene.threshold), window: fullWindow() });
    if (this.asked === ready.scene.place) this.asked = null;
    this.#put(ready);
  }

  /**
   * Show an unfolded scene of the same size: zoom, window, threshold and ruler stay.
   * @param {Unfolded} ready
   */
  swap(ready) {
    if (String(ready.size) !== String(this.size)) this.enter(ready);
    else this.#put(ready);
  }

  /** @param {Unfolded} ready */
  #put({ scene, size, base, layers, map }) {
    this.scene = scene;
    this.size = size;
    this.base = base;
    this.layers = layers;
    this.map = map;
    this.draft = null;
    this.compared = null;
    this.#turn = Symbol("shown");
    this.request();
    this.tell("change", "case");
  }

  /** Nothing is on the stage. */
  clear() {
    this.scene = null;
  }

  /** Add a reader's layer. @param {Drawing} drawing */
  add(drawing) {
    const { colours } = this.look;
    this.layers.push(layerOf(drawing, this.size, colours[this.layers.length % colours.length]));
  }

  /** Change the display; the next frame shows it. @param {Partial<Display>} part */
  change(part) {
    Object.assign(this.display, part);
    this.request();
  }

  /** Set the display back to what it was on opening; drawings stay. */
  reset() {
    this.ruler = null;
    this.view.fit();
    this.change(resetDisplay(this.display, this.scene, this.host.clientWidth));
  }

  /** Whether masks can be drawn on now. */
  get draws() {
    return isDrawing(this.display, this.scene);
  }

  /** Whether readers can be added and changed now; a learner has one mask, under one name. */
  get managesReaders() {
    return this.draws && this.display.screen !== "quiz";
  }

  /** The comparison, if this screen shows it in place of the attention. */
  get comparison() {
    return isComparing(this.display) ? this.compared : null;
  }

  /** The layout that suits a screen. @param {string} screen */
  preferred(screen) {
    return preferredLayout(screen, this.host.clientWidth);
  }

  /** Draw everything in the next frame. */
  request() {
    this.renderer.request();
  }

  /** Put two explanations on the stage. @param {Comparison} answer of /compare */
  compare(answer) {
    const sides = [answer.a, answer.b];
    this.compared = { sides, maps: sides.map((side) => this.#mapOf(side)), difference: null };
    this.request();
  }

  /** @param {ComparedSide} side */
  #mapOf({ key, cells, shows_map: shown }) {
    const doctor = key.startsWith(DOCTOR) ? key.slice(DOCTOR.length) : null;
    if (doctor !== null) return this.layers.find(({ reader }) => reader === doctor)?.asMap ?? null;
    return cells && shown ? MapLayer.fromCells(cells, this.size) : null;
  }
}
