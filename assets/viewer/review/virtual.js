// A long list of rows of one height, of which only those in view are in the page.

import { h } from "../controls.js";
import { windowOf } from "./rows.js";

export class Virtual {
  /**
   * @param {{row: (item: object) => HTMLElement, height: () => number, label: string, role: string,
   *   picked: (item: object) => void}} list row: an element for an item; picked: by click, Enter or Space
   */
  constructor(list) {
    Object.assign(this, { list, items: [], made: new Map(), current: null });
    this.space = h("div", { class: "space", role: "presentation" });
    this.element = h("div", {
      class: "virtual", tabindex: 0, role: list.role, "aria-label": list.label,
      scroll: () => this.request(), keydown: (event) => this.#pressed(event), click: (event) => this.#clicked(event),
    }, this.space);
    new ResizeObserver(() => this.request()).observe(this.element);
  }

  /** Other items, or the same ones changed. */
  show(items) {
    this.items = items;
    for (const element of this.made.values()) element.remove();
    this.made.clear();
    this.element.setAttribute("aria-rowcount", items.length);
    this.#draw();
  }

  /** Mark an item as the current one, and bring it into view. */
  select(id, { follow = true } = {}) {
    this.current = id;
    const at = this.items.findIndex((item) => item.id === id);
    if (at >= 0 && follow) this.#reveal(at);
    this.#draw();
  }

  request() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#draw();
    });
  }

  #draw() {
    const height = this.list.height();
    this.space.style.height = `${this.items.length * height}px`;
    const [first, end] = windowOf(this.element.scrollTop, this.element.clientHeight, height, this.items.length);
    const wanted = new Set(this.items.slice(first, end));
    for (const [item, element] of this.made) {
      if (wanted.has(item)) continue;
      element.remove();
      this.made.delete(item);
    }
    for (let at = first; at < end; at++) this.#place(at, height);
    const active = this.made.get(this.items.find(({ id }) => id === this.current));
    if (active) this.element.setAttribute("aria-activedescendant", active.id);
    else this.element.removeAttribute("aria-activedescendant");
  }

  #place(at, height) {
    const item = this.items[at];
    let element = this.made.get(item);
    if (!element) {
      element = this.list.row(item);
      element.id = `${this.list.label.replace(/\W/g, "")}-${item.id}`;
      element.dataset.id = item.id;
      element.setAttribute("aria-rowindex", at + 1);
      this.made.set(item, element);
      this.space.append(element);
    }
    element.style.top = `${at * height}px`;
    element.style.height = `${height}px`;
    element.setAttribute("aria-selected", item.id === this.current);
  }

  #reveal(at) {
    const [height, { scrollTop, clientHeight }] = [this.list.height(), this.element];
    if (at * height < scrollTop) this.element.scrollTop = at * height;
    else if ((at + 1) * height > scrollTop + clientHeight) this.element.scrollTop = (at + 1) * height - clientHeight;
  }

  #clicked(event) {
    const id = Number(event.target.closest("[data-id]")?.dataset.id);
    const item = this.items.find((one) => one.id === id);
    if (!item) return;
    this.select(id);
    this.list.picked(item);
  }

  #pressed(event) {
    const at = this.items.findIndex(({ id }) => id === this.current);
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.list.height()) - 1);
    const last = this.items.length - 1;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: last }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      if (last >= 0) this.select(this.items[Math.min(Math.max(to, 0), last)].id);
    } else if ((event.key === "Enter" || event.key === " ") && at >= 0) {
      event.preventDefault();
      this.list.picked(this.items[at]);
    }
  }
}
