import assert from "node:assert/strict";
import { test } from "node:test";
import { amended } from "../../deep_pneumonia/viewer/static/scene.js";
import { Scenes } from "../../deep_pneumonia/viewer/static/scenes.js";

test("a scene of one screen shows only there, and the opened case shows on the others", () => {
  const scenes = new Scenes();
  const opened = { name: "chest.png", masks: [] };
  const asked = { name: "Case 1 of 3", screen: "quiz", masks: [] };
  assert.equal(scenes.of("inspect"), null);
  scenes.add(opened);
  assert.equal(scenes.of("quiz"), null); // the learner must not draw on the case that Inspect has open
  scenes.add(asked);
  assert.deepEqual(scenes.of("quiz"), asked);
  for (const screen of ["inspect", "annotate", "lesson"]) assert.deepEqual(scenes.of(screen), opened);
  scenes.add(null);
  assert.equal(scenes.of("inspect"), null);
  assert.deepEqual(scenes.of("quiz"), asked);
});

test("a scene is frozen, and a changed one takes its place wherever it shows", () => {
  const scenes = new Scenes();
  const sent = { name: "chest.png", locked: false, masks: [{ reader: "A" }] };
  scenes.add(sent);
  const scene = scenes.of("inspect");
  assert.throws(() => (scene.locked = true), TypeError);
  assert.throws(() => scene.masks.push({}), TypeError);
  assert.throws(() => (scene.masks[0].reader = "B"), TypeError);
  const changed = amended(scene, { locked: true });
  scenes.replace(scene, changed);
  assert.equal(scenes.of("annotate"), changed);
  assert.deepEqual([changed.locked, changed.name, scene.locked], [true, "chest.png", false]);
  scenes.add(sent); // the same answer of the server again: nothing is new
  assert.equal(scenes.of("inspect"), changed);
});
