import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Roster } from "../../deep_pneumonia/viewer/static/roster.js";
import { REVIEWER } from "../../deep_pneumonia/viewer/static/storage.js";
import { Timeline } from "../../deep_pneumonia/viewer/static/timeline.js";
import { Memory } from "./memory.js";

let stage, timeline, roster, changes;

/** A stage with the readers of a case, of which those in capitals are locked. */
function opened(...names) {
  const listeners = [];
  stage = {
    layers: [], display: { active: 0 }, scene: {}, look: { colours: ["#1", "#2"] },
    on: (event, listener) => listeners.push(listener),
    tell: (event, detail) => listeners.forEach((listener) => listener(detail)),
    change: (part) => Object.assign(stage.display, part),
    request() {},
    add: (drawing) => stage.layers.push({ colour: "#0", locked: false, ...drawing }),
  };
  for (const reader of names) stage.add({ reader, locked: reader === reader.toUpperCase(), version: 3 });
  timeline = new Timeline();
  changes = 0;
  roster = new Roster(stage, timeline, () => changes++);
  stage.tell("change", "case");
}

const state = () => ({
  readers: stage.layers.map(({ reader, colour }) => `${reader} ${colour}`), newcomer: roster.newcomer,
  active: stage.display.active,
});

beforeEach(() => {
  globalThis.localStorage = new Memory();
});

test("a visitor begins as a new reader, or as the one whose mask is theirs", () => {
  opened();
  assert.deepEqual([roster.newcomer, roster.layer, roster.colour], ["You", null, "#1"]);
  opened("A", "B");
  assert.deepEqual([roster.newcomer, roster.layer, stage.display.active], ["You", null, 2]);
  opened("A", "mine");
  assert.deepEqual([roster.newcomer, roster.layer.reader], [null, "mine"]);
  opened("A", "You");
  stage.layers[1].locked = true; // loaded from a file: no second "You" is drawn beside it in silence
  roster.begin();
  assert.deepEqual([roster.newcomer, roster.layer.reader, roster.refuses()], [null, "You", true]);
});

test("on a case of the work list the visitor has the reviewer's name", () => {
  localStorage.setItem(REVIEWER, "Ana");
  opened("A");
  assert.equal(roster.newcomer, "You");
  stage.scene = { work: { id: 1 } };
  stage.tell("change", "screen"); // the name was given on the screen before
  assert.equal(roster.newcomer, "Ana");
  roster.introduce("Kim");
  stage.tell("change", "screen");
  assert.equal(roster.newcomer, "Kim");
});

test("adding, removing, naming and colouring are undone and redone in their order", () => {
  opened("A", "B");
  const [first] = stage.layers;
  const states = [state()];
  const steps = [
    () => roster.remove(first), () => roster.set(stage.layers[0], { colour: "#9" }), () => roster.add(),
    () => roster.set(stage.layers[0], { reader: "Reader 2" }), () => roster.introduce("Kim"),
  ];
  for (const step of steps) {
    step();
    states.push(state());
  }
  assert.deepEqual(states.at(-1), { readers: ["Reader 2 (2) #9", "Reader 2 #0"], newcomer: "Kim", active: 1 });
  for (const before of states.slice(0, -1).reverse()) {
    assert.ok(timeline.undo());
    assert.deepEqual(state(), before);
  }
  assert.equal(timeline.undo(), false);
  assert.equal(first.drawn, true); // it is stored, and saved in the work list, again
  for (const after of states.slice(1)) {
    assert.ok(timeline.redo());
    assert.deepEqual(state(), after);
  }
  assert.equal(timeline.redo(), false);
});

test("another name is changed from no version of the work list, and the old name from its own", () => {
  opened("A");
  const [layer] = stage.layers;
  roster.set(layer, { colour: "#9" });
  assert.equal(layer.version, 3);
  roster.set(layer, { reader: "B" });
  assert.deepEqual([layer.version, changes], [undefined, 2]);
  timeline.undo();
  assert.deepEqual([layer.reader, layer.version], ["A", 3]);
});

test("after removing the last mask of their own, the visitor is a new reader again, and another case begins anew", () => {
  opened("A", "You");
  roster.remove(stage.layers[1]);
  assert.deepEqual([roster.newcomer, stage.display.active], ["You", 1]);
  assert.match(roster.words, /^The mask of You was removed/);
  stage.tell("change", "case");
  assert.deepEqual([timeline.canUndo, roster.words], [false, ""]);
});

test("a newcomer has nothing to lock, and a mask that is unlocked is drawn on next", () => {
  opened("A", "B");
  roster.toggle();
  assert.match(roster.words, /nothing to lock/);
  roster.lock(stage.layers[0], false);
  assert.deepEqual([roster.layer.reader, roster.refuses()], ["A", false]);
  roster.toggle();
  assert.ok(roster.refuses());
});

test("a timeline forgets its oldest steps, and what was undone at the next step", () => {
  const short = new Timeline(2);
  const done = [];
  for (const n of [1, 2, 3]) short.add({ undo: () => done.push(-n), redo: () => done.push(n) });
  while (short.canUndo) short.undo();
  assert.deepEqual(done, [-3, -2]);
  short.redo();
  short.add({ undo() {}, redo() {} });
  assert.deepEqual([short.canRedo, short.redo()], [false, false]);
});
