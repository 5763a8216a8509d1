// The score of a quiz, from its results; the same figures for the learner and for the model on the same cases.
// A result: {ill, answer, confidence, right, iou, marked, model: {answer, confidence, right, iou, marked}}.

const BINS = 10; // of the confidence, a tenth each
const STEPS = 5; // from a guess to certain
const Z = 1.96; // of a normal distribution, between whose -Z and Z lie 95%

/** The confidences that can be chosen with so many answers: from that of a guess to 1, rounded to whole percent. */
export function confidences(answers) {
  const guess = 1 / answers;
  return Array.from({ length: STEPS + 1 }, (_, k) => Math.round(100 * (guess + ((1 - guess) * k) / STEPS)) / 100);
}

/** Mean squared difference between confidence and what was so (1 right, 0 wrong): 0 is best. Null without results. */
export function brier(results) {
  return mean(results.map(({ confidence, right }) => (confidence - Number(right)) ** 2));
}

/**
 * Share of right answers at each tenth of the confidence that occurs.
 * @returns {{n: number, confidence: number, right: number, low: number, high: number}[]} confidence: mean in the bin;
 * low, high: 95% interval of the share right
 */
export function calibration(results) {
  const bins = Array.from({ length: BINS }, () => []);
  // 0.7 * 10 is 7.000000000000001 and 0.29 * 100 is 28.999...: what was chosen in whole percent is binned in those.
  for (const one of results) bins[Math.min(Math.floor(Math.round(one.confidence * 1000) / 100), BINS - 1)].push(one);
  return bins.filter((bin) => bin.length).map((bin) => {
    const right = bin.filter((one) => one.right).length;
    const [low, high] = wilson(right, bin.length);
    return { n: bin.length, confidence: mean(bin.map((one) => one.confidence)), right: right / bin.length, low, high };
  });
}

/** 95% interval of a share of k among n (Wilson 1927), which is honest about few cases. */
export function wilson(k, n) {
  const [share, z2] = [k / n, Z * Z];
  const middle = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** The figures of one side; counts where a mean would hide how few there were. */
export function score(results) {
  const [ill, normal] = [results.filter((one) => one.ill), results.filter((one) => !one.ill)];
  return {
    n: results.length,
    right: results.filter((one) => one.right).length,
    ious: ill.filter((one) => one.iou !== null).length,
    iou: mean(ill.map((one) => one.iou).filter((iou) => iou !== null)),
    normal: normal.length,
    unmarked: normal.filter((one) => !one.marked).length,
    confidence: mean(results.map((one) => one.confidence)),
    brier: brier(results),
  };
}

/** The model's results on the same cases. */
export function ofModel(results) {
  return results.map(({ ill, model }) => ({ ill, ...model }));
}

/** What the confidence was worth, in a sentence. */
export function sureness({ n, right, confidence }) {
  if (!n) return "";
  const [sure, so] = [Math.round(100 * confidence), Math.round((100 * right) / n)];
  const verdict = Math.abs(sure - so) <= 5 ? "as sure as right" : sure > so ? "surer than right" : "more right than sure";
  return `On average you were ${sure}% sure, and ${so}% of your answers were right: ${verdict}`
    + `${n < 10 ? ", as far as so few cases tell" : ""}.`;
}

function mean(values) {
  return values.length ? values.reduce((a, b) => a + b, 0) / values.length : null;
}
