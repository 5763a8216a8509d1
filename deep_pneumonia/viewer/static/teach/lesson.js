// The lesson: leads through its steps, each with its text, its scenes on the stage and one thing to try.

import { h } from "../controls.js";
import { routeOf } from "../route.js";
import { balance } from "./balance.js";
import { calibration } from "./calibration.js";
import { choices } from "./choices.js";
import { severity } from "./severity.js";

const WIDGETS = { balance, calibration, choices, severity };
const SCREEN = "lesson";

/**
 * @param {HTMLElement} root where the open step stands @param {() => void} ask the server for the step in root.dataset.step
 * @returns {{answered: (text: string | null) => void}}
 */
export function mount(root, ask) {
  const lesson = new Lesson(root, ask);
  addEventListener("hashchange", () => lesson.open());
  for (const event of ["ready", "screen"]) document.addEventListener(`deep-pneumonia:${event}`, () => lesson.open());
  document.addEventListener("deep-pneumonia:step", ({ detail }) => lesson.go(detail));
  root.addEventListener("keydown", (event) => lesson.pressed(event));
  lesson.open();
  return lesson;
}

class Lesson {
  constructor(root, ask) {
    [this.root, this.ask] = [root, ask];
    this.pages = new Map(); // number of a step: what the server said of it, and its scenes made ready
    this.links = [...document.querySelectorAll(".teach-steps a[href^='#lesson=']")];
    this.shown = null;
  }

  get viewer() {
    return window.deepPneumonia;
  }

  /** A box of the lesson and the one under the picture that does the same go together. */
  #follow({ stage }) {
    if (this.follows) return;
    this.follows = true;
    stage.on("frame", () => {
      for (const box of this.root.querySelectorAll("input[data-part]")) box.checked = stage.state[box.dataset.part];
    });
  }

  /** Open the step in the address, when this screen is open and the viewer is there. */
  open() {
    const { screen, argument } = routeOf(location.hash);
    if (screen !== SCREEN) this.shown = null;
    if (screen !== SCREEN || !this.viewer) return;
    this.#follow(this.viewer);
    const step = Math.min(Math.max(Math.trunc(Number(argument)) || 1, 1), this.links.length);
    if (this.shown === step) return;
    this.#mark(step);
    this.step = step;
    this.root.dataset.step = step;
    if (this.pages.has(step)) this.#show(this.pages.get(step));
    else {
      this.root.setAttribute("aria-busy", "true");
      this.ask();
    }
  }

  /** The server's answer: one step, or why there is none. */
  async answered(text) {
    if (!text) return;
    const page = JSON.parse(text);
    if (page.problem) this.root.innerHTML = page.problem;
    else {
      page.ready = await Promise.all(page.scenes.map((scene) => this.viewer.stage.prepare(scene)));
      this.pages.set(page.step, page);
      if (page.step === this.step && routeOf(location.hash).screen === SCREEN) this.#show(page);
    }
    this.root.removeAttribute("aria-busy");
  }

  /** One step on, or back. */
  go(by) {
    const step = this.step + by;
    if (routeOf(location.hash).screen === SCREEN && step >= 1 && step <= this.links.length) location.hash = `#lesson=${step}`;
  }

  pressed(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input")) return;
    event.preventDefault();
    this.go(by);
  }

  #mark(step) {
    for (const link of this.links) {
      if (link.hash === `#lesson=${step}`) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
  }

  #show(page) {
    const moved = this.shown !== null && this.root.contains(document.activeElement);
    this.shown = page.step;
    const { stage } = this.viewer;
    const scene = (place, options) => {
      this.viewer.borrow(page.ready[place], options);
      const answer = page.widget.choices?.[place].comparison;
      if (answer) this.viewer.compare(answer);
    };
    const text = h("div", { class: "teach-text" });
    text.innerHTML = page.html; // ours, and escaped by the server
    const title = h("h2", { tabindex: "-1" }, this.links[page.step - 1].textContent);
    const widget = WIDGETS[page.widget.kind](page.widget, { scene, stage });
    const count = h("p", { class: "teach-count" }, `Step ${page.step} of ${this.links.length}`);
    this.root.replaceChildren(count, title, text, widget, this.#ways(page.step));
    scene(0);
    const layout = page.display.layout === "preferred" ? stage.preferred(SCREEN) : page.display.layout;
    stage.change({ ...page.display, layout });
    if (moved) title.focus({ preventScroll: true });
  }

  #ways(step) {
    const way = (to, name, hash) => h("a", { class: "teach-way", href: hash ?? `#lesson=${to}` }, name);
    const ways = h("nav", { class: "teach-ways", "aria-label": "Previous and next step" });
    if (step > 1) ways.append(way(step - 1, "Previous"));
    ways.append(step < this.links.length ? way(step + 1, "Next") : way(0, "To the quiz", "#quiz"));
    return ways;
  }
}
