// A long list of rows of one height, of which only those in view are in the page.

import { h } from "../controls.js";

/** Which of `count` rows of one height are in view, with some more on both sides: [first, end). */
export function windowOf(top, view, height, count, more = 6) {
  const first = Math.min(count, Math.max(0, Math.floor(top / height) - more));
  return [first, Math.max(first, Math.min(count, Math.ceil((top + view) / height) + more))];
}

/** How far to scroll so that row `at` is wholly in view, moving no further than it needs. */
export function revealed(top, view, height, at) {
  return Math.max(Math.min(top, at * height), (at + 1) * height - view, 0);
}

/** The place that a key goes to from place `at` (-1: none yet) of `count`; null for any other key. */
export function moved(key, at, count, page) {
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: count - 1 }[key];
  return to === undefined || !count ? null : Math.min(Math.max(to, 0), count - 1);
}

export class Virtual {
  /**
   * @param {{row: (item: object) => HTMLElement, height: () => number, label: string, role: "grid" | "listbox",
   *   picked: (item: object) => void, head?: HTMLElement}} list
   *   row: an element for an item; picked: by click, Enter or Space; head: stays above the rows
   */
  constructor(list) {
    Object.assign(this, { list, items: [], made: new Map(), current: null, top: 0, away: false });
    this.space = h("div", { class: "space", role: list.head ? "rowgroup" : "presentation" });
    this.element = h("div", {
      class: "virtual", tabindex: 0, role: list.role, "aria-label": list.label,
      scroll: () => this.#scrolled(), keydown: (event) => this.#pressed(event), click: (event) => this.#clicked(event),
    }, ...(list.head ? [list.head] : []), this.space);
    new ResizeObserver(() => this.#resized()).observe(this.element);
  }

  /** Other items, or some of them changed; an item that is the same object keeps its element, and the hand on it. */
  show(items) {
    this.items = items;
    if (this.list.head) this.element.setAttribute("aria-rowcount", items.length + 1);
    this.draw();
  }

  /** Make every element anew: rows look different now. */
  renew() {
    for (const element of this.made.values()) element.remove();
    this.made.clear();
    this.draw();
  }

  /** Mark an item as the current one; where it is another than before, bring it into view. */
  select(id) {
    if (id !== this.current) this.revealing = true;
    this.current = id;
    this.draw();
  }

  toTop() {
    this.element.scrollTop = this.top = 0;
    this.draw();
  }

  /** Pixels for rows; none while the screen is another. */
  get view() {
    return this.element.clientHeight - (this.list.head?.offsetHeight ?? 0);
  }

  draw() {
    const height = this.list.height();
    this.space.style.height = `${this.items.length * height}px`;
    if (this.view <= 0) return;
    if (this.revealing) this.#reveal(height);
    const [first, end] = windowOf(this.element.scrollTop, this.view, height, this.items.length);
    const wanted = new Set(this.items.slice(first, end));
    for (const [item, element] of this.made) {
      if (wanted.has(item)) continue;
      element.remove();
      this.made.delete(item);
    }
    for (let at = first; at < end; at++) this.#place(at, this.space.children[at - first] ?? null, height);
    this.#point();
  }

  /** In the page rows stand in their order, as they are read out. */
  #place(at, before, height) {
    const item = this.items[at];
    const element = this.made.get(item) ?? this.#make(item);
    if (element !== before) this.space.insertBefore(element, before);
    element.style.top = `${at * height}px`;
    element.style.height = `${height}px`;
    element.setAttribute("aria-selected", item.id === this.current);
    if (this.list.head) element.setAttribute("aria-rowindex", at + 2);
    else Object.assign(element, { ariaPosInSet: at + 1, ariaSetSize: this.items.length });
  }

  #make(item) {
    const element = this.list.row(item);
    element.id = `${this.list.label.replace(/\W/g, "")}-${item.id}`;
    element.dataset.id = item.id;
    this.made.set(item, element);
    return element;
  }

  #point() {
    const active = this.made.get(this.items[this.#at]);
    if (active) this.element.setAttribute("aria-activedescendant", active.id);
    else this.element.removeAttribute("aria-activedescendant");
  }

  get #at() {
    return this.items.findIndex(({ id }) => id === this.current);
  }

  #reveal(height) {
    this.revealing = false;
    const at = this.#at;
    if (at >= 0) this.element.scrollTop = this.top = revealed(this.element.scrollTop, this.view, height, at);
  }

  #scrolled() {
    if (this.view > 0) this.top = this.element.scrollTop;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  /** Where a browser forgets how far a hidden list was scrolled, it is scrolled there again. */
  #resized() {
    if (this.away && this.view > 0) this.element.scrollTop = this.top;
    this.away = this.view <= 0;
    this.draw();
  }

  #clicked(event) {
    const id = Number(event.target.closest("[data-id]")?.dataset.id);
    const item = this.items.find((one) => one.id === id);
    if (!item) return;
    this.select(id);
    this.list.picked(item);
  }

  #pressed(event) {
    if (event.target !== this.element || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.#at;
    const page = Math.max(1, Math.floor(this.view / this.list.height()) - 1);
    const to = moved(event.key, at, this.items.length, page);
    const picks = (event.key === "Enter" || event.key === " ") && at >= 0;
    if (to === null && !picks) return;
    event.preventDefault();
    event.stopPropagation();
    if (picks) this.list.picked(this.items[at]);
    else this.select(this.items[to].id);
  }
}
