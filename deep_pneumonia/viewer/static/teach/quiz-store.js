// A learner's answers, stored in this browser only: one list of results for each list of cases.

import { DRAWINGS, QUIZ, readJson, removeAll, writeJson } from "../storage.js";

/** @import { Kept } from "./types.js" */

/** What is stored, or an empty store with a new seed. @returns {Kept} */
export function load() {
  const found = readJson(QUIZ);
  const isOurs = found && Number.isInteger(found.seed) && found.lists && typeof found.lists === "object";
  return isOurs ? found : { seed: Math.floor(Math.random() * 1e9), lists: {} };
}

/** @param {Kept} kept @returns {boolean} false where the browser refuses or has no room */
export function save(kept) {
  return writeJson(QUIZ, kept);
}

/** Remove what was drawn in the quiz, on the scene of this key or on all. @param {string} key */
export function forget(key = "quiz/") {
  removeAll(DRAWINGS + key);
}
