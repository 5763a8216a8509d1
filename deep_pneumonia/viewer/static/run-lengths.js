// Masks as run lengths: how they travel and are stored. A mask is a Uint8Array (H * W) of 0 and 1,
// row-major.

/**
 * Run lengths in row order, of 0 and 1 in turn, beginning with the number of zeros (possibly 0).
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
 * The mask of run lengths that `encode` made.
 *
 * @param {ArrayLike<number>} counts
 * @param {number} length H * W.
 * @returns {Uint8Array}
 * @throws {RangeError} a count is not a whole number of at least 0, or their sum is not `length`.
 */
export function decode(counts, length) {
  const mask = new Uint8Array(length);
  let at = 0;
  for (let k = 0; k < counts.length; k++) {
    if (!(Number.isInteger(counts[k]) && counts[k] >= 0)) {
      throw new RangeError(`A run has the length ${counts[k]}, but whole numbers of at least 0 are expected.`);
    }
    mask.fill(k % 2, at, (at += counts[k]));
  }
  if (at !== length) {
    throw new RangeError(`The run lengths hold ${at} pixels, but ${length} are expected; use this radiograph's mask.`);
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
