// The controls under the panes. They act in the browser alone; nothing here asks the server.

import { STEPS } from "./layers.js";

/** An element: tag, attributes (functions become listeners), children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const LAYOUTS = { side: "Side by side", overlay: "Overlay", slider: "Before / after" };
export const TOOLS = {
  move: ["Move", "drag to move, wheel or pinch to zoom (V)"],
  window: ["Window", "drag: up and down for the centre, left and right for the width (W)"],
  ruler: ["Ruler", "drag from one point to another (L)"],
};
export const PENCILS = {
  brush: ["Brush", "paint lesion (B)"],
  eraser: ["Eraser", "take lesion away (E)"],
  polygon: ["Polygon", "click corners; Enter or a double click closes it (P)"],
  box: ["Box", "drag from corner to corner (X)"],
};

/** The toolbar; its state follows the stage's after every frame. */
export class Controls {
  constructor(stage, actions, scale) {
    [this.stage, this.actions, this.scale] = [stage, actions, scale];
    this.followers = [];
    this.element = h("div", { class: "controls" }, this.#tools(), this.#pencils(), this.#sliders());
    stage.on("frame", () => this.followers.forEach((follow) => follow(stage.state)));
  }

  #tools() {
    const layouts = Object.entries(LAYOUTS).map(([layout, name]) =>
      this.#choice(name, "", (s) => s.layout === layout, () => this.stage.change({ layout })),
    );
    this.followers.push(() => {
      layouts[1].textContent = this.stage.compares ? "Difference" : LAYOUTS.overlay;
    });
    const { fit, actual, reset, fullscreen, help } = this.actions;
    return h("div", { class: "bar" },
      h("div", { class: "group", role: "group", "aria-label": "Layout" }, ...layouts),
      this.#group("Tool", TOOLS),
      h("div", { class: "group", role: "group", "aria-label": "View" },
        this.#button("Fit", "whole picture (0)", fit), this.#button("1:1", "a pixel of the file a pixel of the screen", actual),
        this.#button("Reset", "view, window and sliders as at first; drawings stay (R)", reset),
        this.#button("Full screen", "(F)", fullscreen), this.#button("Keys", "what each key does (?)", help)),
    );
  }

  #pencils() {
    const { undo, redo } = this.actions;
    const size = this.#slider("Brush", 1, 100, 1, (s) => s.brush, (brush) => ({ brush }), (v) => `${v} px`);
    const steps = [this.#button("Undo", "(Ctrl+Z)", undo), this.#button("Redo", "(Ctrl+Shift+Z)", redo)];
    this.followers.push(() => {
      [steps[0].disabled, steps[1].disabled] = [!this.actions.canUndo(), !this.actions.canRedo()];
    });
    const bar = h("div", { class: "bar pencils" }, this.#group("Draw", PENCILS),
      h("div", { class: "group", role: "group", "aria-label": "Steps" }, ...steps), size);
    this.followers.push(() => (bar.hidden = !this.stage.draws));
    return bar;
  }

  #group(label, tools) {
    return h("div", { class: "group", role: "group", "aria-label": label },
      ...Object.entries(tools).map(([tool, [name, hint]]) =>
        this.#choice(name, hint, (s) => s.tool === tool, () => this.stage.change({ tool }))),
    );
  }

  #sliders() {
    const window = (part) => ({ window: { ...this.stage.state.window, ...part } });
    const threshold = this.#slider("Threshold", 0, STEPS, 1, (s) => s.threshold, (v) => ({ threshold: v }),
      (v) => (v / STEPS).toFixed(2));
    const opacity = this.#slider("Attention", 0, 100, 1, (s) => Math.round(s.opacity * 100), (v) => ({ opacity: v / 100 }),
      (v) => `${v}%`, this.#check("show attention (A)", (s) => s.attention, (attention) => ({ attention })));
    this.followers.push(() => (threshold.hidden = this.stage.compares));
    return h("div", { class: "sliders" }, opacity, threshold,
      this.#slider("Centre", 0, 100, 1, (s) => Math.round(s.window.centre * 100), (v) => window({ centre: v / 100 }), (v) => `${v}%`),
      this.#slider("Width", 1, 100, 1, (s) => Math.round(s.window.width * 100), (v) => window({ width: v / 100 }), (v) => `${v}%`),
      h("div", { class: "checks" },
        this.#check("Invert", (s) => s.window.invert, (invert) => window({ invert }), true),
        this.#check("Masks", (s) => s.masks, (masks) => ({ masks }), true),
        this.#check("Outline at the threshold", (s) => s.outline, (outline) => ({ outline }), true), this.scale),
    );
  }

  #button(name, hint, click) {
    return h("button", { type: "button", title: hint, click }, name);
  }

  #choice(name, hint, pressed, click) {
    const button = this.#button(name, hint, click);
    this.followers.push((s) => button.setAttribute("aria-pressed", pressed(s)));
    return button;
  }

  #check(name, read, write, labelled = false) {
    const input = h("input", { type: "checkbox", "aria-label": name, change: () => this.stage.change(write(input.checked)) });
    this.followers.push((s) => (input.checked = read(s)));
    return labelled ? h("label", { class: "check" }, input, name) : input;
  }

  #slider(name, min, max, step, read, write, text, check = null) {
    const output = h("output");
    const input = h("input", {
      type: "range", min, max, step, "aria-label": name, input: () => this.stage.change(write(Number(input.value))),
    });
    this.followers.push((s) => {
      const value = read(s) ?? min;
      if (Number(input.value) !== value) input.value = value;
      const said = text(value);
      if (output.textContent === said) return;
      output.textContent = said;
      input.setAttribute("aria-valuetext", said);
    });
    return h("div", { class: "slider" }, check ?? "", h("span", { "aria-hidden": "true" }, name), input, output);
  }
}
