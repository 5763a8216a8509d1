import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { initialDisplay } from "../../deep_pneumonia/viewer/static/display.js";
import { View } from "../../deep_pneumonia/viewer/static/geometry.js";
import { area } from "../../deep_pneumonia/viewer/static/run-lengths.js";
import { Roster } from "../../deep_pneumonia/viewer/static/roster.js";
import { Timeline } from "../../deep_pneumonia/viewer/static/timeline.js";
import { Editing } from "../../deep_pneumonia/viewer/static/tools/editing.js";
import { Tools } from "../../deep_pneumonia/viewer/static/tools/tools.js";

// Node has no canvas; what is sketched is not looked at here.
globalThis.Path2D ??= class {
  arc() {}
  moveTo() {}
  lineTo() {}
};

const SIZE = [20, 20];
let stage, tools, edits;

/** A stage of 20 by 20 pixels without layers, on which tools leave their marks. */
function emptyStage() {
  const listeners = [];
  return {
    draws: true, look: { colours: ["#fff"] }, scene: null,
    size: SIZE, view: new View(SIZE, [200, 200]), display: { ...initialDisplay(), brush: 2 }, layers: [], draft: null, ruler: null,
    on: (event, listener) => listeners.push(listener),
    tell: (event, detail) => listeners.forEach((listener) => listener(detail)),
    request() {},
    change(part) {
      Object.assign(this.display, part);
    },
    add({ reader, drawn = false, locked = false }) {
      this.layers.push({ reader, kind: "pixel", mask: new Uint8Array(400), drawn, locked, changed() {} });
    },
  };
}

const press = (x, y, event = {}) => ({ at: [10 * x, 10 * y], point: [x, y], event: { altKey: false, ...event } });

/** Press, move through points, and let go. */
function drag(tool, points, event) {
  const [first, ...rest] = points.map(([x, y]) => press(x, y, event));
  tool.down(first);
  for (const one of rest) tool.move(one);
  tool.up(rest[rest.length - 1] ?? first);
}

const drawn = () => area(stage.layers[0].mask);
const names = () => stage.layers.map(({ reader }) => reader);

beforeEach(() => {
  stage = emptyStage();
  edits = 0;
  const timeline = new Timeline();
  const roster = new Roster(stage, timeline, () => edits++);
  const editing = new Editing(stage, roster, timeline, () => edits++);
  tools = Object.assign(new Tools(stage, editing), { editing, roster });
  stage.tell("change", "case");
});

test("a stroke is one step, however many points it has, and with the first one the visitor joins", () => {
  assert.deepEqual([tools.roster.newcomer, names()], ["You", []]);
  drag(tools.brush, [[5, 5], [8, 5], [8, 9]]);
  assert.deepEqual([tools.roster.newcomer, names()], [null, ["You"]]);
  assert.ok(drawn() > 10);
  assert.equal(edits, 1);
  tools.editing.undo();
  assert.deepEqual([tools.roster.newcomer, names()], ["You", []]); // no empty mask stays
  tools.editing.redo();
  assert.deepEqual([tools.roster.newcomer, names()], [null, ["You"]]);
  assert.ok(drawn() > 10);
});

test("the eraser, and the brush with Alt, remove what was drawn", () => {
  drag(tools.box, [[2, 2], [12, 12]]);
  const before = drawn();
  drag(tools.eraser, [[4, 4], [9, 4]]);
  assert.ok(drawn() < before);
  drag(tools.box, [[0, 0], [20, 20]], { altKey: true });
  assert.equal(drawn(), 0);
});

test("a cancelled stroke or box leaves the mask as it was", () => {
  drag(tools.box, [[2, 2], [12, 12]]);
  const before = drawn();
  for (const tool of [tools.brush, tools.eraser, tools.box]) {
    tool.down(press(3, 3));
    tool.move(press(19, 19));
    tool.cancel();
    tool.up(press(19, 19));
    assert.deepEqual([drawn(), stage.draft, edits], [before, null, 1]);
  }
});

test("a polygon needs three corners, and closes on its first one", () => {
  const click = (x, y) => drag(tools.polygon, [[x, y]]);
  click(2, 2);
  assert.equal(tools.polygon.corners.length, 1);
  click(15, 2);
  tools.polygon.close();
  assert.deepEqual([tools.polygon.corners.length, names()], [0, []]);
  for (const [x, y] of [[2, 2], [15, 2], [15, 15]]) click(x, y);
  click(2.2, 2.2); // near the first corner
  assert.ok(drawn() > 60);
  assert.deepEqual([tools.polygon.corners.length, stage.draft, edits], [0, null, 1]);
});

test("a stroke that changes nothing, or is cancelled, leaves no reader", () => {
  drag(tools.eraser, [[5, 5], [8, 5]]);
  tools.brush.down(press(3, 3));
  tools.brush.cancel();
  assert.deepEqual([tools.roster.newcomer, names(), edits, tools.editing.canUndo], ["You", [], 0, false]);
});

test("nothing is drawn on a locked mask, and a sentence says why", () => {
  stage.add({ reader: "Truth", locked: true });
  stage.change({ active: 0 });
  const click = (x, y) => drag(tools.polygon, [[x, y]]);
  for (const tool of [tools.brush, tools.eraser, tools.box]) drag(tool, [[2, 2], [12, 12]]);
  for (const [x, y] of [[2, 2], [15, 2], [15, 15], [2.2, 2.2]]) click(x, y);
  assert.deepEqual([drawn(), tools.polygon.corners, edits], [0, [], 0]);
  assert.match(tools.roster.words, /^The mask of Truth is locked: press K/);
  tools.roster.toggle();
  drag(tools.brush, [[5, 5]]);
  assert.ok(drawn() > 0);
  assert.equal(tools.roster.words, "");
});

test("nothing is undone while a stroke is open, or where nothing is drawn", () => {
  drag(tools.brush, [[5, 5]]);
  tools.brush.down(press(9, 9));
  tools.editing.undo();
  assert.deepEqual([names(), tools.editing.canUndo], [["You"], false]);
  tools.brush.up(press(9, 9));
  stage.draws = false;
  tools.editing.undo();
  assert.deepEqual([names(), tools.editing.canUndo], [["You"], false]);
});

test("another case cancels what is begun", () => {
  tools.polygon.down(press(2, 2));
  tools.polygon.down(press(9, 2));
  stage.tell("change", "case");
  assert.deepEqual([tools.polygon.corners, stage.draft], [[], null]);
});

test("an edited mask is no longer of the kind box or normal that it was loaded as", () => {
  stage.add({ reader: "A" });
  stage.layers[0].kind = "normal";
  stage.change({ active: 0 });
  drag(tools.brush, [[5, 5]]);
  assert.deepEqual([stage.layers[0].kind, stage.layers[0].drawn], ["pixel", true]);
  tools.editing.undo();
  assert.equal(stage.layers[0].kind, "normal");
});

test("a ruler stays where it was dragged, and a click removes it", () => {
  drag(tools.ruler, [[1, 1], [4, 5]]);
  assert.deepEqual(stage.ruler, [[1, 1], [4, 5]]);
  drag(tools.ruler, [[7, 7]]);
  assert.equal(stage.ruler, null);
});

test("moving pans, the window follows both directions, and the divider stays on the pane", () => {
  stage.view.zoom(4, [100, 100]);
  const [x, y] = stage.view.centre;
  drag(tools.move, [[5, 5], [6, 5]]);
  assert.ok(stage.view.centre[0] < x && stage.view.centre[1] === y);
  const before = stage.view.centre;
  tools.move.down(press(5, 5));
  tools.move.move(press(5, 9));
  tools.move.cancel(); // the page took the swipe for scrolling
  assert.deepEqual(stage.view.centre, before);
  drag(tools.window, [[0, 0], [-4, 4]]);
  const { centre, width, invert } = stage.display.window;
  assert.ok(centre > 0.5 && width < 1 && !invert);
  drag(tools.divider, [[10, 1], [-5, 1]]);
  assert.equal(stage.display.divider, 0);
});
