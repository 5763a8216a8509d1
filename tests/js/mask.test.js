import assert from "node:assert/strict";
import { test } from "node:test";

import { History } from "../../deep_pneumonia/viewer/static/history.js";
import { fillBox, fillPolygon, stroke, union } from "../../deep_pneumonia/viewer/static/mask.js";
import { area, decode, encode } from "../../deep_pneumonia/viewer/static/run-lengths.js";

const SIZE = [5, 6];

function empty() {
  return new Uint8Array(30);
}

function drawn(...rows) {
  return Uint8Array.from(rows.join(""), Number);
}

/** The same numbers in every run (mulberry32). */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Distance of (x, y) from a line, by its nearest point. */
function distance(x, y, [x0, y0], [x1, y1]) {
  const length2 = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const t = length2 ? Math.min(Math.max(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length2, 0), 1) : 0;
  return Math.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0));
}

test("run lengths begin with the zeros", () => {
  assert.deepEqual(encode(drawn("001101")), [2, 2, 1, 1]);
  assert.deepEqual(encode(drawn("110")), [0, 2, 1]);
  assert.deepEqual(encode(empty()), [30]);
  assert.deepEqual(encode(new Uint8Array(0)), []);
});

test("run lengths give the same mask back", () => {
  const next = random(1);
  for (const share of [0, 0.1, 0.5, 1]) {
    const mask = Uint8Array.from({ length: 997 }, () => (next() < share ? 1 : 0));
    assert.deepEqual(decode(encode(mask), 997), mask);
    const ones = encode(mask).filter((_, k) => k % 2);
    assert.equal(area(mask), ones.reduce((a, b) => a + b, 0));
  }
});

test("run lengths of another size are rejected", () => {
  for (const counts of [[2, 2], [2, 4], [], [6, -1], [2.5, 2.5], [NaN]]) {
    assert.throws(() => decode(counts, 5), RangeError); // prettier-ignore
  }
  assert.deepEqual(decode([2, 3], 5), drawn("00111"));
});

test("a dot sets the centres within its radius, the rim included", () => {
  const mask = empty();
  const rect = stroke(mask, SIZE, [2.5, 1.5], [2.5, 1.5], 1, 1);
  assert.deepEqual(rect, { top: 0, left: 1, bottom: 3, right: 4 });
  assert.deepEqual(mask, drawn("001000", "011100", "001000", "000000", "000000"));
});

test("a stroke has round ends, and the value 0 erases it", () => {
  const mask = empty().fill(1);
  const rect = stroke(mask, SIZE, [1.5, 2.5], [4.5, 2.5], 1, 0);
  assert.deepEqual(rect, { top: 1, left: 0, bottom: 4, right: 6 });
  assert.deepEqual(mask, drawn("111111", "100001", "000000", "100001", "111111"));
});

test("a stroke in any direction sets exactly what lies within its radius", () => {
  const next = random(2);
  for (let n = 0; n < 200; n++) {
    const [from, to] = [0, 1].map(() => [next() * 50 - 10, next() * 40 - 10]);
    const end = n % 10 ? to : from; // some are dots
    const radius = next() * 8;
    const mask = new Uint8Array(20 * 30);
    const rect = stroke(mask, [20, 30], from, end, radius, 1);
    mask.forEach((value, p) => {
      const [i, j] = [Math.floor(p / 30), p % 30];
      assert.equal(value === 1, distance(j + 0.5, i + 0.5, from, end) <= radius);
      if (value) assert.ok(i >= rect.top && i < rect.bottom && j >= rect.left && j < rect.right);
    });
    assert.equal(rect === null, area(mask) === 0);
  }
});

test("a stroke outside the mask, or between centres, changes nothing", () => {
  const mask = empty();
  assert.equal(stroke(mask, SIZE, [-9, -9], [-3, 9], 2, 1), null);
  assert.equal(stroke(mask, SIZE, [2, 2], [2, 2], 0.2, 1), null);
  assert.equal(fillBox(mask, SIZE, [7, 0, 3, 3], 1), null);
  assert.equal(fillPolygon(mask, SIZE, [[0, 0], [5, 5]], 1), null); // prettier-ignore
  assert.deepEqual(mask, empty());
});

test("a box holds the centres in it and on its edge", () => {
  const mask = empty();
  assert.deepEqual(fillBox(mask, SIZE, [1.5, 1, 2, 2], 1), { top: 1, left: 1, bottom: 3, right: 4 });
  assert.deepEqual(mask, drawn("000000", "011100", "011100", "000000", "000000"));
  assert.deepEqual(fillBox(mask, SIZE, [2, -5, 99, 99], 0), { top: 0, left: 2, bottom: 5, right: 6 });
  assert.deepEqual(mask, drawn("000000", "010000", "010000", "000000", "000000"));
});

test("a polygon that crosses itself is filled by the even-odd rule", () => {
  const mask = empty();
  const bow = [[0, 0], [6, 0], [0, 5], [6, 5]]; // prettier-ignore
  assert.deepEqual(fillPolygon(mask, SIZE, bow, 1), { top: 0, left: 1, bottom: 5, right: 5 });
  assert.deepEqual(mask, drawn("011110", "001100", "000000", "001100", "011110"));
});

test("a corner on a centre belongs to the polygon", () => {
  const mask = empty();
  assert.equal(fillPolygon(mask, SIZE, Array(3).fill([2.5, 1.5]), 1).left, 2);
  assert.equal(area(mask), 1);
});

test("coordinates that are not finite and negative boxes are rejected", () => {
  assert.throws(() => stroke(empty(), SIZE, [NaN, 0], [1, 1], 1, 1), RangeError);
  const far = [[0, 0], [1, Infinity], [2, 2]]; // prettier-ignore
  assert.throws(() => fillPolygon(empty(), SIZE, far, 1), RangeError);
  assert.throws(() => fillBox(empty(), SIZE, [0, 0, -1, 1], 1), RangeError);
});

test("a union holds both rectangles, and null adds nothing", () => {
  const a = { top: 1, left: 5, bottom: 2, right: 6 };
  const b = { top: 0, left: 6, bottom: 1, right: 9 };
  assert.deepEqual(union(a, b), { top: 0, left: 5, bottom: 2, right: 9 });
  assert.deepEqual([union(null, a), union(a, null), union(null, null)], [a, a, null]);
});

test("many strokes are one step, undone and redone", () => {
  const [mask, history] = [empty(), new History(SIZE)];
  history.begin(mask);
  const rect = union(stroke(mask, SIZE, [1, 1], [1, 1], 1, 1), stroke(mask, SIZE, [4, 3], [4, 3], 1, 1));
  assert.equal(history.commit(mask, rect), true);
  const after = mask.slice();
  assert.deepEqual(history.undo(mask), rect);
  assert.deepEqual(mask, empty());
  assert.deepEqual([history.canUndo, history.canRedo, history.undo(mask)], [false, true, null]);
  assert.deepEqual(history.redo(mask), rect);
  assert.deepEqual(mask, after);
  assert.deepEqual([history.canUndo, history.canRedo, history.redo(mask)], [true, false, null]);
});

test("nothing is undone or redone while an edit is open", () => {
  const [mask, history] = [empty(), new History(SIZE)];
  for (const x of [0, 1]) {
    history.begin(mask);
    history.commit(mask, fillBox(mask, SIZE, [x, 0, 1, 1], 1));
  }
  history.undo(mask);
  history.begin(mask);
  assert.deepEqual([history.canUndo, history.canRedo], [false, false]);
  assert.deepEqual([history.undo(mask), history.redo(mask)], [null, null]);
  history.commit(mask, null);
  assert.deepEqual([history.canUndo, history.canRedo], [true, true]);
});

/** One random edit as a step; the mask after it. */
function edit(mask, history, next) {
  history.begin(mask);
  const from = [next() * 6, next() * 5];
  const rect = stroke(mask, SIZE, from, [next() * 6, next() * 5], 1 + next(), next() < 0.6 ? 1 : 0);
  return history.commit(mask, rect) ? mask.slice() : null;
}

test("any walk through undo and redo shows the masks that were drawn", () => {
  const [mask, history, next] = [empty(), new History(SIZE), random(3)];
  let [states, at] = [[empty()], 0];
  for (let n = 0; n < 500; n++) {
    const choice = next();
    if (choice < 0.4) {
      const after = edit(mask, history, next);
      if (after) states = [...states.slice(0, ++at), after];
    } else if (choice < 0.7) {
      at -= history.undo(mask) ? 1 : 0;
    } else {
      at += history.redo(mask) ? 1 : 0;
    }
    assert.deepEqual(mask, states[at]);
    assert.deepEqual([history.canUndo, history.canRedo], [at > 0, at < states.length - 1]);
  }
  assert.ok(states.length > 5);
});

test("only the last steps are stored, and an edit without a change makes none", () => {
  const [mask, history] = [empty(), new History(SIZE, 2)];
  for (let j = 0; j < 3; j++) {
    history.begin(mask);
    assert.ok(history.commit(mask, fillBox(mask, SIZE, [j, 0, 1, 1], 1)));
  }
  history.begin(mask);
  assert.equal(history.commit(mask, fillBox(mask, SIZE, [0, 0, 1, 1], 1)), false);
  history.begin(mask);
  assert.equal(history.commit(mask, null), false);
  while (history.canUndo) history.undo(mask);
  assert.deepEqual(mask.slice(0, 6), drawn("100000"));
});

test("a cancelled edit leaves the mask as it was", () => {
  const [mask, history] = [drawn("100000", "000000", "000000", "000000", "000001"), new History(SIZE)];
  const before = mask.slice();
  history.begin(mask);
  fillBox(mask, SIZE, [0, 0, 6, 5], 1);
  history.cancel(mask);
  assert.deepEqual(mask, before);
  assert.equal(history.commit(mask, { top: 0, left: 0, bottom: 1, right: 1 }), false);
  assert.ok(!history.canUndo);
});
