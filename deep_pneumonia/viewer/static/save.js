// Files that the browser makes itself: nothing is sent for them.

/** Hand a file to the browser's downloads. */
export function download(name, type, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * NumPy's format 1.0 (numpy.lib.format): a float32 array of [H, W], row by row.
 * @param {Float32Array} values
 * @returns {Uint8Array}
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

/** The radiograph as windowed, with the attention and the masks' outlines over it, at its own size; a PNG. */
export async function overlayOf(stage) {
  const { size, base, state, layers, map } = stage;
  const canvas = new OffscreenCanvas(size[1], size[0]);
  const context = canvas.getContext("2d");
  const whole = { scale: 1, visible: () => ({ top: 0, left: 0, bottom: size[0], right: size[1] }) };
  base.prepare(whole, 1, state.window);
  base.draw(context);
  map.colour(stage.colours); // it may not have been on screen yet
  context.drawImage(map.canvas, 0, 0, size[1], size[0]);
  const thick = Math.max(1.5, Math.max(...size) / 500);
  for (const { outline, colour, shown } of layers) {
    if (!shown) continue;
    [context.strokeStyle, context.lineWidth] = ["#000", 2 * thick];
    context.stroke(outline);
    [context.strokeStyle, context.lineWidth] = [colour, thick];
    context.stroke(outline);
  }
  stage.request(); // the panes' own part of the picture is prepared anew
  return canvas.convertToBlob({ type: "image/png" });
}
