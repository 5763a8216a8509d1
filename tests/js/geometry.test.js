import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_SCALE, View, ruled } from "../../deep_pneumonia/viewer/static/geometry.js";

const close = (a, b) => a.forEach((value, i) => assert.ok(Math.abs(value - b[i]) < 1e-9, `${a} is not ${b}`));

test("the whole image is fitted and centred", () => {
  const view = new View([200, 100], [400, 400]);
  assert.equal(view.scale, 2);
  close(view.toScreen([0, 0]), [100, 0]);
  close(view.toScreen([100, 200]), [300, 400]);
  assert.deepEqual(view.visible(), { top: 0, left: 0, bottom: 200, right: 100 });
});

test("screen to image and back is the same point at any zoom and place", () => {
  const view = new View([1024, 900], [500, 650]);
  view.zoom(3.7, [120, 80]);
  view.pan(-33, 51);
  for (const point of [[0, 0], [649, 3], [320.5, 499]]) close(view.toScreen(view.toImage(point)), point);
});

test("zooming keeps the image point under the pointer", () => {
  const view = new View([1024, 1024], [600, 600]);
  const before = view.toImage([420, 133]);
  view.zoom(2.5, [420, 133]);
  close(view.toImage([420, 133]), before);
  assert.equal(view.whole, false);
});

test("a part of the image stays in sight however far it is dragged", () => {
  const view = new View([100, 100], [100, 100]);
  view.pan(1e6, -1e6);
  close(view.centre, [0, 100]);
  const { top, left, bottom, right } = view.visible();
  assert.ok(top < bottom && left < right);
});

test("zoom has an end on both sides", () => {
  const view = new View([100, 100], [100, 100]);
  view.zoom(1e9, [50, 50]);
  assert.equal(view.scale, MAX_SCALE);
  view.zoom(1e-9, [50, 50]);
  assert.equal(view.scale, 0.5);
});

test("one to one shows an image pixel on a device pixel", () => {
  const view = new View([2000, 2000], [500, 500]);
  view.actual(2);
  assert.equal(view.scale, 0.5);
  view.actual(1);
  assert.equal(view.scale, 1);
});

test("a whole image stays whole when the pane changes, a zoomed one keeps its scale", () => {
  const view = new View([100, 100], [100, 100]);
  view.resize([300, 200]);
  assert.equal(view.scale, 2);
  view.zoom(2, [0, 0]);
  view.resize([50, 50]);
  assert.equal(view.scale, 4);
});

test("a ruler measures in mm with the spacing of rows and columns, else in pixels", () => {
  assert.deepEqual(ruled([0, 0], [30, 40], [0.5, 0.1]), { length: Math.hypot(3, 20), unit: "mm" });
  assert.deepEqual(ruled([10, 10], [13, 14], null), { length: 5, unit: "pixels" });
});
