import assert from "node:assert/strict";
import { test } from "node:test";
import { contentsOf } from "../../deep_pneumonia/viewer/static/contents.js";
import {
  initialDisplay, isComparing, isDrawing, resetDisplay, screenDisplay,
} from "../../deep_pneumonia/viewer/static/display.js";

const WIDE = 1200;
const PHONE = 390;

test("a screen opens with the layout and tool that suit it, and without attention where readers draw", () => {
  const opened = (screen, width) => {
    const { layout, tool, attention } = screenDisplay(screen, width);
    return [layout, tool, attention];
  };
  assert.deepEqual(opened("inspect", WIDE), ["side", "move", true]);
  assert.deepEqual(opened("inspect", PHONE), ["overlay", "move", true]);
  assert.deepEqual(opened("annotate", WIDE), ["overlay", "move", false]);
  assert.deepEqual(opened("quiz", WIDE), ["overlay", "brush", true]);
});

test("a reset keeps the screen, the tool, the brush and the reader who draws", () => {
  const changed = {
    ...initialDisplay(), screen: "annotate", tool: "box", brush: 7, active: 2, opacity: 0.2, divider: 0.9, masks: false,
    layout: "slider", threshold: 3, window: { centre: 0.1, width: 0.2, invert: true },
  };
  const { screen, tool, brush, active, ...rest } = resetDisplay(changed, { threshold: 0.37 }, WIDE);
  assert.deepEqual([screen, tool, brush, active], ["annotate", "box", 7, 2]);
  assert.deepEqual([rest.layout, rest.attention, rest.threshold], ["overlay", false, 37]);
  assert.deepEqual([rest.masks, rest.opacity, rest.divider], [true, 1, 0.5]);
  assert.deepEqual(rest.window, initialDisplay().window);
});

test("masks are drawn on two screens, unless the scene is locked, and explanations compared on two others", () => {
  const screens = ["inspect", "annotate", "compare", "case", "lesson", "quiz"].map((screen) => ({ screen }));
  const names = (found) => found.map(({ screen }) => screen);
  assert.deepEqual(names(screens.filter((display) => isDrawing(display, null))), ["annotate", "quiz"]);
  assert.deepEqual(names(screens.filter((display) => isDrawing(display, { locked: true }))), []);
  assert.deepEqual(names(screens.filter(isComparing)), ["compare", "lesson"]);
});

/** A stage with a map, two layers of which one is hidden, and a display. */
function stageWith(change, rest = {}) {
  const map = { signed: false, outline: (step) => `line at ${step}` };
  const layers = [{ reader: "A", shown: true }, { reader: "B", shown: false }];
  const display = { ...initialDisplay(), ...change };
  return { display, scene: { name: "x" }, map, layers, draws: false, comparison: null, ...rest };
}

const described = (stage) => contentsOf(stage).map(({ label, sides }) =>
  [label, ...sides.map(({ map, outline, masks }) => [Boolean(map), outline, masks.length])]);

test("each layout shows the radiograph and the attention its own way", () => {
  const marked = [true, "line at 50", 1];
  const plain = [false, null, 0];
  assert.deepEqual(described(stageWith({ layout: "side" })), [["Radiograph", plain], ["Attention", marked]]);
  assert.deepEqual(described(stageWith({ layout: "overlay" })), [["Attention over the radiograph", marked]]);
  assert.deepEqual(described(stageWith({ layout: "slider" })), [["Radiograph | Attention", plain, marked]]);
});

test("a part that is switched off or missing is neither shown nor named", () => {
  const off = described(stageWith({ layout: "overlay", attention: false, masks: false }));
  assert.deepEqual(off, [["Radiograph", [false, null, 0]]]);
  assert.deepEqual(described(stageWith({ layout: "side" }, { map: null }))[1], ["No attention map", [false, null, 1]]);
  assert.deepEqual(described(stageWith({ layout: "overlay", outline: false }))[0][1], [true, null, 1]);
  assert.deepEqual(described(stageWith({ layout: "overlay", threshold: 0 }))[0][1], [true, null, 1]);
  assert.equal(described(stageWith({ layout: "side" }, { draws: true }))[0][1][2], 1); // masks that are drawn on
});

test("two compared maps have outlines at thresholds of their own", () => {
  const map = (name) => ({ signed: false, outline: (step) => `${name} at ${step}` });
  const comparison = {
    sides: [{ name: "One", threshold: 0.3 }, { name: "Two", threshold: 0.6 }], maps: [map("one"), map("two")],
    difference: { signed: true, outline: () => assert.fail("a difference has no threshold") },
  };
  const lines = (layout) => contentsOf(stageWith({ layout }, { comparison }))
    .flatMap(({ sides }) => sides.map(({ outline }) => outline));
  assert.deepEqual(lines("side"), ["one at 30", "two at 60"]);
  assert.deepEqual(lines("slider"), ["one at 30", "two at 60"]);
  assert.deepEqual(lines("overlay"), [null]);
});
