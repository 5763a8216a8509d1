// The viewer: builds the stage inside an element of the page, and joins it to the server's values and events.

import { Controls, h } from "./controls.js";
import { Keys } from "./keys.js";
import { Loan } from "./loan.js";
import { Pencil } from "./pencil.js";
import { Pointer } from "./pointer.js";
import { Readers } from "./readers.js";
import { routeOf } from "./route.js";
import { Scenes } from "./scenes.js";
import { DRAWN_ON, Stage } from "./stage.js";
import { asNpy, download, overlayOf } from "./save.js";
import { keep, kept, plain, remember } from "./store.js";

// The entry of the page's menu that stands for a screen without one of its own.
const MENU = { case: "review", quiz: "lesson" };
// Screens that borrow the stage for scenes of their own, and those that step through the teaching cases.
const BORROWERS = new Set(["lesson"]);
const CASES_ON = new Set(["inspect", "annotate", "compare"]);
const PAUSE = 250; // ms without a stroke after which the server is asked for the figures of a drawing

/**
 * @param {HTMLElement} root @param {object} look {palette, most, colours}
 * @param {{tell: (event: "drawn" | "comparing") => void}} server
 */
export function mount(root, look, server) {
  const panes = h("div", { class: "panes" });
  const status = h("p", { class: "status", role: "status" });
  const stage = new Stage(panes, look);
  const drawn = () => edited(stage, status, server);
  const pencil = new Pencil(stage, drawn);
  const actions = actionsOf(stage, pencil, root);
  const controls = new Controls(stage, actions, scaleOf(look));
  const readers = new Readers(stage, pencil, drawn);
  new Pointer(stage, pencil);
  const keys = new Keys(stage, actions, root);
  actions.help = () => keys.help();
  root.append(panes, h("div", { class: "below" }, controls.element, readers.element, status));
  const scenes = new Scenes();
  const loan = new Loan(stage);
  window.deepPneumonia = interfaceOf({ stage, pencil, status, keys, scenes, loan, root });
  let showing = Promise.resolve();
  // One after the other: the picture that takes longest to unfold must not come last.
  const show = () => (showing = showing.catch(() => {}).then(() => loan.active || shown(stage, root, scenes, server)));
  const route = () => {
    opened(stage, root, { scenes, loan }, server);
    show();
  };
  addEventListener("hashchange", route);
  document.addEventListener("click", followed);
  route();
  announce("ready", window.deepPneumonia);
  return { show: (scene) => (scenes.add(scene), show()), stage };
}

/** Gradio's page has a base address: a link to another screen would load the page anew where it has a query. */
function followed(event) {
  const link = event.target.closest?.('a[href^="#"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  location.hash = link.getAttribute("href");
}

/** Kept at once, so that no reload is too quick for it; measured by the server when the hand rests. */
function edited(stage, status, server) {
  const safe = keep(stage.scene.key, stage.layers);
  status.textContent = safe ? "" : "This browser cannot keep the drawing: save it before you leave the page.";
  announce("drawn", stage.scene);
  clearTimeout(edited.timer);
  edited.timer = setTimeout(() => {
    if (stage.scene?.screen) return; // not the case that Inspect has open
    server.tell("drawn");
    if (stage.state.screen === "compare") server.tell("comparing");
  }, PAUSE);
}

/** The scene of the screen that is open comes to the stage, or none. */
async function shown(stage, root, scenes, server) {
  const { screen } = stage.state;
  const scene = scenes.of(screen);
  root.hidden = !scene;
  if (!scene || scene === stage.scene) {
    stage.scene = scene;
    return;
  }
  // Only now has the stage a width.
  if (!root.dataset.shown) stage.change({ layout: stage.preferred(screen) });
  const drawings = restored(scene);
  if (!(await stage.show(scene, drawings))) return;
  if (!scene.screen) {
    remember(scene.files);
    if (drawings.length) server.tell("drawn");
    if (screen === "compare") server.tell("comparing");
  }
  root.dataset.shown = scene.key;
  announce("shown", scene);
}

/**
 * Tell the page's other parts: the viewer is "ready"; which "screen" is open; which scene is "shown"; that its masks
 * were "drawn" on; that an arrow key asks for a "step" where there are no teaching cases to step through.
 */
function announce(event, detail) {
  document.dispatchEvent(new CustomEvent(`deep-pneumonia:${event}`, { detail }));
}

/** What was drawn on this radiograph before, in this browser. */
function restored({ key, size: [height, width] }) {
  return kept(key).filter(({ counts }) => counts.reduce((a, b) => a + b, 0) === height * width);
}

/** The address says which screen is open, so that it can be linked to and left with the browser's Back. */
function opened(stage, root, { scenes, loan }, server) {
  const { screen } = routeOf(location.hash);
  (root.closest("#screens") ?? document.body).dataset.screen = screen;
  for (const link of document.querySelectorAll("nav.screens a")) {
    if (link.hash === `#${MENU[screen] ?? screen}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  // Whoever draws should not be led by the model: its attention is off until it is asked for.
  stage.change({
    screen, attention: screen !== "annotate", layout: stage.preferred(screen),
    tool: DRAWN_ON.has(screen) ? "brush" : "move", brush: stage.state.brush ?? 24,
  });
  if (!BORROWERS.has(screen)) loan.end();
  announce("screen", screen);
  stage.tell("change", "screen");
  if (screen === "compare" && stage.scene && stage.scene === scenes.of(screen)) server.tell("comparing");
}

function actionsOf(stage, pencil, root) {
  const middle = () => [stage.view.pane[1] / 2, stage.view.pane[0] / 2];
  const seen = (change) => () => {
    if (!stage.scene) return;
    change();
    stage.request();
  };
  return {
    fit: seen(() => stage.view.fit()),
    actual: seen(() => stage.view.actual(window.devicePixelRatio || 1)),
    zoom: (factor) => seen(() => stage.view.zoom(factor, middle()))(),
    reset: () => stage.reset(),
    fullscreen: () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.()),
    help: () => {},
    undo: () => pencil.undo(),
    redo: () => pencil.redo(),
    canUndo: () => pencil.canUndo,
    canRedo: () => pencil.canRedo,
    close: () => pencil.close(),
    cancel: () => pencil.cancel(),
    step: (by) => stepped(stage, by),
  };
}

/** Open the teaching case before or after this one; other screens have steps of their own. */
function stepped(stage, by) {
  if (!CASES_ON.has(stage.state.screen)) return announce("step", by);
  const cases = [...document.querySelectorAll("#cases .thumbnail-item")];
  const now = stage.asked ?? stage.scene.place; // two quick steps go two cases further
  if (now === null || !cases.length) return;
  stage.asked = (now + by + cases.length) % cases.length;
  cases[stage.asked].click();
}

function scaleOf({ palette, most }) {
  const stops = Array.from({ length: 17 }, (_, i) => {
    const level = Math.round((i / 16) * 255);
    const [share, rgb] = [(level / 255) * most, parseInt(palette.slice(6 * level, 6 * level + 6), 16)];
    const mixed = [rgb >> 16, (rgb >> 8) & 255, rgb & 255].map((c) => Math.round(102 * (1 - share) + c * share));
    return `rgb(${mixed})`;
  });
  const ramp = h("span", { class: "ramp", style: `background: linear-gradient(to right, ${stops})` });
  return h("div", { class: "scale" }, "Attention, fixed scale ", h("b", {}, "0"), ramp, h("b", {}, "1"));
}

/** What the page's other parts may ask of the viewer. */
function interfaceOf({ stage, pencil, status, keys, scenes, loan, root }) {
  return {
    stage,
    pencil,
    // Only of what the server opened: of a scene on loan it has no file that they could be measured on.
    drawings: () => (stage.scene && stage.scene === scenes.of(stage.state.screen) ? stage.layers.map(plain) : null),
    /** Show what `stage.prepare` made of a scene until another screen opens; `keep`: as it is zoomed and windowed. */
    borrow: (ready, options) => {
      root.hidden = false;
      loan.take(ready, options);
      root.dataset.shown = ready.scene.key;
    },
    compare: (answer) => answer && stage.scene && stage.compare(answer),
    keys: (screen, entries) => keys.add(screen, entries),
    say: (...parts) => status.replaceChildren(...parts),
    save: (file) => file && download(file.name, file.type, Uint8Array.from(atob(file.data), (c) => c.charCodeAt(0))),
    saveJson: (value, name) => value && download(name, "application/json", `${JSON.stringify(value, null, 1)}\n`),
    saveMap: () => stage.map && download(`${stage.scene.stem}-attention.npy`, "application/octet-stream", asNpy(stage.map.full, stage.size)),
    savePicture: async () => stage.map && download(`${stage.scene.stem}-attention.png`, "image/png", await overlayOf(stage)),
  };
}
