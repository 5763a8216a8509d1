// Colours of maps: attention on one fixed scale whose opacity grows with it, and differences between two maps.

// Orange where the left map is higher, blue where the right one is (Okabe and Ito, 2008).
export const LEFT_HIGHER = 0xe69f00;
export const RIGHT_HIGHER = 0x56b4e9;

/**
 * Attention's colours as the server's figures have them, faded by `opacity`.
 * @param {string} palette 256 colours of six hex digits each @param {number} most opacity of the highest value
 * @param {number} opacity in [0, 1]
 * @returns {Uint32Array} 256 pixels, not multiplied by alpha
 */
export function attentionColours(palette, most, opacity) {
  return Uint32Array.from({ length: 256 }, (_, level) =>
    pixel(parseInt(palette.slice(6 * level, 6 * level + 6), 16), (level / 255) * most * opacity),
  );
}

/** Differences from -1 to 1 as 511 pixels; opacity grows with the difference, so nothing is drawn where maps agree. */
export function differenceColours(most, opacity) {
  return Uint32Array.from({ length: 511 }, (_, i) => {
    const share = (i - 255) / 255;
    return pixel(share > 0 ? LEFT_HIGHER : RIGHT_HIGHER, Math.abs(share) * most * opacity);
  });
}

function pixel(rgb, alpha) {
  const [red, green, blue] = [rgb >> 16, (rgb >> 8) & 255, rgb & 255];
  return ((Math.round(alpha * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/**
 * Places in a table of colours: 0 to 255 for values in [0, 1], 0 to 510 for differences in [-1, 1].
 * @param {Float32Array} values @param {boolean} signed
 * @returns {Uint16Array}
 */
export function levelsOf(values, signed = false) {
  const zero = signed ? 255 : 0;
  return Uint16Array.from(values, (v) => Math.round(v * 255) + zero);
}

/**
 * A map as a picture that is drawn over the radiograph.
 * @param {Uint16Array} levels @param {Uint32Array} colours @param {ImageData} image is filled, and has as many pixels
 */
export function paint(levels, colours, image) {
  const out = new Uint32Array(image.data.buffer);
  for (let i = 0; i < out.length; i++) out[i] = colours[levels[i]];
  return image;
}
