// A long list of rows of one height, of which only those in view are in the page.

import { h } from "../dom.js";
import { clamp } from "../format.js";

/**
 * Which rows are in view, with some more on both sides: [first, end).
 * @param {number} top scrolled pixels @param {number} view pixels for rows @param {number} height of a row
 * @param {number} count of rows @param {number} more rows on each side
 */
export function windowOf(top, view, height, count, more = 6) {
  const first = Math.min(count, Math.max(0, Math.floor(top / height) - more));
  return [first, Math.max(first, Math.min(count, Math.ceil((top + view) / height) + more))];
}

/**
 * How far to scroll so that row `at` is wholly in view, moving no further than necessary.
 * @param {number} top @param {number} view @param {number} height @param {number} at
 */
export function revealed(top, view, height, at) {
  return Math.max(Math.min(top, at * height), (at + 1) * height - view, 0);
}

/**
 * The place that a key goes to; null for any other key.
 * @param {string} key @param {number} at -1: no place yet
 * @param {number} count of rows @param {number} page rows a page
 */
export function moved(key, at, count, page) {
  /** @type {Record<string, number>} */
  const places = {
    ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: count - 1,
  };
  return places[key] === undefined || !count ? null : clamp(places[key], 0, count - 1);
}

/**
 * @template {{id: number}} Item
 * @typedef {object} VirtualOptions
 * @property {string} label
 * @property {"grid" | "listbox"} role
 * @property {() => number} height of a row in pixels
 * @property {(item: Item) => HTMLElement} row
 * @property {(item: Item) => void} picked by click, Enter or Space
 * @property {HTMLElement} [head] stays above the rows
 */

/** @template {{id: number}} Item */
export class Virtual {
  /** @type {Item[]} */
  #items = [];
  /** @type {Map<Item, HTMLElement>} */
  #made = new Map();
  /** @type {number | null} id of the selected item */
  #current = null;
  #top = 0; // scrolled pixels
  #wasHidden = false;
  #revealing = false;
  /** @type {number | null} */
  #frame = null;

  /** @param {VirtualOptions<Item>} options */
  constructor(options) {
    this.options = options;
    this.space = h("div", { class: "space", role: options.head ? "rowgroup" : "presentation" });
    this.element = h("div", {
      class: "virtual", tabindex: 0, role: options.role, "aria-label": options.label,
      scroll: () => this.#scrolled(), keydown: (/** @type {KeyboardEvent} */ event) => this.#pressed(event),
      click: (/** @type {MouseEvent} */ event) => this.#clicked(event),
    }, ...(options.head ? [options.head] : []), this.space);
    new ResizeObserver(() => this.#resized()).observe(this.element);
  }

  /** Show other items; an item that is the same object keeps its element. @param {Item[]} items */
  show(items) {
    this.#items = items;
    if (this.options.head) this.element.setAttribute("aria-rowcount", String(items.length + 1));
    this.draw();
  }

  /** Make every element again: rows look different now. */
  renew() {
    for (const element of this.#made.values()) element.remove();
    this.#made.clear();
    this.draw();
  }

  /** Mark an item; if it is another one than before, scroll it into view. @param {number} id */
  select(id) {
    if (id !== this.#current) this.#revealing = true;
    this.#current = id;
    this.draw();
  }

  toTop() {
    this.#scrollTo(0);
    this.draw();
  }

  /** @param {number} top */
  #scrollTo(top) {
    this.#top = top;
    this.element.scrollTop = top;
  }

  /** Pixels for rows; 0 while another screen is open. */
  get #view() {
    return this.element.clientHeight - (this.options.head?.offsetHeight ?? 0);
  }

  draw() {
    const height = this.options.height();
    this.space.style.height = `${this.#items.length * height}px`;
    if (this.#view <= 0) return;
    if (this.#revealing) this.#reveal(height);
    const [first, end] = windowOf(this.element.scrollTop, this.#view, height, this.#items.length);
    const wanted = new Set(this.#items.slice(first, end));
    for (const [item, element] of this.#made) {
      if (wanted.has(item)) continue;
      element.remove();
      this.#made.delete(item);
    }
    for (let at = first; at < end; at++) this.#place(at, this.space.children[at - first] ?? null, height);
    const active = this.#made.get(this.#items[this.#at]);
    if (active) this.element.setAttribute("aria-activedescendant", active.id);
    else this.element.removeAttribute("aria-activedescendant");
  }

  /**
   * Elements stand in the page in the order of their rows, as they are read out.
   * @param {number} at @param {Element | null} before the element that stands there now @param {number} height
   */
  #place(at, before, height) {
    const item = this.#items[at];
    const element = this.#made.get(item) ?? this.#make(item);
    if (element !== before) this.space.insertBefore(element, before);
    element.style.top = `${at * height}px`;
    element.style.height = `${height}px`;
    element.setAttribute("aria-selected", String(item.id === this.#current));
    if (this.options.head) {
      element.setAttribute("aria-rowindex", String(at + 2));
    } else {
      element.setAttribute("aria-posinset", String(at + 1));
      element.setAttribute("aria-setsize", String(this.#items.length));
    }
  }

  /** @param {Item} item */
  #make(item) {
    const element = this.options.row(item);
    element.id = `${this.options.label.replace(/\W/g, "")}-${item.id}`;
    element.dataset.id = String(item.id);
    this.#made.set(item, element);
    return element;
  }

  get #at() {
    return this.#items.findIndex(({ id }) => id === this.#current);
  }

  /** @param {number} height */
  #reveal(height) {
    this.#revealing = false;
    const at = this.#at;
    if (at >= 0) this.#scrollTo(revealed(this.element.scrollTop, this.#view, height, at));
  }

  #scrolled() {
    if (this.#view > 0) this.#top = this.element.scrollTop;
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.draw();
    });
  }

  /** Some browsers forget how far a hidden list was scrolled. */
  #resized() {
    if (this.#wasHidden && this.#view > 0) this.element.scrollTop = this.#top;
    this.#wasHidden = this.#view <= 0;
    this.draw();
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const element = event.target instanceof Element && event.target.closest("[data-id]");
    const item = element instanceof HTMLElement && this.#items.find(({ id }) => id === Number(element.dataset.id));
    if (!item) return;
    this.select(item.id);
    this.options.picked(item);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.target !== this.element || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.#at;
    const page = Math.max(1, Math.floor(this.#view / this.options.height()) - 1);
    const to = moved(event.key, at, this.#items.length, page);
    const picks = (event.key === "Enter" || event.key === " ") && at >= 0;
    if (to === null && !picks) return;
    event.preventDefault();
    event.stopPropagation();
    if (to === null) this.options.picked(this.#items[at]);
    else this.select(this.#items[to].id);
  }
}
