// Colours of maps: attention on one fixed scale whose opacity grows with it, and differences
// between two maps.

// Orange where the left map is higher, blue where the right one is (Okabe and Ito, 2008).
const LEFT_HIGHER = 0xe69f00;
const RIGHT_HIGHER = 0x56b4e9;

/**
 * Red, green and blue of a level.
 * @param {string} palette see `Look` @param {number} level 0 to 255
 */
export function paletteColour(palette, level) {
  return channels(parseInt(palette.slice(6 * level, 6 * level + 6), 16));
}

/**
 * The attention's colours as in the server's pictures, faded by `opacity`.
 * @param {string} palette see `Look` @param {number} most opacity of the highest value
 * @param {number} opacity in [0, 1]
 * @returns {Uint32Array<ArrayBuffer>} 256 pixels, not multiplied by alpha
 */
export function attentionColours(palette, most, opacity) {
  return Uint32Array.from({ length: 256 }, (_, level) =>
    pixel(paletteColour(palette, level), (level / 255) * most * opacity));
}

/**
 * Colours of differences from -1 to 1; opacity grows with the difference, so nothing is drawn where
 * maps agree.
 * @param {number} most @param {number} opacity
 * @returns {Uint32Array<ArrayBuffer>} 511 pixels
 */
export function differenceColours(most, opacity) {
  return Uint32Array.from({ length: 511 }, (_, i) => {
    const share = (i - 255) / 255;
    return pixel(channels(share > 0 ? LEFT_HIGHER : RIGHT_HIGHER), Math.abs(share) * most * opacity);
  });
}

/** @param {number} rgb 24 bits */
function channels(rgb) {
  return [rgb >> 16, (rgb >> 8) & 255, rgb & 255];
}

/** @param {number[]} channels @param {number} alpha in [0, 1] */
function pixel([red, green, blue], alpha) {
  return ((Math.round(alpha * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/**
 * Places in a table of colours: 0 to 255 for values in [0, 1], 0 to 510 for differences in [-1, 1].
 * @param {Float32Array} values @param {boolean} signed
 */
export function levelsOf(values, signed = false) {
  const zero = signed ? 255 : 0;
  return Uint16Array.from(values, (value) => Math.round(value * 255) + zero);
}

/**
 * Fill an image with a map's colours.
 * @param {Uint16Array} levels one a pixel @param {Uint32Array} colours @param {ImageData} image
 */
export function paint(levels, colours, image) {
  const out = new Uint32Array(image.data.buffer);
  for (let i = 0; i < out.length; i++) out[i] = colours[levels[i]];
  return image;
}
