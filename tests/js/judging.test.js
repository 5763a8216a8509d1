import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { draftKey, draftOf, keepDraft } from "../../deep_pneumonia/viewer/static/review/drafts.js";
import { Judging, opening } from "../../deep_pneumonia/viewer/static/review/judging.js";
import { left, rateOf } from "../../deep_pneumonia/viewer/static/review/progress.js";
import { placed, valueInWords } from "../../deep_pneumonia/viewer/static/review/statistics.js";
import { Memory } from "./memory.js";
import { row } from "./work_list.js";

/** A server that saves verdicts as deep_pneumonia/worklist/workspace.py does: a change of an old version is refused. */
class Server {
  newest = new Map();
  sent = [];
  away = false;

  judge = async ({ id, reviewer, verdict, comment, version }) => {
    this.sent.push([verdict, comment, version]);
    await new Promise((done) => setTimeout(done, 1));
    if (this.away) throw new Error("no connection");
    const now = this.newest.get(`${id} ${reviewer}`);
    const answer = (kept, more = {}) => ({ row: { ...row(id, {}), verdicts: { [reviewer]: kept } }, ...more });
    if (now && now.verdict === verdict && now.comment === comment) return answer(now);
    if (version !== (now?.version ?? 0)) return answer(now, { conflict: "It was changed at 10:00 in another window." });
    const kept = { verdict, comment, version: version + 1, time: "2026-11-25T10:00:00Z" };
    this.newest.set(`${id} ${reviewer}`, kept);
    return answer(kept);
  };
}

let server, judging;
const key = (id, reviewer = "Ana") => draftKey("place", row(id, {}), reviewer);

beforeEach(() => {
  globalThis.localStorage = new Memory();
  server = new Server();
  judging = new Judging(server.judge, () => "place");
});

test("a verdict is stored in the browser until the server has saved it", async () => {
  const kept = judging.judge(row(1, {}), "Ana", "agree", "apex");
  assert.deepEqual(draftOf(key(1)), { verdict: "agree", comment: "apex" });
  const { row: answer, problem } = await kept;
  assert.deepEqual([answer.verdicts.Ana.version, problem, draftOf(key(1))], [1, "", null]);
});

test("a second verdict before the answer to the first is not a conflict", async () => {
  const one = row(1, {}); // the page has not heard of the first one when the second is given
  const answers = await Promise.all([judging.judge(one, "Ana", "agree", ""), judging.judge(one, "Ana", "partly", "apex")]);
  assert.deepEqual(answers.map(({ problem }) => problem), ["", ""]);
  assert.deepEqual(server.sent, [["agree", "", 0], ["partly", "apex", 1]]);
  assert.equal(server.newest.get("1 Ana").verdict, "partly");
  assert.equal(draftOf(key(1)), null);
});

test("nothing is lost without an answer, and trying again saves it", async () => {
  server.away = true;
  const { problem } = await judging.judge(row(1, {}), "Ana", "unsure", "apex");
  assert.match(problem, /does not answer/);
  assert.deepEqual(draftOf(key(1)), { verdict: "unsure", comment: "apex" });
  server.away = false;
  assert.equal((await judging.judge(row(1, {}), "Ana", "unsure", "apex")).problem, "");
  assert.equal(draftOf(key(1)), null);
});

test("a verdict that another window changed is reported, stays a draft, and is saved when given again", async () => {
  await new Judging(server.judge, () => "place").judge(row(1, {}), "Ana", "agree", "");
  const told = await judging.judge(row(1, {}), "Ana", "disagree", "no");
  assert.match(told.problem, /another window/);
  assert.equal(server.newest.get("1 Ana").verdict, "agree");
  assert.deepEqual(draftOf(key(1)), { verdict: "disagree", comment: "no" });
  assert.equal((await judging.judge(told.row, "Ana", "disagree", "no")).problem, "");
  assert.equal(server.newest.get("1 Ana").version, 2);
});

test("a draft stays if the server refuses or answers nothing", async () => {
  for (const answer of [{ problem: "The comment is too long." }, {}, undefined, { row: row(1, {}) }]) {
    const { problem } = await new Judging(async () => answer, () => "place").judge(row(1, {}), "Ana", "agree", "a");
    assert.ok(problem);
    assert.deepEqual(draftOf(key(1)), { verdict: "agree", comment: "a" });
  }
});

test("text typed while a verdict is on its way stays a draft", async () => {
  const kept = judging.judge(row(1, {}), "Ana", "agree", "apex");
  keepDraft(key(1), { comment: "apex and base" });
  await kept;
  assert.deepEqual(draftOf(key(1)), { comment: "apex and base" });
});

test("a comment typed before there was a name goes to the reviewer named, and replaces none of theirs", () => {
  keepDraft(key(1, ""), { comment: "early" });
  judging.adopt(row(1, {}), "Ana");
  assert.deepEqual([draftOf(key(1)), draftOf(key(1, ""))], [{ comment: "early" }, null]);
  keepDraft(key(1, ""), { comment: "later" });
  judging.adopt(row(1, {}), "Ana");
  assert.deepEqual([draftOf(key(1)), draftOf(key(1, ""))], [{ comment: "early" }, null]);
});

test("unreadable text is no draft, nor is there one where the browser stores nothing", async () => {
  for (const text of ["{nonsense", "null", "7", '{"comment": 3}']) {
    localStorage.setItem(`deep-pneumonia/verdict/${key(1)}`, text);
    assert.equal(draftOf(key(1)), null);
  }
  delete globalThis.localStorage;
  assert.equal(keepDraft(key(1), { comment: "a" }), false);
  assert.equal((await judging.judge(row(1, {}), "Ana", "agree", "a")).problem, "");
});

test("drafts of two workspaces, cases or reviewers are separate", () => {
  const names = [["a", 1, "b"], ["a", 2, "b"], ["a", 1, "c"], ["b", 1, "b"], ["a/b", 1, ""], ["a", 1, "/b"]];
  const keys = names.map(([place, id, reviewer]) => draftKey(place, row(id, {}), reviewer));
  assert.equal(new Set(keys).size, keys.length);
});

test("a case opens with what was not saved, and offers to try again if there is a verdict", () => {
  const own = { verdict: "agree", comment: "", time: "2026-11-25T10:00:00Z" };
  assert.deepEqual(opening(null, null), { words: "", again: false });
  assert.match(opening(null, own).words, /^Saved, .*2026/);
  assert.equal(opening({ verdict: "agree", comment: "" }, null).again, true);
  assert.equal(opening({ comment: "a" }, own).again, true);
  assert.deepEqual(opening({ comment: "a" }, null), { words: "The comment is not saved yet: choose a verdict.", again: false });
});

test("the time left follows the latest rate", () => {
  assert.equal(left(120, 2000, null), "Predicted 120 of 2,000 cases");
  assert.equal(left(120, 2000, 10), "Predicted 120 of 2,000 cases, about 3 min left");
  assert.equal(left(1990, 2000, 10), "Predicted 1,990 of 2,000 cases, about 1 s left");
  assert.equal(left(0, 10_000, 1), "Predicted 0 of 10,000 cases, about 2.8 h left");
  assert.equal(left(10, 10, 5), "Predicted 10 of 10 cases");
  assert.equal(rateOf([[0, 5], [500, 6], [2000, 15]]), 5);
  assert.deepEqual([rateOf([]), rateOf([[0, 3]]), rateOf([[0, 3], [900, 3]])], [null, null, null]);
});

test("a point says its value, its interval and its number of cases", () => {
  assert.equal(valueInWords({ n: 1200, value: 0.5, low: 0.25, high: 0.8 }), "0.50 (0.25 to 0.80), 1,200 cases");
  assert.equal(valueInWords({ n: 1, value: 1, low: null, high: null }), "1.00, 1 case");
  assert.equal(valueInWords({ n: 0, value: null, low: null, high: null }), "no value, 0 cases");
  assert.deepEqual(placed({ value: 0, low: -0.5, high: null }, [-1, 1]), { value: 0.5, low: 0.25, high: 0.5 });
  assert.deepEqual(placed({ value: 0.5, low: null, high: null }, [0, 1]), { value: 0.5, low: 0.5, high: 0.5 });
  assert.equal(placed({ value: null, low: null, high: null }, [0, 1]), null);
});
