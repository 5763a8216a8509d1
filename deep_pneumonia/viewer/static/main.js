// Mounts the viewer in an element of the page, and joins it to the server's values and events.

import { actionsOf } from "./actions.js";
import { paletteColour } from "./colours.js";
import { Controls } from "./controls.js";
import { screenDisplay } from "./display.js";
import { h } from "./dom.js";
import { keep, remember, restored } from "./drawings.js";
import { Keys } from "./keys.js";
import { Loan } from "./loan.js";
import { announce, resolveViewer } from "./page.js";
import { Pointer } from "./pointer.js";
import { Readers } from "./readers.js";
import { Roster } from "./roster.js";
import { routeOf } from "./route.js";
import { Scenes } from "./scenes.js";
import { Stage } from "./stage.js";
import { Timeline } from "./timeline.js";
import { Editing } from "./tools/editing.js";
import { Tools } from "./tools/tools.js";
import { Viewer } from "./viewer.js";

/** @import { Look, Scene } from "./types.js" */

/**
 * drawn: compute the scores of the masks; comparing: compare again.
 * @typedef {{tell: (event: "drawn" | "comparing") => void}} Server
 */

/** Screens without an entry of their own in the page's menu, and the entry that stands for them. */
const MENU_ENTRIES = new Map([["case", "review"], ["quiz", "lesson"]]);
const BORROWING_SCREENS = new Set(["lesson"]); // they show scenes of their own
const REST = 250; // milliseconds without a stroke after which the server is asked for scores
const CANNOT_STORE = "This browser cannot store the drawing: save it before you leave the page.";

/** @param {HTMLElement} root @param {Look} look @param {Server} server */
export function mount(root, look, server) {
  const mounted = new Mounted(root, look, server);
  addEventListener("hashchange", () => mounted.route());
  document.addEventListener("click", followLink);
  mounted.route();
  /** @type {any} */ (window).deepPneumonia = mounted.viewer;
  resolveViewer(mounted.viewer);
  return { show: (/** @type {Scene | null} */ scene) => mounted.add(scene) };
}

/**
 * A link to a screen changes the hash only: Gradio's <base> would load the page again.
 * @param {MouseEvent} event
 */
function followLink(event) {
  const link = event.target instanceof Element && event.target.closest('a[href^="#"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  location.hash = link.getAttribute("href") ?? "";
}

class Mounted {
  #scenes = new Scenes();
  #showing = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #resting;

  /** @param {HTMLElement} root @param {Look} look @param {Server} server */
  constructor(root, look, server) {
    this.root = root;
    this.server = server;
    this.status = h("p", { class: "status", role: "status" });
    const panes = h("div", { class: "panes" });
    this.stage = new Stage(panes, look);
    const drawn = () => this.#drawn();
    const timeline = new Timeline();
    const roster = new Roster(this.stage, timeline, drawn);
    const editing = new Editing(this.stage, roster, timeline, drawn);
    const tools = new Tools(this.stage, editing);
    const actions = actionsOf(this.stage, editing, tools, root);
    const controls = new Controls(this.stage, { ...actions, help: () => keys.help() }, scaleOf(look));
    const readers = new Readers(this.stage, editing, roster);
    new Pointer(this.stage, tools);
    root.append(panes, h("div", { class: "below" }, readers.note, controls.element, readers.element, this.status));
    const keys = new Keys(this.stage, actions, root);
    this.loan = new Loan(this.stage);
    const { stage, status, loan } = this;
    this.viewer = new Viewer({ root, stage, tools, status, keys, scenes: this.#scenes, loan });
  }

  /** The server sent a scene, or null: no case is open. @param {Scene | null} scene */
  add(scene) {
    this.#scenes.add(scene);
    return this.#showNext();
  }

  /**
   * Show scenes one after the other, so that one that takes long to decode does not replace a later
   * one.
   */
  #showNext() {
    this.#showing = this.#showing.catch(() => {}).then(() => (this.loan.active ? undefined : this.#show()));
    return this.#showing;
  }

  /** Show the scene of the open screen, or nothing. */
  async #show() {
    const { stage, root } = this;
    const { screen } = stage.display;
    const scene = this.#scenes.of(screen);
    root.hidden = !scene;
    if (!scene) return stage.clear();
    if (scene === stage.scene) return;
    if (!root.dataset.shown) stage.change({ layout: stage.preferred(screen) }); // only now has the stage a width
    const drawings = restored(scene);
    if (!(await stage.show(scene, drawings))) return;
    if (!scene.screen) {
      remember(scene.files);
      if (drawings.length) this.server.tell("drawn");
      if (screen === "compare") this.server.tell("comparing");
    }
    announce("shown", scene); // at once: what acts on a case must never be behind the stage
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    root.dataset.shown = scene.key;
  }

  /**
   * Store the masks at once, so that no reload is too quick; ask the server for scores when the
   * hand rests.
   */
  #drawn() {
    const { scene, layers, display } = this.stage;
    if (!scene) return;
    this.status.textContent = keep(scene.key, layers) ? "" : CANNOT_STORE;
    announce("drawn", scene);
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      if (this.stage.scene?.screen) return; // not the case that Inspect has open
      this.server.tell("drawn");
      if (display.screen === "compare") this.server.tell("comparing");
    }, REST);
  }

  /**
   * The address says which screen is open, so that it can be linked to and left with the browser's
   * Back.
   */
  route() {
    const { stage, root } = this;
    const { screen } = routeOf(location.hash);
    /** @type {HTMLElement} */ (root.closest("#screens") ?? document.body).dataset.screen = screen;
    markMenu(screen);
    stage.change(screenDisplay(screen, stage.host.clientWidth));
    if (!BORROWING_SCREENS.has(screen)) this.loan.end();
    announce("screen", screen);
    stage.tell("change", "screen");
    if (screen === "compare" && stage.scene && stage.scene === this.#scenes.of(screen)) this.server.tell("comparing");
    this.#showNext();
  }
}

/** @param {string} screen */
function markMenu(screen) {
  for (const link of document.querySelectorAll("nav.screens a")) {
    const isOpen = link instanceof HTMLAnchorElement && link.hash === `#${MENU_ENTRIES.get(screen) ?? screen}`;
    if (isOpen) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** The attention's scale of colours, over black. @param {Look} look */
function scaleOf({ palette, most }) {
  const stops = Array.from({ length: 17 }, (_, i) => {
    const level = Math.round((i / 16) * 255);
    const share = (level / 255) * most;
    const mixed = paletteColour(palette, level).map((part) => Math.round(102 * (1 - share) + part * share));
    return `rgb(${mixed})`;
  });
  const ramp = h("span", { class: "ramp", style: `background: linear-gradient(to right, ${stops})` });
  return h("div", { class: "scale" }, "Attention, fixed scale ", h("b", {}, "0"), ramp, h("b", {}, "1"));
}
