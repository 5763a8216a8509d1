// Files that the browser makes itself: nothing is sent for them.

/** @import { Stage } from "./stage.js" */
/** @import { Size } from "./types.js" */

/**
 * Hand a file to the browser's downloads.
 * @param {string} name @param {string} type @param {BlobPart} content
 */
export function download(name, type, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * A float32 array (H, W), row by row, in NumPy's format 1.0 (numpy.lib.format).
 * @param {Float32Array} values @param {Size} size
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function asNpy(values, [height, width]) {
  const facts = `{'descr': '<f4', 'fortran_order': False, 'shape': (${height}, ${width}), }`;
  const header = facts.padEnd(Math.ceil((facts.length + 11) / 64) * 64 - 11) + "\n";
  const out = new Uint8Array(10 + header.length + values.byteLength);
  out.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, header.length & 255, header.length >> 8]);
  out.set(new TextEncoder().encode(header), 10);
  const view = new DataView(out.buffer, 10 + header.length);
  values.forEach((value, i) => view.setFloat32(4 * i, value, true));
  return out;
}

/**
 * The windowed radiograph with the attention and the masks' outlines over it, at its own size.
 * @param {Stage} stage with a map @returns {Promise<Blob>} a PNG
 */
export async function overlayOf(stage) {
  const { size, base, display, layers, map, renderer } = stage;
  if (!base || !map) throw new Error("There is no attention map to save; open a radiograph with a finding.");
  const canvas = new OffscreenCanvas(size[1], size[0]);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  base.prepare({ scale: 1, visible: () => ({ top: 0, left: 0, bottom: size[0], right: size[1] }) }, 1, display.window);
  base.draw(context);
  map.colour(renderer.colours); // it may not have been on screen yet
  context.drawImage(map.canvas, 0, 0, size[1], size[0]);
  const thick = Math.max(1.5, Math.max(...size) / 500);
  for (const { outline, colour } of layers.filter((layer) => layer.shown)) {
    context.strokeStyle = "#000";
    context.lineWidth = 2 * thick;
    context.stroke(outline);
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.stroke(outline);
  }
  stage.request(); // prepares the panes' own part of the picture again
  return canvas.convertToBlob({ type: "image/png" });
}
