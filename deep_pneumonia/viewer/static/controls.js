// The controls under the panes. They act in the browser only; nothing here asks the server.

import { THRESHOLD_STEPS } from "./display.js";
import { h } from "./dom.js";

/** @import { Actions } from "./actions.js" */
/** @import { Stage } from "./stage.js" */
/** @import { Display, GreyWindow, Layout, ToolName } from "./types.js" */

/** @type {[Layout, string][]} */
const LAYOUTS = [["side", "Side by side"], ["overlay", "Overlay"], ["slider", "Before / after"]];
/** @type {[ToolName, string, string][]} */
const TOOLS = [
  ["move", "Move", "drag to move, wheel or pinch to zoom (V)"],
  ["window", "Window", "drag: up and down for the centre, left and right for the width (W)"],
  ["ruler", "Ruler", "drag from one point to another (L)"],
];
/** @type {[ToolName, string, string][]} */
const PENCILS = [
  ["brush", "Brush", "paint lesion (B)"],
  ["eraser", "Eraser", "remove lesion (E)"],
  ["polygon", "Polygon", "click corners; Enter or a double click closes it (P)"],
  ["box", "Box", "drag from corner to corner (X)"],
];

/**
 * @typedef {object} SliderOptions
 * @property {number} [min] @property {number} [max]
 * @property {(display: Display) => number} read
 * @property {(value: number) => Partial<Display>} write
 * @property {(value: number) => string} text
 * @property {HTMLElement} [check] stands before the name
 */

/** The toolbar; it follows the display after every frame. */
export class Controls {
  /** @type {((display: Display) => void)[]} */
  #followers = [];

  /**
   * @param {Stage} stage @param {Actions & {help: () => void}} actions @param {HTMLElement} scale of the attention
   */
  constructor(stage, actions, scale) {
    this.stage = stage;
    this.actions = actions;
    this.element = h("div", { class: "controls" }, this.#tools(), this.#pencils(), this.#sliders(scale));
    stage.on("frame", () => this.#followers.forEach((follow) => follow(stage.display)));
  }

  #tools() {
    const layouts = LAYOUTS.map(([layout, name]) =>
      this.#choice(name, "", (display) => display.layout === layout, () => this.stage.change({ layout })));
    this.#followers.push(() => (layouts[1].textContent = this.stage.comparison ? "Difference" : "Overlay"));
    const { fit, actual, reset, fullscreen, help } = this.actions;
    return h("div", { class: "bar" },
      group("Layout", ...layouts),
      this.#toolGroup("Tool", TOOLS),
      group("View", button("Fit", "whole picture (0)", fit),
        button("1:1", "one pixel of the file on one pixel of the screen", actual),
        button("Reset", "view, window and sliders as at first; drawings stay (R)", reset),
        button("Full screen", "(F)", fullscreen), button("Keys", "what each key does (?)", help)));
  }

  #pencils() {
    const size = this.#slider("Brush", {
      min: 1, read: (display) => display.brush, write: (brush) => ({ brush }), text: (value) => `${value} px`,
    });
    const undo = button("Undo", "(Ctrl+Z)", this.actions.undo);
    const redo = button("Redo", "(Ctrl+Shift+Z)", this.actions.redo);
    const bar = h("div", { class: "bar pencils" }, this.#toolGroup("Draw", PENCILS), group("Steps", undo, redo), size);
    this.#followers.push(() => {
      undo.disabled = !this.actions.canUndo();
      redo.disabled = !this.actions.canRedo();
      bar.hidden = !this.stage.draws;
    });
    return bar;
  }

  /** @param {string} label @param {[ToolName, string, string][]} tools */
  #toolGroup(label, tools) {
    return group(label, ...tools.map(([tool, name, hint]) =>
      this.#choice(name, hint, (display) => display.tool === tool, () => this.stage.change({ tool }))));
  }

  /** @param {HTMLElement} scale */
  #sliders(scale) {
    const threshold = this.#slider("Threshold", {
      max: THRESHOLD_STEPS, read: (display) => display.threshold, write: (value) => ({ threshold: value }),
      text: (value) => (value / THRESHOLD_STEPS).toFixed(2),
    });
    this.#followers.push(() => (threshold.hidden = Boolean(this.stage.comparison)));
    const attention = this.#check("show attention (A)", (display) => display.attention, (on) => ({ attention: on }));
    const window = (/** @type {Partial<GreyWindow>} */ part) => ({ window: { ...this.stage.display.window, ...part } });
    return h("div", { class: "sliders" },
      this.#percent("Attention", (display) => display.opacity, (opacity) => ({ opacity }), { check: attention }),
      threshold,
      this.#percent("Centre", (display) => display.window.centre, (centre) => window({ centre })),
      this.#percent("Width", (display) => display.window.width, (width) => window({ width }), { min: 1 }),
      h("div", { class: "checks" },
        this.#labelled("Invert", (display) => display.window.invert, (invert) => window({ invert })),
        this.#labelled("Masks", (display) => display.masks, (masks) => ({ masks })),
        this.#labelled("Outline at the threshold", (display) => display.outline, (outline) => ({ outline })), scale));
  }

  /**
   * A button that stays pressed while a part of the display has its value.
   * @param {string} name @param {string} hint @param {(display: Display) => boolean} isPressed
   * @param {() => void} click
   */
  #choice(name, hint, isPressed, click) {
    const element = button(name, hint, click);
    this.#followers.push((display) => element.setAttribute("aria-pressed", String(isPressed(display))));
    return element;
  }

  /**
   * @param {string} name @param {(display: Display) => boolean} read @param {(on: boolean) => Partial<Display>} write
   */
  #check(name, read, write) {
    const input = h("input", {
      type: "checkbox", "aria-label": name, change: () => this.stage.change(write(input.checked)),
    });
    this.#followers.push((display) => (input.checked = read(display)));
    return input;
  }

  /**
   * @param {string} name @param {(display: Display) => boolean} read @param {(on: boolean) => Partial<Display>} write
   */
  #labelled(name, read, write) {
    return h("label", { class: "check" }, this.#check(name, read, write), name);
  }

  /**
   * A slider of a share in [0, 1], in percent.
   * @param {string} name @param {(display: Display) => number} read @param {(share: number) => Partial<Display>} write
   * @param {{min?: number, check?: HTMLElement}} options
   */
  #percent(name, read, write, options = {}) {
    return this.#slider(name, {
      ...options, read: (display) => Math.round(read(display) * 100), write: (value) => write(value / 100),
      text: (value) => `${value}%`,
    });
  }

  /** @param {string} name @param {SliderOptions} options */
  #slider(name, { min = 0, max = 100, read, write, text, check }) {
    const output = h("output");
    const input = h("input", {
      type: "range", min, max, step: 1, "aria-label": name, input: () => this.stage.change(write(Number(input.value))),
    });
    this.#followers.push((display) => {
      const value = read(display);
      if (Number(input.value) !== value) input.value = String(value);
      const words = text(value);
      if (output.textContent === words) return;
      output.textContent = words;
      input.setAttribute("aria-valuetext", words);
    });
    return h("div", { class: "slider" }, check ?? "", h("span", { "aria-hidden": "true" }, name), input, output);
  }
}

/** @param {string} name @param {string} hint @param {() => void} click */
function button(name, hint, click) {
  return h("button", { type: "button", title: hint, click }, name);
}

/** @param {string} label @param {HTMLElement[]} elements */
function group(label, ...elements) {
  return h("div", { class: "group", role: "group", "aria-label": label }, ...elements);
}
