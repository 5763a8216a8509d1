// The lesson: leads through its steps, each with its text, its scenes on the stage and one thing to
// try.

import { h } from "../dom.js";
import { hear, viewerReady } from "../page.js";
import { routeOf } from "../route.js";
import { balance } from "./balance.js";
import { calibration } from "./calibration.js";
import { choices } from "./choices.js";
import { severity } from "./severity.js";

/** @import { Viewer } from "../viewer.js" */
/** @import { LessonPage, ReadyPage, ShowScene, WidgetData, WidgetTools } from "./types.js" */

const SCREEN = "lesson";

/**
 * @param {HTMLElement} root where the open step stands
 * @param {() => void} ask the server for the step in root.dataset.step
 * @returns {{answered: (text: string | null) => Promise<void>}} answered: call it with the server's answer
 */
export function mount(root, ask) {
  const lesson = viewerReady.then((viewer) => new Lesson(root, ask, viewer));
  return { answered: async (text) => (await lesson).answered(text) };
}

/** @param {WidgetData} data @param {WidgetTools} tools */
function widgetOf(data, tools) {
  switch (data.kind) {
    case "balance": return balance(data);
    case "calibration": return calibration(data, tools);
    case "choices": return choices(data, tools);
    case "severity": return severity(data, tools);
  }
}

class Lesson {
  /** @type {Map<number, ReadyPage>} the steps that the server has sent */
  #pages = new Map();
  /** @type {number | null} the step on the screen */
  #shown = null;
  #step = 1; // in the address

  /** @param {HTMLElement} root @param {() => void} ask @param {Viewer} viewer */
  constructor(root, ask, viewer) {
    this.root = root;
    this.ask = ask;
    this.viewer = viewer;
    const links = document.querySelectorAll(".teach-steps a[href^='#lesson=']");
    this.links = /** @type {HTMLAnchorElement[]} */ ([...links]);
    addEventListener("hashchange", () => this.open());
    hear("screen", () => this.open());
    hear("step", (by) => this.go(by));
    root.addEventListener("keydown", (event) => this.#pressed(event));
    viewer.stage.on("frame", () => this.#follow());
    this.open();
  }

  /** A check box of the lesson and the viewer's own of the same name change together. */
  #follow() {
    for (const box of this.root.querySelectorAll("input[data-part]")) {
      if (!(box instanceof HTMLInputElement)) continue;
      const part = /** @type {"masks" | "attention"} */ (box.dataset.part);
      box.checked = this.viewer.stage.display[part];
    }
  }

  /** Open the step in the address, if this screen is open. */
  open() {
    const { screen, argument } = routeOf(location.hash);
    if (screen !== SCREEN) {
      this.#shown = null;
      return;
    }
    const step = Math.min(Math.max(Math.trunc(Number(argument)) || 1, 1), this.links.length);
    if (this.#shown === step) return;
    this.#mark(step);
    this.#step = step;
    this.root.dataset.step = String(step);
    const page = this.#pages.get(step);
    if (page) return this.#show(page);
    this.root.setAttribute("aria-busy", "true");
    this.ask();
  }

  /** The server's answer: a step, or a problem. @param {string | null} text */
  async answered(text) {
    if (!text) return;
    /** @type {LessonPage & {problem?: string}} */
    const page = JSON.parse(text);
    if (page.problem) {
      this.root.innerHTML = page.problem; // escaped by the server
    } else {
      const ready = await Promise.all(page.scenes.map((scene) => this.viewer.stage.prepare(scene)));
      this.#pages.set(page.step, { ...page, ready });
      if (page.step === this.#step && routeOf(location.hash).screen === SCREEN) this.#show({ ...page, ready });
    }
    this.root.removeAttribute("aria-busy");
  }

  /** @param {number} by 1: the next step, -1: the previous one */
  go(by) {
    const step = this.#step + by;
    const isStep = step >= 1 && step <= this.links.length;
    if (isStep && routeOf(location.hash).screen === SCREEN) location.hash = `#lesson=${step}`;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const by = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    const inField = event.target instanceof Element && event.target.matches("input");
    if (!by || event.altKey || event.ctrlKey || event.metaKey || inField) return;
    event.preventDefault();
    this.go(by);
  }

  /** @param {number} step */
  #mark(step) {
    for (const link of this.links) {
      if (link.hash === `#lesson=${step}`) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
  }

  /** @param {ReadyPage} page */
  #show(page) {
    const hadFocus = this.#shown !== null && this.root.contains(document.activeElement);
    this.#shown = page.step;
    const { stage } = this.viewer;
    /** @type {ShowScene} */
    const scene = (place, options) => {
      this.viewer.borrow(page.ready[place], options);
      const comparison = page.widget.kind === "choices" ? page.widget.choices[place].comparison : null;
      if (comparison) this.viewer.compare(comparison);
    };
    const text = h("div", { class: "teach-text" });
    text.innerHTML = page.html; // escaped by the server
    const title = h("h2", { tabindex: "-1" }, this.links[page.step - 1].textContent ?? "");
    const count = h("p", { class: "teach-count" }, `Step ${page.step} of ${this.links.length}`);
    this.root.replaceChildren(count, title, text, widgetOf(page.widget, { scene, stage }), this.#ways(page.step));
    scene(0);
    const { layout } = page.display;
    stage.change({ ...page.display, layout: layout === "preferred" ? stage.preferred(SCREEN) : layout });
    if (hadFocus) title.focus({ preventScroll: true });
  }

  /** Links to the previous and the next step. @param {number} step */
  #ways(step) {
    const way = (/** @type {string} */ hash, /** @type {string} */ name) =>
      h("a", { class: "teach-way", href: hash }, name);
    return h("nav", { class: "teach-ways", "aria-label": "Previous and next step" },
      ...(step > 1 ? [way(`#lesson=${step - 1}`, "Previous")] : []),
      step < this.links.length ? way(`#lesson=${step + 1}`, "Next") : way("#quiz", "To the quiz"));
  }
}
