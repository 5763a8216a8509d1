import assert from "node:assert/strict";
import { test } from "node:test";
import { Loan } from "../../deep_pneumonia/viewer/static/loan.js";

/** A stage that notes what is shown. */
function stage() {
  const log = [];
  return {
    log, scene: null, display: { masks: true, outline: true, opacity: 1, screen: "lesson" },
    enter(ready) {
      this.scene = ready.scene;
      log.push(`enter ${ready.scene.name}`);
    },
    swap(ready) {
      this.scene = ready.scene;
      log.push(`swap ${ready.scene.name}`);
    },
    change(part) {
      Object.assign(this.display, part);
    },
  };
}

const ready = (name) => ({ scene: { name } });

test("the display is as it was when the loan ends", () => {
  const on = stage();
  const loan = new Loan(on);
  loan.take(ready("first"));
  assert.equal(loan.active, true);
  on.change({ masks: false });
  loan.take(ready("second"), { keep: true });
  loan.end();
  assert.deepEqual(on.log, ["enter first", "swap second"]);
  assert.deepEqual([loan.active, on.display.masks], [false, true]);
});

test("a loan that was not taken changes nothing when it ends", () => {
  const on = stage();
  const loan = new Loan(on);
  on.change({ masks: false });
  loan.end();
  assert.equal(on.display.masks, false);
  loan.take(ready("lesson"), { keep: true });
  assert.deepEqual(on.log, ["enter lesson"], "there is no zoom to keep before the first scene");
});
