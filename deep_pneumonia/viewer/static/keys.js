// Keys, and the overlay that says what each of them does.

import { h } from "./controls.js";
import { STEPS } from "./layers.js";

/** Keys as shown, what they do in words, and the action; only while the viewer or nothing else has the focus. */
export function keymap(stage, actions) {
  const { state } = stage;
  const toggle = (name) => () => stage.change({ [name]: !state[name] });
  const tool = (name, drawing = false) => () => (!drawing || stage.draws) && stage.change({ tool: name });
  const threshold = (by) => () => stage.change({ threshold: Math.min(Math.max(state.threshold + by, 0), STEPS) });
  const zoom = (factor) => () => actions.zoom(factor);
  return [
    ["A", "attention on or off", toggle("attention")],
    ["M", "masks on or off", toggle("masks")],
    ["O", "outline at the threshold on or off", toggle("outline")],
    ["I", "invert", () => stage.change({ window: { ...state.window, invert: !state.window.invert } })],
    ["1", "side by side", () => stage.change({ layout: "side" })],
    ["2", "overlay (difference, when comparing)", () => stage.change({ layout: "overlay" })],
    ["3", "before / after", () => stage.change({ layout: "slider" })],
    ["[", "threshold down", threshold(-1)],
    ["]", "threshold up", threshold(1)],
    ["+", "zoom in", zoom(1.25)],
    ["-", "zoom out", zoom(0.8)],
    ["0", "fit", actions.fit],
    ["R", "reset", actions.reset],
    ["F", "full screen", actions.fullscreen],
    ["V", "move", tool("move")],
    ["W", "window", tool("window")],
    ["L", "ruler", tool("ruler")],
    ["B", "brush (where masks are drawn)", tool("brush", true)],
    ["E", "eraser", tool("eraser", true)],
    ["P", "polygon", tool("polygon", true)],
    ["X", "box", tool("box", true)],
    ["Ctrl+Z", "undo", actions.undo],
    ["Ctrl+Shift+Z", "redo", actions.redo],
    ["Enter", "close the polygon", actions.close],
    ["Escape", "give up what is begun", actions.cancel],
    ["ArrowLeft", "previous case", () => actions.step(-1)],
    ["ArrowRight", "next case", () => actions.step(1)],
    ["?", "this help", actions.help],
  ];
}

/**
 * The entries that hold on a screen, each key once: its own win over those of all screens. A digit that it takes leaves
 * what the digit does elsewhere to Shift and the digit.
 */
export function entriesOf(general, special) {
  const taken = new Set(special.map(([key]) => key));
  const moved = general.map(([key, ...rest]) => [taken.has(key) && /^\d$/.test(key) ? `Shift+${key}` : key, ...rest]);
  return [...special, ...moved.filter(([key]) => !taken.has(key))];
}

/** What a pressed key may go by in the entries. With Shift a digit's key gives another sign, so its place counts first. */
export function namesOf({ key, code = "", ctrlKey, metaKey, shiftKey }) {
  if (ctrlKey || metaKey) return [`ctrl+${shiftKey ? "shift+" : ""}${key.toLowerCase()}`];
  const sign = key === "=" ? "+" : key.toLowerCase();
  return shiftKey && /^Digit\d$/.test(code) && !/^\d$/.test(key) ? [`shift+${code.slice(-1)}`, sign] : [sign];
}

export class Keys {
  constructor(stage, actions, root) {
    this.stage = stage;
    this.general = keymap(stage, { ...actions, help: () => this.help() });
    this.special = new Map();
    this.table = h("tbody");
    this.dialog = h("dialog", { class: "keys", "aria-label": "Keys" });
    const note = "The keys work while the viewer has the focus, or nothing has. Right button: window. Middle button: move. "
      + "Alt while drawing takes away.";
    const close = h("button", { type: "button", click: () => this.dialog.close() }, "Close");
    this.dialog.append(h("h2", {}, "Keys"), h("table", {}, this.table), h("p", {}, note), close);
    root.append(this.dialog);
    document.addEventListener("keydown", (event) => this.#pressed(event, stage, root));
  }

  /** Keys of one screen, which win over those of all. */
  add(screen, entries) {
    this.special.set(screen, entries);
  }

  /** The keys of the screen that is open. */
  get own() {
    return this.special.get(this.stage.state.screen) ?? [];
  }

  get entries() {
    return entriesOf(this.general, this.own);
  }

  help() {
    if (this.dialog.open) return this.dialog.close();
    this.table.replaceChildren(...this.entries.map(([key, words]) => h("tr", {},
      h("th", { scope: "row" }, h("kbd", {}, shownAs(key))), h("td", {}, words))));
    this.dialog.showModal();
  }

  #pressed(event, stage, root) {
    const focus = document.activeElement;
    const action = actionOf(this.entries, event);
    // The keys of a screen hold wherever the focus is on it, those of the viewer in the viewer.
    const here = !focus || focus === document.body || root.contains(focus) || actionOf(this.own, event);
    if (!action || !here || !stage.scene || event.altKey || event.defaultPrevented || this.#taken(focus, event)) return;
    event.preventDefault();
    action();
  }

  // A field takes letters, a slider takes arrows, a button takes Enter.
  #taken(focus, { key }) {
    if (this.dialog.open) return key !== "?";
    if (focus?.matches("input:not([type=checkbox], [type=radio], [type=range]), textarea, select")) return true;
    if (focus?.matches("input") && key.startsWith("Arrow")) return true;
    return Boolean(focus?.matches("button, summary, a")) && key === "Enter";
  }
}

function actionOf(entries, event) {
  const found = namesOf(event).map((name) => entries.find(([key]) => key.toLowerCase() === name));
  return found.find(Boolean)?.[2];
}

function shownAs(key) {
  return { ArrowLeft: "\u2190", ArrowRight: "\u2192" }[key] ?? key;
}
