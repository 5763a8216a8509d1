import assert from "node:assert/strict";
import { test } from "node:test";
import { SCREENS, routeOf } from "../../deep_pneumonia/viewer/static/route.js";

test("the address is a screen and what it opens", () => {
  assert.deepEqual(routeOf("#lesson"), { screen: "lesson", argument: "" });
  assert.deepEqual(routeOf("#lesson=3"), { screen: "lesson", argument: "3" });
  assert.deepEqual(routeOf("#case=17"), { screen: "case", argument: "17" });
  assert.deepEqual(routeOf("#quiz?cases=1,2&seed=a?b"), { screen: "quiz", argument: "cases=1,2&seed=a?b" });
  for (const screen of SCREENS) assert.equal(routeOf(`#${screen}`).screen, screen);
});

test("an address that names no screen opens the first one", () => {
  for (const hash of ["", "#", "#nothing", "#=3", "#lesson3", "#toString"]) {
    assert.deepEqual(routeOf(hash), { screen: "inspect", argument: "" });
  }
});
