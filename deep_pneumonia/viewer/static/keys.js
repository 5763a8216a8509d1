// Keys, and the overlay that says what each of them does.

import { THRESHOLD_STEPS } from "./display.js";
import { h } from "./dom.js";
import { clamp } from "./format.js";

/** @import { Actions } from "./actions.js" */
/** @import { Stage } from "./stage.js" */
/** @import { KeyEntry, Layout, ToolName } from "./types.js" */

const NOTE = "The keys work while the viewer has the focus, or nothing has. Right button: window. Middle button: move. "
  + "Alt while drawing removes.";
const TEXT_FIELDS = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select";

/**
 * The viewer's own keys.
 * @param {Stage} stage @param {Actions} actions @param {() => void} help
 * @returns {KeyEntry[]}
 */
export function keymap(stage, actions, help) {
  const { display } = stage;
  const toggle = (/** @type {"attention" | "masks" | "outline"} */ name) => () =>
    stage.change({ [name]: !display[name] });
  const layout = (/** @type {Layout} */ name) => () => stage.change({ layout: name });
  const tool = (/** @type {ToolName} */ name) => () => stage.change({ tool: name });
  const pencil = (/** @type {ToolName} */ name) => () => stage.draws && stage.change({ tool: name });
  const threshold = (/** @type {number} */ by) => () =>
    stage.change({ threshold: clamp(display.threshold + by, 0, THRESHOLD_STEPS) });
  return [
    ["A", "attention on or off", toggle("attention")],
    ["M", "masks on or off", toggle("masks")],
    ["O", "outline at the threshold on or off", toggle("outline")],
    ["I", "invert", () => stage.change({ window: { ...display.window, invert: !display.window.invert } })],
    ["1", "side by side", layout("side")],
    ["2", "overlay (difference, when comparing)", layout("overlay")],
    ["3", "before / after", layout("slider")],
    ["[", "threshold down", threshold(-1)],
    ["]", "threshold up", threshold(1)],
    ["+", "zoom in", () => actions.zoom(1.25)],
    ["-", "zoom out", () => actions.zoom(0.8)],
    ["0", "fit", actions.fit],
    ["R", "reset", actions.reset],
    ["F", "full screen", actions.fullscreen],
    ["V", "move", tool("move")],
    ["W", "window", tool("window")],
    ["L", "ruler", tool("ruler")],
    ["B", "brush (where masks are drawn)", pencil("brush")],
    ["E", "eraser", pencil("eraser")],
    ["P", "polygon", pencil("polygon")],
    ["X", "box", pencil("box")],
    ["K", "lock or unlock the mask of the reader who draws", actions.lock],
    ["Ctrl+Z", "undo", actions.undo],
    ["Ctrl+Shift+Z", "redo", actions.redo],
    ["Enter", "close the polygon", actions.close],
    ["Escape", "cancel what was begun", actions.cancel],
    ["ArrowLeft", "previous case", () => actions.step(-1)],
    ["ArrowRight", "next case", () => actions.step(1)],
    ["?", "this help", help],
  ];
}

/**
 * The entries that hold on a screen, each key once: the screen's own win. Where it takes a digit,
 * Shift and the digit do what the digit does elsewhere.
 * @param {KeyEntry[]} general @param {KeyEntry[]} special of the screen
 * @returns {KeyEntry[]}
 */
export function entriesOf(general, special) {
  const taken = new Set(special.map(([key]) => key));
  const moved = general.map(/** @returns {KeyEntry} */ ([key, ...rest]) =>
    [taken.has(key) && /^\d$/.test(key) ? `Shift+${key}` : key, ...rest]);
  return [...special, ...moved.filter(([key]) => !taken.has(key))];
}

/**
 * The names under which a pressed key may stand in the entries. Shift and a digit give another
 * sign, so the key's place on the keyboard comes first.
 * @param {Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey">} event
 */
export function namesOf({ key, code, ctrlKey, metaKey, shiftKey }) {
  if (ctrlKey || metaKey) return [`ctrl+${shiftKey ? "shift+" : ""}${key.toLowerCase()}`];
  const sign = key === "=" ? "+" : key.toLowerCase();
  return shiftKey && /^Digit\d$/.test(code) && !/^\d$/.test(key) ? [`shift+${code.slice(-1)}`, sign] : [sign];
}

export class Keys {
  /** @type {Map<string, KeyEntry[]>} */
  #special = new Map();

  /** @param {Stage} stage @param {Actions} actions @param {HTMLElement} root of the viewer */
  constructor(stage, actions, root) {
    this.stage = stage;
    this.root = root;
    this.general = keymap(stage, actions, () => this.help());
    this.table = h("tbody");
    const close = h("button", { type: "button", click: () => this.dialog.close() }, "Close");
    this.dialog = h("dialog", { class: "keys", "aria-label": "Keys", tabindex: -1 },
      h("h2", {}, "Keys"), h("table", {}, this.table), h("p", {}, NOTE), close);
    root.append(this.dialog);
    document.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** Give a screen keys of its own. @param {string} screen @param {KeyEntry[]} entries */
  add(screen, entries) {
    this.#special.set(screen, entries);
  }

  /** The own keys of the screen that is open. */
  get own() {
    return this.#special.get(this.stage.display.screen) ?? [];
  }

  get entries() {
    return entriesOf(this.general, this.own);
  }

  /** Open the overlay, or close it. */
  help() {
    if (this.dialog.open) return this.dialog.close();
    this.table.replaceChildren(...this.entries.map(([key, words]) => h("tr", {},
      h("th", { scope: "row" }, h("kbd", {}, signOf(key))), h("td", {}, words))));
    this.dialog.showModal();
    // The browser has scrolled to the button at the end, to give it the focus.
    this.dialog.focus();
    this.dialog.scrollTop = 0;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const action = actionOf(this.entries, event);
    if (!action || !this.stage.scene || event.altKey || event.defaultPrevented) return;
    const focus = document.activeElement;
    // A screen's keys hold wherever the focus is on it, the viewer's own only in the viewer.
    const here = !focus || focus === document.body || this.root.contains(focus) || actionOf(this.own, event);
    if (!here || this.#isTaken(focus, event.key)) return;
    event.preventDefault();
    action();
  }

  /**
   * A field takes letters, a slider takes arrows, a button takes Enter.
   * @param {Element | null} focus @param {string} key
   */
  #isTaken(focus, key) {
    if (this.dialog.open) return key !== "?";
    if (focus?.matches(TEXT_FIELDS)) return true;
    if (focus?.matches("input") && key.startsWith("Arrow")) return true;
    return Boolean(focus?.matches("button, summary, a")) && key === "Enter";
  }
}

/** @param {KeyEntry[]} entries @param {KeyboardEvent} event */
function actionOf(entries, event) {
  const found = namesOf(event).map((name) => entries.find(([key]) => key.toLowerCase() === name));
  return found.find(Boolean)?.[2];
}

/** @param {string} key */
function signOf(key) {
  if (key === "ArrowLeft") return "\u2190";
  return key === "ArrowRight" ? "\u2192" : key;
}
