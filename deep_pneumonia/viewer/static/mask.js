/**
 * A mask that is drawn in the browser: brush, polygon and box, run lengths, undo and redo.
 *
 * A mask is a Uint8Array (H * W) of 0 and 1, row-major, of size [H, W]. Coordinates are (x, y): pixel (row i,
 * column j) has its centre at x = j + 0.5, y = i + 0.5. Polygons and boxes set the same pixels as
 * deep_pneumonia/masks/annotation.py. Every edit changes the mask in place and returns what to draw again.
 */

/** @typedef {[number, number]} Size [H, W] in pixels. */
/** @typedef {[number, number]} Point [x, y]. */
/** @typedef {{top: number, left: number, bottom: number, right: number}} Rect pixels, ends excluded. */

const AT_A_VERTEX = 1e-12; // scikit-image's tolerance

/**
 * Run lengths in row order, of 0 and 1 in turn, beginning with how many 0 there are (possibly none).
 *
 * @param {Uint8Array} mask
 * @returns {number[]} [] for an empty array.
 */
export function encode(mask) {
  const counts = [];
  for (let at = 0, value = 0; at < mask.length; value = 1 - value) {
    const next = mask.indexOf(1 - value, at);
    const end = next < 0 ? mask.length : next;
    counts.push(end - at);
    at = end;
  }
  return counts;
}

/**
 * The mask that `encode` made the counts of.
 *
 * @param {ArrayLike<number>} counts
 * @param {number} length H * W.
 * @returns {Uint8Array}
 * @throws {RangeError} a count is not a whole number from 0 on, or their sum is not `length`.
 */
export function decode(counts, length) {
  const mask = new Uint8Array(length);
  let at = 0;
  for (let k = 0; k < counts.length; k++) {
    if (!(Number.isInteger(counts[k]) && counts[k] >= 0)) {
      throw new RangeError(`A run has length ${counts[k]}; expected whole numbers from 0 on.`);
    }
    mask.fill(k % 2, at, (at += counts[k]));
  }
  if (at !== length) {
    throw new RangeError(`The runs hold ${at} pixels where ${length} are expected; take this picture's.`);
  }
  return mask;
}

/**
 * How many pixels are set.
 *
 * @param {Uint8Array} mask
 * @returns {number}
 */
export function area(mask) {
  let count = 0;
  for (let p = 0; p < mask.length; p++) {
    count += mask[p];
  }
  return count;
}

/**
 * A brush's stroke: set every pixel whose centre is at most `radius` away from the line between two points.
 *
 * @param {Uint8Array} mask
 * @param {Size} size
 * @param {Point} from
 * @param {Point} to may be `from`: a dot.
 * @param {number} radius in pixels, from 0 on.
 * @param {0 | 1} value
 * @returns {Rect | null} what the stroke covers; null where it covers no pixel.
 * @throws {RangeError} a coordinate or the radius is not a finite number.
 */
export function stroke(mask, [H, W], [x0, y0], [x1, y1], radius, value) {
  finite([x0, y0, x1, y1, radius]);
  const covered = new Covered();
  const [top, bottom] = centres(Math.min(y0, y1) - radius, Math.max(y0, y1) + radius, H);
  for (let i = top; i < bottom; i++) {
    const y = i + 0.5;
    const [low, high] = within([x0, y0], [x1, y1], y - radius, y + radius);
    const [left, right] = centres(low - radius, high + radius, W);
    for (let j = left; j < right; j++) {
      if (isNear(j + 0.5, y, x0, y0, x1, y1, radius)) {
        mask[i * W + j] = value;
        covered.add(i, j);
      }
    }
  }
  return covered.rect();
}

/** The pixels [first, end) along an axis of n whose centres may lie in [low, high]: rather one too many. */
function centres(low, high, n) {
  return [Math.max(Math.floor(low - 0.5), 0), Math.min(Math.ceil(high - 0.5) + 1, n)];
}

/** Lowest and highest x of the part of a line that lies between the heights `top` and `bottom`. */
function within([x0, y0], [x1, y1], top, bottom) {
  const held = (y) => Math.min(Math.max(y, Math.min(y0, y1)), Math.max(y0, y1));
  const along = (y) => x0 + ((x1 - x0) * (held(y) - y0)) / (y1 - y0);
  const [a, b] = y0 === y1 ? [x0, x1] : [along(top), along(bottom)];
  return [Math.min(a, b), Math.max(a, b)];
}

/** Whether (x, y) is at most `radius` from the line; without division, so that round numbers stay exact. */
function isNear(x, y, x0, y0, x1, y1, radius) {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const length2 = dx * dx + dy * dy;
  const along = (x - x0) * dx + (y - y0) * dy;
  if (along > 0 && along < length2) {
    const across = (x - x0) * dy - (y - y0) * dx;
    return across * across <= radius * radius * length2;
  }
  const ex = x - (along > 0 ? x1 : x0);
  const ey = y - (along > 0 ? y1 : y0);
  return ex * ex + ey * ey <= radius * radius;
}

/**
 * Set the pixels whose centre lies in a polygon or on its edge; one that crosses itself is filled even-odd.
 *
 * @param {Uint8Array} mask
 * @param {Size} size
 * @param {Point[]} points fewer than three enclose nothing.
 * @param {0 | 1} value
 * @returns {Rect | null} what the polygon covers; null where it covers no pixel.
 * @throws {RangeError} a coordinate is not a finite number.
 */
export function fillPolygon(mask, [H, W], points, value) {
  finite(points.flat());
  if (points.length < 3) return null;
  const covered = new Covered();
  const [left, right] = centres(...ends(points.map(([x]) => x)), W);
  const [top, bottom] = centres(...ends(points.map(([, y]) => y)), H);
  for (let i = top; i < bottom; i++) {
    const edges = edgesAt(points, i);
    for (let j = left; j < right; j++) {
      if (encloses(edges, j)) {
        mask[i * W + j] = value;
        covered.add(i, j);
      }
    }
  }
  return covered.rect();
}

/** The few edges that decide about row i, as [x0, y0, x1, y1, ...] with the row's centres at y = 0. */
function edgesAt(points, i) {
  const edges = [];
  // Half a pixel first, the row then: scikit-image's order, so that rounding is the same.
  let [x1, y1] = [points.at(-1)[0] - 0.5, points.at(-1)[1] - 0.5 - i];
  for (const point of points) {
    const [x0, y0] = [point[0] - 0.5, point[1] - 0.5 - i];
    if (y0 > 0 !== y1 > 0 || y0 < 0 !== y1 < 0 || Math.abs(y0) < AT_A_VERTEX) {
      edges.push(x0, y0, x1, y1);
    }
    [x1, y1] = [x0, y0];
  }
  return edges;
}

/**
 * Whether the centre of column j is in or on the polygon: skimage/_shared/geometry.pyx, point_in_polygon.
 *
 * Crossings to the right and to the left are both odd inside and both even outside; on an edge they differ.
 */
function encloses(edges, j) {
  let right = false;
  let left = false;
  for (let k = 0; k < edges.length; k += 4) {
    const x0 = edges[k] - j;
    const y0 = edges[k + 1];
    const x1 = edges[k + 2] - j;
    const y1 = edges[k + 3];
    if (Math.abs(x0) < AT_A_VERTEX && Math.abs(y0) < AT_A_VERTEX) return true;
    const crossing = (x0 * y1 - x1 * y0) / (y1 - y0);
    if (y0 > 0 !== y1 > 0 && crossing > 0) right = !right;
    if (y0 < 0 !== y1 < 0 && crossing < 0) left = !left;
  }
  return right || left;
}

/**
 * Set the pixels whose centre lies in a box or on its edge.
 *
 * @param {Uint8Array} mask
 * @param {Size} size
 * @param {[number, number, number, number]} box [x, y, width, height].
 * @param {0 | 1} value
 * @returns {Rect | null} what the box covers; null where it covers no pixel.
 * @throws {RangeError} a number is not finite, or width or height is negative.
 */
export function fillBox(mask, size, [x, y, w, h], value) {
  if (w < 0 || h < 0) throw new RangeError("A box has a negative side; expected [x, y, width, height].");
  const corners = [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]; // prettier-ignore
  return fillPolygon(mask, size, corners, value);
}

function ends(values) {
  return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
}

function finite(numbers) {
  if (!numbers.every(Number.isFinite)) {
    throw new RangeError("A drawn shape has a coordinate that is not a finite number; correct it.");
  }
}

/** The smallest rectangle around pixels that come row by row. */
class Covered {
  top = Infinity;
  left = Infinity;
  bottom = -1;
  right = -1;

  add(i, j) {
    if (this.top > i) this.top = i;
    if (this.left > j) this.left = j;
    this.bottom = i + 1;
    if (this.right <= j) this.right = j + 1;
  }

  /** @returns {Rect | null} */
  rect() {
    const { top, left, bottom, right } = this;
    return bottom < 0 ? null : { top, left, bottom, right };
  }
}

/**
 * The smallest rectangle around two, of which either may be null.
 *
 * @param {Rect | null} a
 * @param {Rect | null} b
 * @returns {Rect | null}
 */
export function union(a, b) {
  if (a === null || b === null) return a ?? b;
  const [top, left] = [Math.min(a.top, b.top), Math.min(a.left, b.left)];
  const [bottom, right] = [Math.max(a.bottom, b.bottom), Math.max(a.right, b.right)];
  return { top, left, bottom, right };
}
