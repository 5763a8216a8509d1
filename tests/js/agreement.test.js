import assert from "node:assert/strict";
import { test } from "node:test";

import { between, compare, difference, overlap, thresholdTable } from "../../deep_pneumonia/viewer/static/agreement.js";

// The map and mask of tests/test_agreement.py, worked by hand there: the mask is the left upper quarter.
const MAP = Float32Array.of(0.9, 0.6, 0.8, 0, 0.4, 0.2, 0, 0, 0, 0.7, 0, 0, 0, 0, 0, 0);
const MASK = Uint8Array.of(1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const NONE = { hit: null, iou: null, dice: null, share_inside: null, average_precision: null };

function near(found, expected, tolerance = 1e-7) {
  assert.ok(Math.abs(found - expected) < tolerance, `${found} is not ${expected}`);
}

test("scores of a map worked by hand", () => {
  const found = compare(MAP, MASK, 0.5);
  assert.equal(found.hit, true);
  near(found.iou, 2 / 6);
  near(found.dice, 4 / 8);
  near(found.share_inside, 2.1 / 3.6);
  near(found.average_precision, (1 / 1 + 2 / 4 + 3 / 5 + 4 / 6) / 4);
});

test("an empty mask has no scores, and a map of zeros no share", () => {
  assert.deepEqual(compare(MAP, new Uint8Array(16), 0.5), NONE);
  const found = compare(new Float32Array(16), MASK, 0.5);
  assert.deepEqual(found, { hit: true, iou: 0, dice: 0, share_inside: null, average_precision: 0.25 });
});

test("the first of several highest points counts as the highest", () => {
  assert.equal(compare(Float32Array.of(0, 0.5, 0.5), Uint8Array.of(0, 1, 0), 0.5).hit, true);
  assert.equal(compare(Float32Array.of(0, 0.5, 0.5), Uint8Array.of(0, 0, 1), 0.5).hit, false);
});

test("equal values enter the average precision together", () => {
  const map = Float32Array.of(0.5, 0.5, 0.5, 0.2);
  for (const mask of ["1001", "0101", "0011"]) {
    near(compare(map, Uint8Array.from(mask, Number), 0.5).average_precision, (1 / 3 + 2 / 4) / 2);
  }
});

test("minus zero ranks as zero, and a view into a larger buffer is read at its offset", () => {
  near(compare(Float32Array.of(1e-20, -0), Uint8Array.of(1, 0), 0.5).average_precision, 1);
  near(compare(Float32Array.of(0, -0), Uint8Array.of(1, 0), 0.5).average_precision, 1 / 2);
  assert.deepEqual(compare(new Float32Array([9, 9, ...MAP]).subarray(2), MASK, 0.5), compare(MAP, MASK, 0.5));
});

test("the threshold is compared in float32", () => {
  assert.equal(compare(Float32Array.of(0.7, 0), Uint8Array.of(1, 0), 0.7).iou, 1); // float32(0.7) < 0.7
});

test("values outside [0, 1] and maps of another size are rejected", () => {
  for (const value of [NaN, -0.1, 1.1]) {
    assert.throws(() => compare(Float32Array.of(value), Uint8Array.of(1), 0.5), RangeError);
    assert.throws(() => thresholdTable(Float32Array.of(value), null), RangeError);
  }
  assert.throws(() => compare(MAP, new Uint8Array(15), 0.5), RangeError);
  assert.throws(() => thresholdTable(MAP, new Uint8Array(15)), RangeError);
  assert.throws(() => between(MASK, new Uint8Array(15)), RangeError);
  assert.throws(() => difference(MAP, new Float32Array(15)), RangeError);
});

test("a table equals compare at every threshold", () => {
  // every threshold itself, the floats next to it, and what a mask takes or leaves
  const values = Array.from({ length: 101 }, (_, k) => Math.fround(k / 100));
  const map = Float32Array.from(values.flatMap((v) => [v, Math.min(v + 6e-8, 1), Math.max(v - 6e-8, 0)]));
  const mask = Uint8Array.from(map, (_, p) => (p % 7 < 3 ? 1 : 0));
  const table = thresholdTable(map, mask);
  for (let k = 0; k <= 100; k++) {
    const { iou, dice, share_inside } = compare(map, mask, k / 100);
    assert.deepEqual(overlap(table, k), { iou, dice, share_inside });
    assert.equal(table.selected[k], map.filter((v) => v >= Math.fround(k / 100)).length);
  }
});

test("a table without a mask counts the map, and has no overlap", () => {
  const table = thresholdTable(MAP, null, 10);
  assert.deepEqual([...table.selected], [16, 6, 6, 5, 5, 4, 4, 3, 2, 1, 0]);
  assert.deepEqual([...table.inside], Array(11).fill(0));
  assert.equal(table.area, 0);
  near(table.total, 3.6);
  assert.deepEqual(overlap(table, 5), { iou: null, dice: null, share_inside: null });
});

test("overlap of two readers", () => {
  assert.deepEqual(between(MASK, Uint8Array.from(MASK).fill(1, 0, 4)), { iou: 4 / 6, dice: 8 / 10 });
  assert.deepEqual(between(MASK, new Uint8Array(16)), { iou: 0, dice: 0 });
  assert.deepEqual(between(new Uint8Array(4), new Uint8Array(4)), { iou: null, dice: null });
});

test("a difference keeps its sign", () => {
  const found = difference(Float32Array.of(0.5, 0, 1), Float32Array.of(0.25, 1, 1));
  assert.deepEqual(found, Float32Array.of(0.25, -1, 0));
});
