// Answers for tests/viewer/test_javascript.py: JSON cases on stdin, their results in the same order on stdout.
// A case is {"call": one of the names below, ...its arguments}; masks are run lengths.

import { readFileSync } from "node:fs";

import { between, compare, overlap, thresholdTable } from "../../deep_pneumonia/viewer/static/agreement.js";
import { enlarge, outlines } from "../../deep_pneumonia/viewer/static/attention.js";
import { fillBox, fillPolygon } from "../../deep_pneumonia/viewer/static/mask.js";
import { decode, encode } from "../../deep_pneumonia/viewer/static/run-lengths.js";
import { shares, weights } from "../../deep_pneumonia/viewer/static/teach/balance.js";
import { tempered } from "../../deep_pneumonia/viewer/static/teach/calibration.js";

function mask({ mask: counts, size: [H, W] }) {
  return decode(counts, H * W);
}

/** The union of shapes, drawn one over the other on an empty picture. */
function union({ shapes, size }, draw) {
  const drawn = new Uint8Array(size[0] * size[1]);
  shapes.forEach((shape) => draw(drawn, size, shape, 1));
  return encode(drawn);
}

const CALLS = {
  enlarge: ({ cells, grid, size }) => [...enlarge(cells, grid, size)],
  compare: (a) => compare(Float32Array.from(a.map), mask(a), a.threshold),
  table: (a) => overlap(thresholdTable(Float32Array.from(a.map), mask(a)), a.k),
  between: (a) => between(mask(a), decode(a.other, a.size[0] * a.size[1])),
  maskOutlines: (a) => outlines(mask(a), a.size, 0.5).map((line) => [...line]),
  mapOutlines: (a) => outlines(Float32Array.from(a.map), a.size, a.level).map((line) => [...line]),
  polygons: (a) => union(a, fillPolygon),
  boxes: (a) => union(a, fillBox),
  weights: ({ counts, beta }) => weights(counts, beta),
  shares: ({ counts, weights: given }) => shares(counts, given),
  tempered: (a) => tempered(a.probabilities, a.fitted, a.temperature),
};

const cases = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(cases.map((one) => CALLS[one.call](one))));
