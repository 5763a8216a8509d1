// Verdicts and comments that the server has not saved yet, stored in this browser.

import { VERDICT, readJson, writeJson } from "../storage.js";

/** @import { CaseRow, Draft } from "./types.js" */

/**
 * The key of a reviewer's draft on a case.
 * @param {string} place names the workspace, in a way that others cannot guess
 * @param {CaseRow} row @param {string} reviewer
 */
export function draftKey(place, row, reviewer) {
  return JSON.stringify([place, row.key, reviewer]);
}

/** @param {string} key @returns {Draft | null} */
export function draftOf(key) {
  const { verdict, comment } = readJson(VERDICT + key) ?? {};
  return typeof comment === "string" ? { ...(verdict && { verdict }), comment } : null;
}

/**
 * Store a draft until the server has saved the verdict; null removes it.
 * @param {string} key @param {Draft | null} draft
 * @returns {boolean} false where the browser refuses
 */
export function keepDraft(key, draft) {
  return writeJson(VERDICT + key, draft);
}
