// Where the image lies in a pane. All panes share one View, so that zoom and pan are linked.
//
// Image coordinates: x to the right, y down, pixel (row i, column j) covers [j, j + 1) x [i, i + 1).
// Screen coordinates: CSS pixels from the pane's upper left corner.

export const MOST = 32; // screen pixels an image pixel

export class View {
  /** @param {[number, number]} size of the image, [H, W] @param {[number, number]} pane [height, width] in CSS pixels */
  constructor(size, pane = [1, 1]) {
    this.size = size;
    this.pane = pane;
    this.fit();
  }

  /** Screen pixels an image pixel at which the whole image is just seen. */
  get fitting() {
    return Math.min(this.pane[0] / this.size[0], this.pane[1] / this.size[1]);
  }

  /** Show the whole image; it stays whole when panes change their size. */
  fit() {
    this.whole = true;
    this.scale = this.fitting;
    this.centre = [this.size[1] / 2, this.size[0] / 2];
  }

  /** One image pixel a screen pixel; `ratio` is the number of device pixels a CSS pixel. */
  actual(ratio = 1) {
    this.zoom((1 / ratio) / this.scale, [this.pane[1] / 2, this.pane[0] / 2]);
  }

  /** The pane has a new size, [height, width]. */
  resize(pane) {
    if (pane[0] === this.pane[0] && pane[1] === this.pane[1]) return;
    this.pane = pane;
    if (this.whole) this.fit();
    else this.settle();
  }

  /** Enlarge by `factor`; the image point under the screen point `at` stays there. */
  zoom(factor, at) {
    const [x, y] = this.toImage(at);
    this.whole = false;
    this.scale = Math.min(Math.max(this.scale * factor, this.fitting / 2), MOST);
    this.centre = [x - (at[0] - this.pane[1] / 2) / this.scale, y - (at[1] - this.pane[0] / 2) / this.scale];
    this.settle();
  }

  /** Move the image by screen pixels. */
  pan(dx, dy) {
    this.whole = false;
    this.centre = [this.centre[0] - dx / this.scale, this.centre[1] - dy / this.scale];
    this.settle();
  }

  /** Keep a part of the image in sight: its centre never leaves the image. */
  settle() {
    this.centre = this.centre.map((c, axis) => Math.min(Math.max(c, 0), this.size[1 - axis]));
  }

  /** Image point [x, y] of a screen point [x, y]. */
  toImage([x, y]) {
    return [
      this.centre[0] + (x - this.pane[1] / 2) / this.scale,
      this.centre[1] + (y - this.pane[0] / 2) / this.scale,
    ];
  }

  /** Screen point [x, y] of an image point [x, y]. */
  toScreen([x, y]) {
    return [
      (x - this.centre[0]) * this.scale + this.pane[1] / 2,
      (y - this.centre[1]) * this.scale + this.pane[0] / 2,
    ];
  }

  /** The part of the image in sight, whole pixels: {top, left, bottom, right}, ends exclusive; it may be empty. */
  visible() {
    const [left, top] = this.toImage([0, 0]);
    const [right, bottom] = this.toImage([this.pane[1], this.pane[0]]);
    return {
      top: Math.max(0, Math.floor(top)),
      left: Math.max(0, Math.floor(left)),
      bottom: Math.min(this.size[0], Math.ceil(bottom)),
      right: Math.min(this.size[1], Math.ceil(right)),
    };
  }
}

/**
 * Length of a line between two image points in millimetres, or in pixels where the spacing is not known.
 * @param {[number, number] | null} spacing mm a pixel, [row, column]
 * @returns {{length: number, unit: "mm" | "pixels"}}
 */
export function ruled([x0, y0], [x1, y1], spacing) {
  const [row, column] = spacing ?? [1, 1];
  return { length: Math.hypot((x1 - x0) * column, (y1 - y0) * row), unit: spacing ? "mm" : "pixels" };
}
