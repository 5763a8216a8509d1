import assert from "node:assert/strict";
import { test } from "node:test";
import { Loan } from "../../assets/viewer/loan.js";

/** A stage that notes what is shown. */
function stage() {
  const log = [];
  return {
    log, scene: null, state: { masks: true, outline: true, opacity: 1, screen: "lesson" },
    enter(ready) {
      this.scene = ready.scene;
      log.push(`enter ${ready.scene.name}`);
    },
    swap(ready) {
      this.scene = ready.scene;
      log.push(`swap ${ready.scene.name}`);
    },
    change(part) {
      Object.assign(this.state, part);
    },
  };
}

const lent = (on) => new Loan(on, async (scene) => {
  on.scene = scene;
  on.log.push(`open ${scene?.name}`);
});
const ready = (name) => ({ scene: { name } });

test("the opened case comes back, with the display as it was", async () => {
  const on = stage();
  const loan = lent(on);
  await loan.opened({ name: "own" });
  assert.equal(loan.ours, true);
  loan.take(ready("first"));
  assert.deepEqual([loan.active, loan.ours], [true, false]);
  on.change({ masks: false });
  loan.take(ready("second"), { keep: true });
  await loan.end();
  assert.deepEqual(on.log, ["open own", "enter first", "swap second", "open own"]);
  assert.deepEqual([loan.active, loan.ours, on.state.masks], [false, true, true]);
});

test("a case that is opened meanwhile waits, and none stays none", async () => {
  const on = stage();
  const loan = lent(on);
  loan.take(ready("lesson"), { keep: true });
  await loan.opened({ name: "later" });
  assert.deepEqual([on.scene.name, loan.ours], ["lesson", false]);
  await loan.opened(null);
  await loan.end();
  assert.deepEqual([on.scene, loan.ours], [null, false]);
  await loan.end();
  assert.deepEqual(on.log, ["enter lesson", "open undefined"]);
});

test("nothing is shown in place of what never came", async () => {
  const on = stage();
  const loan = lent(on);
  loan.take(ready("lesson"));
  await loan.end();
  assert.deepEqual(on.log, ["enter lesson"]);
});
