// The score of a quiz; the same numbers for the learner and for the model on the same cases.

import { sum } from "../format.js";

/** @import { Result, Side } from "./types.js" */

const BINS = 10; // of the confidence, a tenth each
const STEPS = 5; // from a guess to certain
const Z = 1.96; // 95% of a normal distribution lie between -Z and Z

/**
 * The confidences that may be chosen, from a guess among so many answers to 1, in whole percent.
 * @param {number} answers
 */
export function confidences(answers) {
  const guess = 1 / answers;
  return Array.from({ length: STEPS + 1 }, (_, k) => Math.round(100 * (guess + ((1 - guess) * k) / STEPS)) / 100);
}

/**
 * Brier score: the mean squared difference between confidence and outcome (1 right, 0 wrong); 0 is
 * best.
 * @param {Pick<Side, "confidence" | "right">[]} results @returns {number | null} null without results
 */
export function brier(results) {
  return mean(results.map(({ confidence, right }) => (confidence - Number(right)) ** 2));
}

/** @typedef {{n: number, confidence: number, right: number, low: number, high: number}} Bin */

/**
 * Share of right answers in each tenth of the confidence that occurs, with its 95% interval from
 * `low` to `high`.
 * @param {Pick<Side, "confidence" | "right">[]} results
 * @returns {Bin[]} confidence: mean in the bin
 */
export function calibration(results) {
  /** @type {Pick<Side, "confidence" | "right">[][]} */
  const bins = Array.from({ length: BINS }, () => []);
  // 0.7 * 10 is 7.000000000000001 and 0.29 * 100 is 28.999...: confidences are whole percents, and
  // binned as such.
  for (const one of results) bins[Math.min(Math.floor(Math.round(one.confidence * 1000) / 100), BINS - 1)].push(one);
  return bins.filter((bin) => bin.length).map((bin) => {
    const right = bin.filter((one) => one.right).length;
    const [low, high] = wilson(right, bin.length);
    const confidence = sum(bin.map((one) => one.confidence)) / bin.length;
    return { n: bin.length, confidence, right: right / bin.length, low, high };
  });
}

/**
 * 95% interval of a share of k among n (Wilson 1927), which holds for few cases too.
 * @param {number} k @param {number} n
 */
export function wilson(k, n) {
  const share = k / n;
  const z2 = Z * Z;
  const middle = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** The score of one side; counts show how few cases a mean stands for. @param {Side[]} results */
export function score(results) {
  const ill = results.filter((one) => one.ill);
  const normal = results.filter((one) => !one.ill);
  const ious = ill.map((one) => one.iou).filter((iou) => iou !== null);
  return {
    n: results.length,
    right: results.filter((one) => one.right).length,
    ious: ious.length,
    iou: mean(ious),
    normal: normal.length,
    unmarked: normal.filter((one) => !one.marked).length,
    confidence: mean(results.map((one) => one.confidence)),
    brier: brier(results),
  };
}

/** The model's results on the same cases. @param {Result[]} results @returns {Side[]} */
export function ofModel(results) {
  return results.map(({ ill, model }) => ({ ill, ...model }));
}

/**
 * Whether the learner was as sure as right, in a sentence.
 * @param {Pick<ReturnType<typeof score>, "n" | "right" | "confidence">} score
 */
export function sureness({ n, right, confidence }) {
  if (confidence === null) return "";
  const sure = Math.round(100 * confidence);
  const share = Math.round((100 * right) / n);
  const unequal = sure > share ? "surer than right" : "more right than sure";
  const verdict = Math.abs(sure - share) <= 5 ? "as sure as right" : unequal;
  const caution = n < 10 ? ", as far as so few cases tell" : "";
  return `On average you were ${sure}% sure, and ${share}% of your answers were right: ${verdict}${caution}.`;
}

/** @param {number[]} values */
function mean(values) {
  return values.length ? sum(values) / values.length : null;
}
