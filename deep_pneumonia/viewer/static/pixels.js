// A radiograph's grey values at their full depth, and what a grey window makes of them.

/** @import { GreyWindow, Rect, Size } from "./types.js" */

/** @typedef {Uint8Array | Uint16Array} Pixels row by row */
/** @typedef {{data: Pixels, height: number, width: number, step: number}} Level step: image pixels a pixel, a side */

/**
 * Decode what the server packed: base64 of zlib of each row's differences modulo 2^bits; 16-bit
 * values come as all high bytes, then all low bytes.
 * @param {string} text @param {Size} size @param {8 | 16} bits
 * @returns {Promise<Pixels>}
 * @throws {RangeError} the text does not hold H x W values.
 */
export async function unpack(text, [height, width], bits) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = height * width;
  if (bytes.length !== (count * bits) / 8) {
    throw new RangeError("The radiograph arrived incomplete; open the case again.");
  }
  const pixels = bits === 8 ? new Uint8Array(count) : new Uint16Array(count);
  for (let start = 0; start < count; start += width) {
    let value = 0;
    for (let i = start; i < start + width; i++) {
      value += bits === 8 ? bytes[i] : (bytes[i] << 8) | bytes[count + i];
      pixels[i] = value; // typed arrays keep the lowest bits, as packing did
    }
  }
  return pixels;
}

/**
 * The bytes of a base64 text; Uint8Array.from takes twenty times as long for a megabyte.
 * @param {string} text
 */
function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/**
 * The image at half its size again and again, each pixel the mean of up to four, until its longer
 * side is `smallest` or less. The grey window is applied to a level of about the screen's size, so
 * it costs the same for any radiograph.
 * @param {Pixels} data @param {Size} size @param {number} smallest
 * @returns {Level[]} largest first
 */
export function pyramid(data, [height, width], smallest = 256) {
  const levels = [{ data, height, width, step: 1 }];
  while (Math.max(height, width) > smallest) {
    const last = levels[levels.length - 1];
    const level = halved(last);
    levels.push(level);
    ({ height, width } = level);
  }
  return levels;
}

/** @param {Level} level @returns {Level} */
function halved({ data, height, width, step }) {
  const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const half = data instanceof Uint8Array ? new Uint8Array(rows * columns) : new Uint16Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const upper = 2 * i * width;
    const lower = Math.min(2 * i + 1, height - 1) * width;
    for (let j = 0; j < columns; j++) {
      const left = 2 * j;
      const right = Math.min(left + 1, width - 1);
      half[i * columns + j] =
        (data[upper + left] + data[upper + right] + data[lower + left] + data[lower + right] + 2) >> 2;
    }
  }
  return { data: half, height: rows, width: columns, step: step * 2 };
}

/**
 * The smallest level that has a pixel for each device pixel.
 * @param {Level[]} levels @param {number} scale device pixels an image pixel
 */
export function levelFor(levels, scale) {
  let found = levels[0];
  for (const level of levels) if (level.step * scale <= 1) found = level;
  return found;
}

/**
 * What a grey window makes of every grey value: opaque grey as 32-bit pixels, linear between its
 * ends.
 * @param {number} full highest value, 255 or 65535
 * @param {GreyWindow} window
 * @returns {Uint32Array<ArrayBuffer>} full + 1 pixels
 */
export function windowed(full, { centre, width, invert }) {
  const table = new Uint32Array(full + 1);
  const low = (centre - width / 2) * full;
  const gain = 255 / Math.max(width * full, 1e-6);
  for (let value = 0; value <= full; value++) {
    const share = Math.min(Math.max((value - low) * gain, 0), 255);
    const grey = Math.round(invert ? 255 - share : share);
    table[value] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  return table;
}

/**
 * Windowed pixels of a rectangle of a level.
 * @param {Level} level @param {Rect} rect @param {Uint32Array} table see `windowed`
 * @returns {ImageData}
 */
export function cut(level, { top, left, bottom, right }, table) {
  const image = new ImageData(right - left, bottom - top);
  const out = new Uint32Array(image.data.buffer);
  let at = 0;
  for (let row = top; row < bottom; row++) {
    const end = row * level.width + right;
    for (let i = row * level.width + left; i < end; i++) out[at++] = table[level.data[i]];
  }
  return image;
}
