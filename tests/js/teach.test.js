import assert from "node:assert/strict";
import { test } from "node:test";
import { amount, position, shares, weights } from "../../deep_pneumonia/viewer/static/teach/balance.js";
import { tempered } from "../../deep_pneumonia/viewer/static/teach/calibration.js";
import { placed } from "../../deep_pneumonia/viewer/static/teach/plot.js";

const near = (found, expected) => found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-9, `${found}`));

test("without beta all classes weigh the same, and near 1 as the inverse of their counts", () => {
  near(weights([10, 200, 3000], 0), [1, 1, 1]);
  const [rare, common] = weights([10, 1000], 0.9999999);
  assert.ok(Math.abs(rare / common - 100) < 0.1);
  near(shares([10, 1000], weights([10, 1000], 0)), [10 / 1010, 1000 / 1010]);
});

test("the rarer a class, the more it weighs, and a class without images weighs nothing", () => {
  let before = 0;
  for (const n of [2000, 500, 100, 20, 10]) {
    const [weight] = weights([n, 2000], 0.999);
    assert.ok(weight > before);
    before = weight;
  }
  assert.equal(weights([0, 5], 0.9)[0], 0);
});

test("the slider of a count reaches both ends and comes back to where it was", () => {
  assert.deepEqual([amount(0, 2030), amount(100, 2030)], [10, 2030]);
  for (const count of [10, 33, 297, 1175, 2030]) {
    assert.ok(Math.abs(amount(position(count, 2030), 2030) / count - 1) < 0.04);
  }
});

test("the fitted temperature changes nothing; a higher one flattens and a lower one sharpens, in the same order", () => {
  const given = [0.6, 0.3, 0.1];
  near(tempered(given, 1.3, 1.3), given);
  assert.ok(tempered(given, 1.3, 3)[0] < 0.6);
  assert.ok(tempered(given, 1.3, 0.3)[0] > 0.9);
  for (const t of [0.1, 1, 5]) {
    const found = tempered(given, 1.3, t);
    assert.ok(found[0] > found[1] && found[1] > found[2]);
    near([found.reduce((a, b) => a + b)], [1]);
  }
  near(tempered([1, 1e-300], 1, 0.1), [1, 0]);
});

test("a curve goes from left to right, 1 above 0", () => {
  const points = placed([0, 0.5, 1]);
  assert.ok(points[0][0] < points[1][0] && points[1][0] < points[2][0]);
  assert.ok(points[0][1] > points[1][1] && points[1][1] > points[2][1]);
  assert.equal(points[1][1], (points[0][1] + points[2][1]) / 2);
});
