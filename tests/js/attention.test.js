import assert from "node:assert/strict";
import { test } from "node:test";

import { enlarge, outlines } from "../../deep_pneumonia/viewer/static/attention.js";

/** Twice the enclosed area, by the shoelace formula; positive where the line runs clockwise on the screen. */
function turned(line) {
  let sum = 0;
  for (let k = 0; k < line.length; k += 2) {
    const next = (k + 2) % line.length;
    sum += line[k] * line[next + 1] - line[next] * line[k + 1];
  }
  return sum;
}

function mask(rows) {
  return Uint8Array.from(rows.join(""), Number);
}

test("a row of two cells is stretched between their centres and repeated beyond", () => {
  // centres of four pixels in units of cells: -0.25, 0.25, 0.75, 1.25
  assert.deepEqual([...enlarge([0, 1], [1, 2], [1, 4])], [0, 0.25, 0.75, 1]);
  assert.deepEqual([...enlarge([0, 1], [2, 1], [4, 1])], [0, 0.25, 0.75, 1]);
});

test("rows and columns are not mixed up", () => {
  const found = enlarge([0, 1, 0.5, 0], [2, 2], [2, 4]);
  assert.deepEqual([...found], [0, 0.25, 0.75, 1, 0.5, 0.375, 0.125, 0]);
});

test("cells may be flat, rows, or rows of typed arrays", () => {
  const flat = enlarge([0, 1, 0.5, 0.2, 0.1, 0], [2, 3], [5, 7]);
  assert.deepEqual(enlarge([[0, 1, 0.5], [0.2, 0.1, 0]], [2, 3], [5, 7]), flat); // prettier-ignore
  assert.deepEqual(enlarge([Float32Array.of(0, 1, 0.5), Float32Array.of(0.2, 0.1, 0)], [2, 3], [5, 7]), flat);
});

test("a map of its own size comes back, and one cell fills all", () => {
  const cells = Float32Array.of(0.1, 0.7, 0.3, 0.9, 0, 1);
  assert.deepEqual(enlarge(cells, [2, 3], [2, 3]), cells);
  assert.deepEqual([...enlarge([0.5], [1, 1], [3, 2])], Array(6).fill(0.5));
});

test("cells that do not fill the grid are rejected", () => {
  assert.throws(() => enlarge([1, 2, 3], [2, 2], [4, 4]), RangeError);
  assert.throws(() => enlarge([[1, 2], [3]], [2, 2], [4, 4]), RangeError);
});

test("one pixel has a diamond around its centre, clockwise from above", () => {
  const [line, ...others] = outlines(mask(["000", "010"]), [2, 3], 0.5);
  assert.deepEqual([...line], [1.5, 1, 2, 1.5, 1.5, 2, 1, 1.5]);
  assert.deepEqual(others, []);
});

test("lines close at the map's edge", () => {
  const [line] = outlines(mask(["1"]), [1, 1], 0.5);
  assert.deepEqual([...line], [0.5, 0, 1, 0.5, 0.5, 1, 0, 0.5]);
});

test("islands run clockwise and holes the other way", () => {
  const [island, hole, ...others] = outlines(mask(["1111", "1001", "1111"]), [3, 4], 0.5);
  assert.ok(turned(island) > 0);
  assert.ok(turned(hole) < 0);
  assert.deepEqual(others, []);
});

test("pixels that touch at a corner are separate, and holes that do are one", () => {
  assert.equal(outlines(mask(["10", "01"]), [2, 2], 0.5).length, 2);
  assert.equal(outlines(mask(["01", "10"]), [2, 2], 0.5).length, 2);
  assert.equal(outlines(mask(["1111", "1011", "1101", "1111"]), [4, 4], 0.5).length, 2);
});

test("the level is interpolated between centres", () => {
  const [line] = outlines(Float32Array.of(0, 0.75, 0.25), [1, 3], 0.5);
  // right: half way from 0.75 to 0.25; left and above: a third of the way from 0.75 to 0
  const expected = [1.5, 0.5 - 1 / 3, 2, 0.5, 1.5, 0.5 + 1 / 3, 1.5 - 1 / 3, 0.5];
  line.forEach((value, k) => assert.ok(Math.abs(value - expected[k]) < 1e-6));
});

test("a value that equals the level in float32 is inside, as it is for the scores", () => {
  assert.equal(outlines(Float32Array.of(0.7), [1, 1], 0.7).length, 1); // float32(0.7) < 0.7
  assert.equal(outlines(Float32Array.of(0.7), [1, 1], 0.71).length, 0);
});

test("an empty mask has no lines, nor has a level that every value reaches", () => {
  assert.deepEqual(outlines(new Uint8Array(12), [3, 4], 0.5), []);
  assert.deepEqual(outlines(Float32Array.of(0.5), [1, 1], 0), []);
});
