import assert from "node:assert/strict";
import { test } from "node:test";
import { linkTo, listed, parsed, shuffled } from "../../deep_pneumonia/viewer/static/teach/quiz-link.js";
import { brier, calibration, confidences, ofModel, score, sureness, wilson } from "../../deep_pneumonia/viewer/static/teach/quiz-score.js";
import { forget, load, save } from "../../deep_pneumonia/viewer/static/teach/quiz-store.js";
import { QuizList } from "../../deep_pneumonia/viewer/static/teach/quiz-list.js";
import { Memory } from "./memory.js";

const close = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);
const one = (confidence, right, rest = {}) => ({ confidence, right, ill: true, iou: null, marked: true, ...rest });

test("confidence goes from a guess to certain", () => {
  assert.deepEqual(confidences(2), [0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  assert.deepEqual(confidences(4), [0.25, 0.4, 0.55, 0.7, 0.85, 1]);
});

test("the Brier score is the mean squared error of the confidence", () => {
  close(brier([one(0.9, true), one(0.6, false), one(0.5, true)]), (0.01 + 0.36 + 0.25) / 3);
  close(brier([one(0.5, true), one(0.5, false)]), 0.25);
  assert.equal(brier([one(1, true)]), 0);
  assert.equal(brier([one(1, false)]), 1);
  assert.equal(brier([]), null);
});

test("answers stand in the tenth of their confidence, and the last tenth holds certainty too", () => {
  const bins = calibration([one(0.7, true), one(0.75, false), one(0.8, true), one(0.9, true), one(1, false), one(1, true)]);
  assert.deepEqual(bins.map((bin) => bin.n), [2, 1, 3]);
  [0.725, 0.8, (0.9 + 1 + 1) / 3].forEach((confidence, i) => close(bins[i].confidence, confidence));
  [0.5, 1, 2 / 3].forEach((right, i) => close(bins[i].right, right));
  assert.deepEqual(calibration([]), []);
  for (let k = 0; k < 100; k++) assert.equal(calibration([one(k / 100, true), one(Math.floor(k / 10) / 10, true)]).length, 1);
});

test("the interval of a share is Wilson's", () => {
  // p = 0.5, n = 4: middle 0.5, half 1.96 / (1 + 0.9604) * sqrt(0.0625 + 0.060025) = 0.35
  const [low, high] = wilson(2, 4);
  close(low, 0.5 - (1.96 / 1.9604) * Math.sqrt(0.0625 + 0.060025));
  close(high, 1 - low);
  assert.equal(wilson(0, 3)[0], 0);
  assert.equal(wilson(3, 3)[1], 1);
  assert.ok(wilson(3, 3)[0] < 0.5); // three of three is no proof
});

test("the score counts ill and normal cases apart, and an undrawn lesion as no overlap", () => {
  const model = { confidence: 0.6, right: true, iou: 0.3, marked: true };
  const results = [
    one(0.9, true, { iou: 0.5, model }), one(0.7, false, { iou: 0, marked: false, model }), one(1, true, { iou: null, model }),
    one(0.5, true, { ill: false, marked: false, model }), one(0.8, false, { ill: false, marked: true, model }),
  ];
  const found = score(results);
  assert.deepEqual([found.n, found.right, found.ious, found.normal, found.unmarked], [5, 3, 2, 2, 1]);
  close(found.iou, 0.25);
  close(found.confidence, 0.78);
  assert.deepEqual(score(ofModel(results)).unmarked, 0);
  close(score(ofModel(results)).brier, 0.16);
  assert.equal(score([]).iou, null);
});

test("a sentence says whether the learner was too sure", () => {
  assert.equal(sureness(score([])), "");
  assert.match(sureness(score([one(0.9, true), one(0.9, false)])), /90% sure, and 50% .* surer than right, as far as/);
  assert.match(sureness(score([one(0.5, true)])), /more right than sure/);
  assert.match(sureness(score(Array.from({ length: 10 }, () => one(1, true)))), /100% sure, and 100% .*: as sure as right\.$/);
});

test("a link names cases and an order, and nothing else is taken from it", () => {
  const link = linkTo("http://127.0.0.1:7860/?__theme=dark#quiz", ["ab12", "cd34"], 7);
  assert.equal(link, "http://127.0.0.1:7860/?__theme=dark#quiz?cases=ab12,cd34&seed=7");
  assert.deepEqual(parsed(link.split("#quiz?")[1]), { ids: ["ab12", "cd34"], seed: 7 });
  assert.deepEqual(parsed("cases=a,,a, b&seed=x"), { ids: ["a", "b"], seed: null });
  assert.deepEqual(parsed(""), { ids: null, seed: null });
});

test("unknown cases are named and left out", () => {
  const decks = [
    { answers: ["Normal", "Ill"], cases: [{ id: "a", difficulty: "easy" }] },
    { answers: ["A", "B", "C"], cases: [{ id: "b", difficulty: "" }] },
  ];
  const { cases, unknown } = listed(decks, ["b", "<i>", "a"]);
  assert.deepEqual(cases.map(({ id, answers }) => [id, answers.length]), [["b", 3], ["a", 2]]);
  assert.deepEqual(unknown, ["<i>"]);
});

test("a seed gives one order, the same in every browser", () => {
  const list = Array.from({ length: 13 }, (_, i) => i);
  assert.deepEqual(shuffled(list, 5), shuffled(list, 5));
  assert.notDeepEqual(shuffled(list, 5), shuffled(list, 6));
  assert.deepEqual(shuffled(list, 5).sort((a, b) => a - b), list);
  const first = new Set(Array.from({ length: 300 }, (_, seed) => shuffled(list, seed)[0]));
  assert.equal(first.size, 13); // each case comes first for someone
  assert.deepEqual(shuffled([1, 2, 3, 4, 5], 1), [5, 3, 2, 1, 4]);
});

test("results are stored, unreadable text is none, and drawings of the quiz are removed apart from annotations", () => {
  globalThis.localStorage = new Memory();
  const kept = load();
  assert.equal(load().lists.teaching, undefined);
  kept.lists.teaching = { ab12: one(0.5, true) };
  assert.equal(save(kept), true);
  assert.deepEqual(load(), kept);
  localStorage.setItem("deep-pneumonia/quiz", "{nonsense");
  assert.deepEqual(load().lists, {});
  const drawings = () => Object.keys(localStorage).filter((key) => key.includes("drawings"));
  for (const name of ["quiz/a", "quiz/b", "a"]) localStorage.setItem(`deep-pneumonia/drawings/${name}`, "[]");
  forget("quiz/a");
  assert.equal(drawings().length, 2);
  forget();
  assert.deepEqual(drawings(), ["deep-pneumonia/drawings/a"]);
  globalThis.localStorage = new Memory(3);
  assert.equal(save(kept), false);
});

test("a list asks each case once, keeps one order for every difficulty, and has results of its own", () => {
  globalThis.localStorage = new Memory();
  const cases = Array.from({ length: 8 }, (_, i) => ({ id: `c${i}`, difficulty: i % 2 ? "hard" : "easy" }));
  const decks = [{ key: "teaching", name: "Teaching", answers: ["Normal", "Ill"], cases }];
  const list = new QuizList();
  list.open(decks, { ids: null, seed: 3 });
  const order = list.cases.map(({ id }) => id);
  list.record(order[0], one(0.5, true, { model: {} }));
  assert.deepEqual([list.next, list.done, list.linked], [1, 1, null]);
  list.pick({ difficulty: "hard" });
  assert.deepEqual(list.cases.map(({ id }) => id), order.filter((id) => Number(id[1]) % 2));
  list.open(decks, { ids: ["c1", "zzz"], seed: 3 });
  assert.deepEqual([list.cases.length, list.unknown, list.linked, list.next], [1, ["zzz"], 1, 0]);
  list.record("c1", one(0.5, true, { model: {} }));
  assert.equal(list.next, -1);
  list.open(decks, { ids: null, seed: 3 });
  assert.equal(new QuizList().results[order[0]].confidence, 0.5); // another page of this browser
  list.restart();
  assert.deepEqual(list.results, {});
});
