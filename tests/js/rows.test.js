import assert from "node:assert/strict";
import { test } from "node:test";
import { ORDER, beside, choices, filtered, following, rightness, sorted, verdictOf } from "../../deep_pneumonia/viewer/static/review/rows.js";
import { moved, revealed, windowOf } from "../../deep_pneumonia/viewer/static/review/virtual.js";
import { CLASSES, list, row } from "./work_list.js";

const ids = (rows) => rows.map(({ id }) => id);

test("the largest disagreement comes first, equal rows as they came, rows without a value last in both directions", () => {
  const rows = [0.2, null, 0.9, 0.2, null, 0].map((disagreement, i) => row(i + 1, { disagreement }));
  assert.deepEqual(ids(sorted(rows, ORDER, "")), [3, 1, 4, 6, 2, 5]);
  assert.deepEqual(ids(sorted(rows, { ...ORDER, descending: false }, "")), [6, 1, 4, 3, 2, 5]);
  assert.deepEqual(ids(rows), [1, 2, 3, 4, 5, 6]);
});

test("names are sorted by their numbers, classes by name and then by probability, verdicts as they are asked", () => {
  const named = ["chest-10.png", "chest-9.png", "Arm.png"].map((name, i) => row(i, { name }));
  assert.deepEqual(ids(sorted(named, { key: "name" }, "")), [2, 1, 0]);
  const read = [["Opacity", 0.6], ["Normal", 0.7], [null, null], ["Opacity", 0.9]];
  const rows = read.map(([predicted, probability], i) => row(i, { predicted, probability }));
  assert.deepEqual(ids(sorted(rows, { key: "probability" }, "")), [1, 3, 0, 2]);
  const judged = ["unsure", "", "agree", "partly"].map((verdict, i) => row(i, { verdicts: verdict ? { Ana: verdict } : {} }));
  assert.deepEqual(ids(sorted(judged, { key: "verdict" }, "Ana")), [2, 3, 0, 1]);
  assert.deepEqual(ids(sorted(judged, { key: "verdict" }, "Ben")), [0, 1, 2, 3]);
});

test("a prediction is wrong only if the label is one of the model's classes", () => {
  const right = (predicted, label) => rightness({ predicted, label }, CLASSES);
  assert.equal(right("Opacity", "Opacity"), "right");
  assert.equal(right("Opacity", "Normal"), "wrong");
  assert.deepEqual([right("Opacity", ""), right("Opacity", "Cardiomegaly"), right(null, "Normal")], ["", "", ""]);
});

test("each filter passes its rows, and several pass the rows that all of them pass", () => {
  const rows = [
    row(1, { label: "Opacity", source: "nih", split: "test", verdicts: { Ana: "agree" }, readers: ["Dr. A"] }),
    row(2, { label: "Normal", source: "rsna", predicted: "Normal", normal: ["Dr. B"] }),
    row(3, { predicted: null, probability: null, verdicts: { Ben: "unsure" } }),
    row(4, { label: "Normal", source: "nih", warnings: ["unlikely_finding"], readers: ["Dr. A", "Dr. B"] }),
    row(5, { predicted: null, probability: null, problem: "The file is damaged." }),
  ];
  for (const one of rows) one.right = rightness(one, CLASSES);
  const kept = (wanted, reviewer = "Ana") => ids(filtered(rows, wanted, reviewer));
  assert.deepEqual(kept({}), [1, 2, 3, 4, 5]);
  assert.deepEqual(kept({ predicted: "Normal" }), [2]);
  assert.deepEqual(kept({ label: "Normal" }), [2, 4]);
  assert.deepEqual([kept({ right: "right" }), kept({ right: "wrong" })], [[1, 2], [4]]);
  assert.deepEqual([kept({ source: "nih" }), kept({ split: "test" })], [[1, 4], [1]]);
  assert.deepEqual([kept({ masks: "drawn" }), kept({ masks: "normal" }), kept({ masks: "none" })], [[1, 4], [2], [3, 5]]);
  assert.deepEqual([kept({ prediction: "done" }), kept({ prediction: "open" })], [[1, 2, 4], [3]]);
  assert.deepEqual([kept({ prediction: "problem" }), kept({ prediction: "warned" })], [[5], [4]]);
  assert.deepEqual([kept({ verdict: "any" }), kept({ verdict: "agree" }), kept({ verdict: "unsure" })], [[1], [1], []]);
  assert.deepEqual([kept({ verdict: "none" }), kept({ verdict: "none" }, "Ben")], [[2, 3, 4, 5], [1, 2, 4, 5]]);
  assert.deepEqual(kept({ label: "Normal", source: "nih" }), [4]);
  assert.deepEqual(kept({ ids: new Set([2, 3]), verdict: "none" }), [2, 3]);
  assert.deepEqual(kept({ ids: new Set() }), []);
});

test("a row must contain every word of a search, in upper or lower case", () => {
  const rows = [
    row(1, { name: "Chest-1.png", patient: "p7", source: "NIH", readers: ["Dr. M\u00fcller"] }),
    row(2, { name: "chest-2.png", label: "Normal", verdicts: { Ana: ["partly", "Left apex missed"] } }),
  ];
  const found = (text) => ids(filtered(rows, { text }, ""));
  assert.deepEqual(found("CHEST"), [1, 2]);
  assert.deepEqual(found("  m\u00dcller  nih "), [1]);
  assert.deepEqual([found("apex ANA"), found("apex p7"), found("normal"), found("P7")], [[2], [], [2], [1]]);
  assert.deepEqual(found(".*"), []);
});

test("a changed row is found by its new text", () => {
  const before = row(1, {});
  assert.deepEqual(filtered([before], { text: "apex" }, ""), []);
  const after = row(1, { verdicts: { Ana: ["agree", "apex"] } });
  assert.deepEqual(filtered([after], { text: "apex" }, ""), [after]);
});

test("filters offer the list's values, and the value that is set even if the list no longer has it", () => {
  const rows = ["nih", "", "a10", "a9", "nih"].map((source, i) => row(i, { source }));
  assert.deepEqual(choices(rows, "source").map(([value]) => value), ["a9", "a10", "nih"]);
  assert.deepEqual(choices(rows, "source", "gone").map(([value]) => value), ["a9", "a10", "gone", "nih"]);
  assert.deepEqual(choices([], "verdict")[0], ["none", "not reviewed"]);
});

test("a name that every object has, such as constructor, has given no verdict", () => {
  assert.equal(verdictOf(row(1, {}), "constructor"), null);
  assert.deepEqual(ids(filtered([row(1, {})], { verdict: "none" }, "__proto__")), [1]);
  assert.equal(verdictOf(row(1, { verdicts: { constructor: "agree" } }), "constructor").verdict, "agree");
});

test("next and previous end with the list and skip cases that cannot be opened", () => {
  const rows = [1, 2, 3, 4].map((id) => row(id, { problem: id === 2 ? "damaged" : "" }));
  const opens = ({ problem }) => !problem;
  assert.deepEqual([beside(rows, 1, 1, opens), beside(rows, 3, -1, opens)], [3, 1]);
  assert.deepEqual([beside(rows, 4, 1, opens), beside(rows, 1, -1, opens)], [null, null]);
  assert.deepEqual([beside(rows, 99, 1), beside(rows, 99, -1), beside([], 1, 1)], [1, 4, null]); // one that a filter hides
});

test("the next unreviewed case is searched to the end and from the beginning, and is never the same one", () => {
  const rows = ["agree", "", "agree", ""].map((verdict, i) => row(i + 1, { verdicts: verdict ? { Ana: verdict } : {} }));
  const open = (one) => !verdictOf(one, "Ana");
  assert.deepEqual([1, 2, 3, 4].map((id) => following(rows, id, open)), [2, 4, 4, 2]);
  assert.equal(following(rows, 99, open), 2);
  assert.equal(following(rows.slice(0, 2), 2, open), null);
  assert.equal(following([], 1, open), null);
});

test("rows in view are made, and a few on both sides, but none beyond the ends", () => {
  assert.deepEqual(windowOf(0, 460, 46, 10_000), [0, 16]);
  assert.deepEqual(windowOf(4600, 460, 46, 10_000), [94, 116]);
  assert.deepEqual(windowOf(459_540, 460, 46, 10_000), [9984, 10_000]);
  assert.deepEqual(windowOf(4600, 460, 46, 5), [5, 5]); // a list that became shorter, before the scroll bar followed
  assert.deepEqual(windowOf(0, 460, 46, 0), [0, 0]);
  for (let top = 0; top < 2000; top += 7) {
    const [first, end] = windowOf(top, 300, 46, 100, 0);
    assert.ok(first * 46 <= top && end * 46 >= Math.min(top + 300, 4600) && end - first <= 8);
  }
});

test("a row comes into view with the least scrolling, and a row in view stays", () => {
  assert.equal(revealed(100, 460, 46, 5), 100);
  assert.equal(revealed(100, 460, 46, 0), 0);
  assert.equal(revealed(0, 460, 46, 10), 46);
  assert.equal(revealed(0, 20, 46, 0), 26); // a view lower than a row shows its end
});

test("keys go by a row, a page or to the ends, and no further", () => {
  const to = (key, at) => moved(key, at, 100, 9);
  assert.deepEqual([to("ArrowDown", -1), to("ArrowDown", 99), to("ArrowUp", 0)], [0, 99, 0]);
  assert.deepEqual([to("PageDown", 5), to("PageUp", 5), to("Home", 50), to("End", 50)], [14, 0, 0, 99]);
  assert.equal(to("x", 5), null);
  assert.equal(moved("End", -1, 0, 9), null);
});

test("ten thousand rows are sorted, filtered and searched", () => {
  const rows = list(10_000);
  const timed = (name, work) => {
    const start = performance.now();
    const found = work();
    console.log(`${name}: ${(performance.now() - start).toFixed(1)} ms, ${found.length} rows`);
    return found;
  };
  for (const one of rows) one.right = rightness(one, CLASSES);
  const inOrder = timed("sort by disagreement", () => sorted(rows, ORDER, "Ana"));
  for (const key of ["name", "probability", "source", "verdict"]) timed(`sort by ${key}`, () => sorted(rows, { key }, "Ana"));
  const known = inOrder.map(({ disagreement }) => disagreement);
  assert.ok(known.every((value, i) => !i || value === null || value <= known[i - 1]));
  const found = timed("first search", () => filtered(inOrder, { text: "chest 99" }, "Ana"));
  assert.deepEqual(timed("second search", () => filtered(inOrder, { text: "chest 99" }, "Ana")), found);
  const wrong = timed("three filters", () => filtered(inOrder, { right: "wrong", masks: "drawn", verdict: "none" }, "Ana"));
  assert.ok(wrong.length > 0 && wrong.every((one) => one.right === "wrong" && !verdictOf(one, "Ana")));
  assert.ok(found.length > 0 && found.every(({ name, patient }) => `${name} ${patient}`.includes("99")));
});
