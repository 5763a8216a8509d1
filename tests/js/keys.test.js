import assert from "node:assert/strict";
import { test } from "node:test";
import { entriesOf, namesOf } from "../../deep_pneumonia/viewer/static/keys.js";

const pressed = (key, more = {}) => namesOf({ key, code: "", ctrlKey: false, metaKey: false, shiftKey: false, ...more });

test("a screen's own keys win, and Shift and a digit do what the digit does elsewhere", () => {
  const general = [["1", "side by side"], ["4", "four"], ["P", "polygon"], ["A", "attention"]];
  const entries = entriesOf(general, [["1", "agree"], ["P", "previous"]]);
  assert.deepEqual(entries, [["1", "agree"], ["P", "previous"], ["Shift+1", "side by side"], ["4", "four"], ["A", "attention"]]);
  assert.deepEqual(entriesOf(general, []), general);
});

test("a digit with Shift goes by its place on the keyboard, every other key by its sign", () => {
  assert.deepEqual(pressed("!", { shiftKey: true, code: "Digit1" }), ["shift+1", "!"]);
  assert.deepEqual(pressed("=", { shiftKey: true, code: "Digit0" }), ["shift+0", "+"]); // a German keyboard
  assert.deepEqual(pressed("1", { shiftKey: true, code: "Digit1" }), ["1"]); // a French one
  assert.deepEqual(pressed("?", { shiftKey: true, code: "Slash" }), ["?"]);
  assert.deepEqual(pressed("Z", { ctrlKey: true, shiftKey: true }), ["ctrl+shift+z"]);
  assert.deepEqual([pressed("ArrowLeft"), pressed("="), pressed("A")], [["arrowleft"], ["+"], ["a"]]);
});
