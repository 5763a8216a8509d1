/**
 * An attention map over the radiograph: enlarged from the model's grid, and its outlines (and those
 * of masks).
 *
 * Equals deep_pneumonia/prediction/model_frame.py (enlarge) and deep_pneumonia/drawing/pictures.py
 * (contours). Sizes are [H, W]; arrays are row-major; pixel (row i, column j) has its centre at
 * x = j + 0.5, y = i + 0.5.
 */

/** @import { Size } from "./types.js" */
/**
 * Two cells a pixel, and their weights.
 * @typedef {{first: Int32Array, second: Int32Array, near: Float64Array, far: Float64Array}} Stretch
 */

// Headings of a walk along an outline, clockwise: east, south, west, north.
const ROW_STEP = [0, 1, 0, -1];
const COLUMN_STEP = [1, 0, -1, 0];
const EAST = 0;

/**
 * Enlarge a map bilinearly, with half-pixel centres and the border repeated.
 *
 * @param {ArrayLike<number> | ArrayLike<number>[]} cells a map on the model's grid, flat or as rows, float32.
 * @param {Size} grid [h, w] of `cells`.
 * @param {Size} size [H, W] of the result, which covers the same field of view.
 * @returns {Float32Array} (H * W), in the range of `cells`.
 * @throws {RangeError} `cells` does not hold h x w numbers.
 */
export function enlarge(cells, [h, w], [H, W]) {
  const values = flat(cells, h * w);
  const rows = stretch(h, H);
  const columns = stretch(w, W);
  const out = new Float32Array(H * W);
  const line = new Float64Array(w);
  for (let i = 0; i < H; i++) {
    blendRows(values, w, rows, i, line);
    spread(line, columns, out, i * W);
  }
  return out;
}

/**
 * Blend two rows of the grid into `line`: row i of the result on the grid's columns.
 * @param {Float32Array} values @param {number} w @param {Stretch} rows @param {number} i @param {Float64Array} line
 */
function blendRows(values, w, { first, second, near, far }, i, line) {
  const a = first[i] * w;
  const b = second[i] * w;
  for (let j = 0; j < w; j++) {
    line[j] = near[i] * values[a + j] + far[i] * values[b + j];
  }
}

/**
 * Stretch that line over all columns of the result, into `out` from `start` on.
 * @param {Float64Array} line @param {Stretch} columns @param {Float32Array} out @param {number} start
 */
function spread(line, { first, second, near, far }, out, start) {
  for (let j = 0; j < first.length; j++) {
    out[start + j] = near[j] * line[first[j]] + far[j] * line[second[j]];
  }
}

/**
 * For each of m pixels the two of n cells that it lies between.
 * @param {number} n @param {number} m @returns {Stretch}
 */
function stretch(n, m) {
  const first = new Int32Array(m);
  const second = new Int32Array(m);
  const near = new Float64Array(m);
  const far = new Float64Array(m);
  for (let i = 0; i < m; i++) {
    const place = Math.min(Math.max(((i + 0.5) * n) / m - 0.5, 0), n - 1);
    first[i] = Math.floor(place);
    second[i] = Math.min(first[i] + 1, n - 1);
    // Both by subtraction from 1, as Python does, so that the last bit is the same.
    near[i] = 1 - (place - first[i]);
    far[i] = 1 - (first[i] + 1 - place);
  }
  return { first, second, near, far };
}

/**
 * The cells in one float32 array, as the model's map is; JSON holds doubles.
 * @param {ArrayLike<number> | ArrayLike<number>[]} cells @param {number} length
 */
function flat(cells, length) {
  /** @type {ArrayLike<number>[]} */
  const rows = /** @type {any} */ (typeof cells[0] === "number" ? [cells] : cells);
  const count = rows.reduce((sum, row) => sum + row.length, 0);
  if (count !== length) {
    throw new RangeError(`A map has ${count} cells where ${length} are expected; give its own [h, w].`);
  }
  const values = new Float32Array(length);
  let at = 0;
  for (const row of rows) {
    values.set(row, at);
    at += row.length;
  }
  return values;
}

/**
 * Closed lines around everything at or above `level`, by marching squares with linear
 * interpolation.
 *
 * Values outside the map count as zero, so every line is closed; its first point is not repeated at
 * its end (draw with closePath). Pixels that touch at a corner only are separate. The inside lies
 * at the right hand: islands run clockwise, holes anticlockwise. A level of 0 or less has no lines.
 *
 * @param {Float32Array | Uint8Array} values (H * W), a map in [0, 1], or a mask of 0 and 1 with `level` 0.5.
 * @param {Size} size [H, W].
 * @param {number} level compared in float32, as agreement.js and numpy compare a float32 map.
 * @returns {Float32Array[]} one [x0, y0, x1, y1, ...] a line, from the top of the map to its bottom.
 */
export function outlines(values, [H, W], level) {
  const cut = Math.fround(level);
  /** @type {Float32Array[]} */
  const lines = [];
  if (!(cut > 0)) return lines;
  // Every line passes somewhere between an outside pixel and an inside pixel just below it: a walk
  // begins there.
  const walked = new Uint8Array(H * W);
  for (let i = 0, p = 0; i < H; i++) {
    for (let j = 0; j < W; j++, p++) {
      if (values[p] >= cut && !(i > 0 && values[p - W] >= cut) && walked[p] === 0) {
        lines.push(walk(values, [H, W], cut, [i, j], walked));
      }
    }
  }
  return lines;
}

/**
 * Walk one line, beginning above the inside pixel (row, column) and heading east.
 *
 * The walk keeps an inside pixel at its right hand and an outside pixel at its left. It turns right
 * if the next pixel at the right is outside, left if the next two are both inside, and otherwise
 * goes straight on.
 * @param {Float32Array | Uint8Array} values @param {Size} size @param {number} cut @param {[number, number]} place
 * @param {Uint8Array} walked pixels from whose upper edge a line was walked east
 */
function walk(values, [H, W], cut, [row, column], walked) {
  const at = (/** @type {number} */ r, /** @type {number} */ c) =>
    (r < 0 || c < 0 || r >= H || c >= W ? 0 : values[r * W + c]);
  const points = [];
  const start = row * W + column;
  let heading = EAST;
  do {
    if (heading === EAST) walked[row * W + column] = 1;
    const left = (heading + 3) & 3;
    const outside = at(row + ROW_STEP[left], column + COLUMN_STEP[left]);
    // How far from the inside pixel's centre towards the outside one the level is crossed,
    // in [0, 1).
    const inside = values[row * W + column];
    const share = (inside - cut) / (inside - outside);
    points.push(column + 0.5 + share * COLUMN_STEP[left], row + 0.5 + share * ROW_STEP[left]);
    const r = row + ROW_STEP[heading];
    const c = column + COLUMN_STEP[heading];
    if (at(r, c) < cut) {
      heading = (heading + 1) & 3;
    } else if (at(r + ROW_STEP[left], c + COLUMN_STEP[left]) >= cut) {
      row = r + ROW_STEP[left];
      column = c + COLUMN_STEP[left];
      heading = left;
    } else {
      row = r;
      column = c;
    }
  } while (heading !== EAST || row * W + column !== start);
  return new Float32Array(points);
}
