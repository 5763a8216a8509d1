import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { cut, levelFor, pyramid, unpack, windowed } from "../../deep_pneumonia/viewer/static/pixels.js";

// Node has no canvas; this is all of an ImageData that is used.
globalThis.ImageData ??= class {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.data = new Uint8ClampedArray(4 * width * height);
  }
};

const packed = (bytes) => deflateSync(Uint8Array.from(bytes)).toString("base64");

test("8 bits: differences along rows are summed, modulo 256", async () => {
  const pixels = await unpack(packed([5, 250, 1, 255, 2, 0]), [2, 3], 8);
  assert.deepEqual([...pixels], [5, 255, 0, 255, 1, 1]);
});

test("16 bits: high bytes first, then low ones", async () => {
  const pixels = await unpack(packed([1, 0, 0, 255]), [1, 2], 16);
  assert.deepEqual([...pixels], [256, 511]);
  const wrapped = await unpack(packed([255, 0, 255, 2]), [1, 2], 16);
  assert.deepEqual([...wrapped], [65535, 1]);
});

test("an incomplete radiograph is rejected", async () => {
  await assert.rejects(unpack(packed([1, 2, 3]), [2, 2], 8), /incomplete/);
});

test("each level holds means of four, and odd edges repeat", () => {
  const levels = pyramid(Uint16Array.from([0, 2, 10, 4, 6, 20, 8, 8, 30]), [3, 3], 1);
  assert.deepEqual(levels.map(({ height, width, step }) => [height, width, step]), [[3, 3, 1], [2, 2, 2], [1, 1, 4]]);
  assert.deepEqual([...levels[1].data], [3, 15, 8, 30]);
  assert.deepEqual([...levels[2].data], [14]);
});

test("a flat image is the same on every level", () => {
  for (const { data } of pyramid(new Uint8Array(35 * 21).fill(77), [35, 21], 4)) {
    assert.ok(data.every((value) => value === 77));
  }
});

test("the level has at least a pixel for each device pixel", () => {
  const levels = pyramid(new Uint8Array(1024 * 1024), [1024, 1024]);
  assert.deepEqual([2, 1, 0.6, 0.5, 0.3, 0.01].map((scale) => levelFor(levels, scale).step), [1, 1, 1, 2, 2, 4]);
});

test("a window is linear between its ends, and inverts", () => {
  const grey = (table, value) => table[value] & 255;
  const all = windowed(255, { centre: 0.5, width: 1, invert: false });
  for (const value of [0, 1, 100, 255]) assert.equal(grey(all, value), value);
  const narrow = windowed(65535, { centre: 0.5, width: 0.5, invert: false });
  assert.deepEqual([0, 16383, 32768, 49152, 65535].map((v) => grey(narrow, v)), [0, 0, 128, 255, 255]);
  const inverted = windowed(255, { centre: 0.5, width: 1, invert: true });
  for (const value of [0, 90, 255]) assert.equal(grey(inverted, value), 255 - value);
  assert.ok(all.every((pixel) => pixel >>> 24 === 255));
});

test("a cut is the windowed rectangle", () => {
  const level = { data: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]), width: 3, height: 3, step: 1 };
  const table = windowed(255, { centre: 0.5, width: 1, invert: false });
  const image = cut(level, { top: 1, left: 1, bottom: 3, right: 3 }, table);
  assert.deepEqual([...image.data].filter((_, i) => i % 4 === 0), [5, 6, 8, 9]);
});
