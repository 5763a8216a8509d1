import assert from "node:assert/strict";
import { test } from "node:test";
import { attentionColours, differenceColours, levelsOf, paint } from "../../deep_pneumonia/viewer/static/colours.js";
import { asNpy } from "../../deep_pneumonia/viewer/static/save.js";
import { keep, kept } from "../../deep_pneumonia/viewer/static/drawings.js";
import { Memory } from "./memory.js";

const PALETTE = Array.from({ length: 256 }, (_, i) => `${i.toString(16).padStart(2, "0")}8040`).join("");
const parts = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255, pixel >>> 24];

test("opacity grows with attention and with the slider, and is 0 at 0", () => {
  const colours = attentionColours(PALETTE, 0.8, 1);
  assert.deepEqual(parts(colours[0]), [0, 128, 64, 0]);
  assert.deepEqual(parts(colours[255]), [255, 128, 64, 204]);
  assert.equal(parts(attentionColours(PALETTE, 0.8, 0.5)[255])[3], 102);
  for (let i = 1; i < 256; i++) assert.ok(colours[i] >>> 24 >= colours[i - 1] >>> 24);
});

test("differences are orange where the left map is higher, blue where the right one is, and nothing between", () => {
  const colours = differenceColours(1, 1);
  assert.deepEqual([0, 255, 510].map((i) => parts(colours[i])), [
    [0x56, 0xb4, 0xe9, 255], [0x56, 0xb4, 0xe9, 0], [0xe6, 0x9f, 0, 255],
  ]);
  assert.deepEqual([...levelsOf(Float32Array.from([-1, 0, 1]), true)], [0, 255, 510]);
});

test("a map is painted by its levels", () => {
  const image = { data: new Uint8ClampedArray(12) };
  paint(levelsOf(Float32Array.from([0, 0.5, 1])), attentionColours(PALETTE, 1, 1), image);
  assert.deepEqual([...image.data].filter((_, i) => i % 4 === 0), [0, 128, 255]);
});

test("NPY has NumPy's header, padded to 64 bytes, and little-endian values", () => {
  const file = asNpy(Float32Array.from([0, 0.5, 1, 2, 3, 4]), [2, 3]);
  const length = file[8] + 256 * file[9];
  assert.equal((10 + length) % 64, 0);
  assert.equal(new TextDecoder().decode(file.slice(1, 6)), "NUMPY");
  assert.match(new TextDecoder().decode(file.slice(10, 10 + length)), /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 3\), \} *\n$/);
  assert.equal(new DataView(file.buffer).getFloat32(10 + length + 4, true), 0.5);
  assert.equal(file.length, 10 + length + 24);
});

test("only drawn layers are stored, under their radiograph, and removed when nothing is drawn any more", () => {
  globalThis.localStorage = new Memory();
  const layer = { reader: "R", kind: "pixel", mask: Uint8Array.from([0, 1, 1]), colour: "#fff", drawn: true };
  assert.equal(keep("abc", [layer, { ...layer, reader: "file", drawn: false }]), true);
  assert.deepEqual(kept("abc"), [{ reader: "R", kind: "pixel", counts: [1, 2], colour: "#fff", drawn: true }]);
  assert.deepEqual(kept("other"), []);
  keep("abc", []);
  assert.deepEqual(kept("abc"), []);
});

test("a full storage is reported, and unreadable text is no drawing", () => {
  globalThis.localStorage = new Memory(3);
  assert.equal(keep("abc", [{ reader: "R", kind: "pixel", mask: Uint8Array.from([1]), drawn: true }]), false);
  globalThis.localStorage = new Memory();
  localStorage.setItem("deep-pneumonia/drawings/abc", "{nonsense");
  assert.deepEqual(kept("abc"), []);
});
