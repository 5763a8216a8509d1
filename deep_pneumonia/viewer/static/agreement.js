/**
 * Agreement of an attention map with a mask: the same scores as
 * deep_pneumonia/prediction/agreement.py computes.
 *
 * Maps are Float32Array (H * W) in [0, 1], masks Uint8Array (H * W) of 0 and 1, both row-major. A
 * score is a number in [0, 1], or null where it is undefined.
 */

/** @typedef {{iou: number | null, dice: number | null}} Overlap */
/**
 * @typedef {object} Scores Python's five, under the same names.
 * @property {boolean | null} hit the map's highest point (the first in row order) lies in the mask.
 * @property {number | null} iou of the mask with the map at or above the threshold.
 * @property {number | null} dice of the same two.
 * @property {number | null} share_inside share of the map's sum that lies in the mask.
 * @property {number | null} average_precision of the pixels ranked by the map; equal values enter together.
 */
/**
 * @typedef {object} Table Counts at every threshold k / steps, k = 0 .. steps.
 * @property {Uint32Array} selected (steps + 1) pixels at or above the threshold.
 * @property {Uint32Array} inside (steps + 1) those of them that lie in the mask.
 * @property {number} area pixels of the mask; 0 without a mask.
 * @property {number} total sum of the map.
 * @property {number} insideSum sum of the map in the mask.
 */

/**
 * Scores of a map against a mask; all null if the mask is empty.
 *
 * @param {Float32Array} attention
 * @param {Uint8Array} mask
 * @param {number} threshold in [0, 1]; compared in float32, as numpy compares a float32 map with a number.
 * @returns {Scores}
 * @throws {RangeError} the sizes differ, they are empty, or a value of the map is not in [0, 1].
 */
export function compare(attention, mask, threshold) {
  const sums = measure(attention, mask, Math.fround(threshold));
  if (sums.area === 0) {
    return { hit: null, iou: null, dice: null, share_inside: null, average_precision: null };
  }
  return {
    hit: mask[sums.highest] === 1,
    ...shares(sums.inside, sums.selected, sums.area),
    share_inside: shareInside(sums),
    average_precision: averagePrecision(attention, mask, sums.area),
  };
}

/**
 * What one pass over map and mask gives; `highest`: place of the first highest value.
 * @param {Float32Array} attention @param {Uint8Array} mask @param {number} threshold
 */
function measure(attention, mask, threshold) {
  sameLength(attention, mask);
  let area = 0;
  let selected = 0;
  let inside = 0;
  let total = 0;
  let insideSum = 0;
  let highest = 0;
  for (let p = 0; p < attention.length; p++) {
    const value = unit(attention[p]);
    const lesion = mask[p];
    area += lesion;
    total += value;
    insideSum += value * lesion;
    if (value >= threshold) {
      selected += 1;
      inside += lesion;
    }
    if (value > attention[highest]) {
      highest = p;
    }
  }
  return { area, selected, inside, total, insideSum, highest };
}

/**
 * Average precision: over the distinct values from high to low, the sum of precision times the
 * recall that each adds.
 *
 * Non-negative floats sort as their bits do. Values up to 1.0 leave the two highest bits free, so
 * the bits are shifted by one to make room for the mask's bit (the sign of -0.0 falls off), and one
 * native sort ranks all pixels.
 * @param {Float32Array} attention @param {Uint8Array} mask @param {number} area of the mask
 */
function averagePrecision(attention, mask, area) {
  const bits = new Uint32Array(attention.buffer, attention.byteOffset, attention.length);
  const keys = bits.map((word, p) => (word << 1) | mask[p]).sort();
  let sum = 0;
  let found = 0;
  let before = 0;
  for (let p = keys.length - 1; p >= 0; p--) {
    found += keys[p] & 1;
    if (p === 0 || keys[p] >>> 1 !== keys[p - 1] >>> 1) {
      sum += (found - before) * (found / (keys.length - p));
      before = found;
    }
  }
  return Math.min(sum / area, 1);
}

/**
 * Count once for every threshold; `overlap` then looks up any of them.
 *
 * @param {Float32Array} attention
 * @param {Uint8Array | null} mask
 * @param {number} [steps] intervals between thresholds.
 * @returns {Table}
 * @throws {RangeError} as compare.
 */
export function thresholdTable(attention, mask, steps = 100) {
  const lesions = mask ?? new Uint8Array(attention.length);
  sameLength(attention, lesions);
  const limits = Float32Array.from({ length: steps + 1 }, (_, k) => k / steps);
  const selected = new Uint32Array(steps + 1);
  const inside = new Uint32Array(steps + 1);
  let area = 0;
  let total = 0;
  let insideSum = 0;
  for (let p = 0; p < attention.length; p++) {
    const value = unit(attention[p]);
    const k = lastReached(limits, value);
    selected[k] += 1;
    inside[k] += lesions[p];
    area += lesions[p];
    total += value;
    insideSum += value * lesions[p];
  }
  accumulate(selected);
  accumulate(inside);
  return { selected, inside, area, total, insideSum };
}

/**
 * The highest k whose threshold, rounded to float32, the value reaches.
 *
 * A float32 times a small whole number is exact in float64, so the threshold of the floor is
 * reached. Only the next threshold can be missed, if it was rounded down.
 * @param {Float32Array} limits @param {number} value
 */
function lastReached(limits, value) {
  const k = Math.floor(value * (limits.length - 1));
  return limits[k + 1] <= value ? k + 1 : k;
}

/** Turn how many values reach just k into how many reach k or more. @param {Uint32Array} counts */
function accumulate(counts) {
  for (let k = counts.length - 2; k >= 0; k--) {
    counts[k] += counts[k + 1];
  }
}

/**
 * Overlap at threshold k / steps; all null if the mask is empty or missing.
 *
 * @param {Table} table
 * @param {number} k whole, 0 .. steps.
 * @returns {Overlap & {share_inside: number | null}}
 */
export function overlap(table, k) {
  if (table.area === 0) return { iou: null, dice: null, share_inside: null };
  return { ...shares(table.inside[k], table.selected[k], table.area), share_inside: shareInside(table) };
}

/**
 * Overlap of two readers' masks; null if both are empty.
 *
 * @param {Uint8Array} maskA
 * @param {Uint8Array} maskB
 * @returns {Overlap}
 * @throws {RangeError} the sizes differ.
 */
export function between(maskA, maskB) {
  sameLength(maskA, maskB);
  let a = 0;
  let b = 0;
  let both = 0;
  for (let p = 0; p < maskA.length; p++) {
    a += maskA[p];
    b += maskB[p];
    both += maskA[p] & maskB[p];
  }
  return a + b === 0 ? { iou: null, dice: null } : shares(both, a, b);
}

/**
 * The difference of two maps.
 *
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @returns {Float32Array} a - b, in [-1, 1].
 * @throws {RangeError} the sizes differ.
 */
export function difference(a, b) {
  sameLength(a, b);
  const out = new Float32Array(a.length);
  for (let p = 0; p < a.length; p++) {
    out[p] = a[p] - b[p];
  }
  return out;
}

/** @param {number} common @param {number} a @param {number} b numbers of pixels */
function shares(common, a, b) {
  return { iou: common / (a + b - common), dice: (2 * common) / (a + b) };
}

/** @param {{total: number, insideSum: number}} sums */
function shareInside({ total, insideSum }) {
  return total > 0 ? Math.min(insideSum / total, 1) : null;
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function sameLength(a, b) {
  if (a.length !== b.length || a.length === 0) {
    throw new RangeError(`A mask or map has ${b.length} pixels, but ${a.length} are expected; resize it first.`);
  }
}

/** @param {number} value */
function unit(value) {
  if (!(value >= 0 && value <= 1)) {
    throw new RangeError(`The attention has the value ${value}, but [0, 1] is expected; scale it first.`);
  }
  return value;
}
