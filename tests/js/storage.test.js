import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as storage from "../../deep_pneumonia/viewer/static/storage.js";
import { Memory } from "./memory.js";

const { read, readJson, readTab, removeAll, write, writeJson, writeTab } = storage;

beforeEach(() => {
  globalThis.localStorage = new Memory();
  globalThis.sessionStorage = new Memory();
});

test("the keys are those under which visitors' browsers hold their work", () => {
  const keys = Object.fromEntries(Object.entries(storage).filter(([, value]) => typeof value === "string"));
  assert.deepEqual(keys, {
    WORK_LIST_TOKEN: "deep-pneumonia/desk", DRAWINGS: "deep-pneumonia/drawings/", LAST_FILES: "deep-pneumonia/last",
    QUIZ: "deep-pneumonia/quiz", REVIEWER: "deep-pneumonia/reviewer", STAY: "deep-pneumonia/stay-after-verdict",
    VERDICT: "deep-pneumonia/verdict/",
  });
});

test("what is written is read again, and null removes it", () => {
  assert.equal(write("a", "text"), true);
  assert.deepEqual([read("a"), readTab("a")], ["text", null]);
  writeTab("a", "tab");
  assert.deepEqual([read("a"), readTab("a")], ["text", "tab"]);
  writeJson("b", { n: 1 });
  assert.deepEqual(readJson("b"), { n: 1 });
  write("a", null);
  writeJson("b", null);
  assert.deepEqual([read("a"), readJson("b")], [null, null]);
});

test("a prefix removes its own keys only", () => {
  for (const key of ["quiz/a", "quiz/b", "a"]) write(key, "1");
  removeAll("quiz/");
  assert.deepEqual(Object.keys(localStorage), ["a"]);
});

test("a browser that refuses storage, or has no room, gives null and false", () => {
  globalThis.localStorage = new Memory(3);
  assert.equal(write("a", "four"), false);
  delete globalThis.localStorage;
  delete globalThis.sessionStorage;
  assert.deepEqual([read("a"), readTab("a"), readJson("a")], [null, null, null]);
  assert.deepEqual([write("a", "1"), writeTab("a", "1"), writeJson("a", 1)], [false, false, false]);
  removeAll("a");
});
