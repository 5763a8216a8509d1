import assert from "node:assert/strict";
import { test } from "node:test";
import { Scenes } from "../../deep_pneumonia/viewer/static/scenes.js";

test("a scene of a screen is shown there alone, and the opened case comes back on the others", () => {
  const scenes = new Scenes();
  const [opened, asked] = [{ name: "chest.png" }, { name: "Case 1 of 3", screen: "quiz" }];
  assert.equal(scenes.of("inspect"), null);
  scenes.add(opened);
  assert.equal(scenes.of("quiz"), null); // the learner must not draw on the case that Inspect has open
  scenes.add(asked);
  assert.equal(scenes.of("quiz"), asked);
  for (const screen of ["inspect", "annotate", "lesson"]) assert.equal(scenes.of(screen), opened);
  scenes.add(null);
  assert.equal(scenes.of("inspect"), null);
  assert.equal(scenes.of("quiz"), asked);
});
