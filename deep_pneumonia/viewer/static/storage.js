// Everything that the page stores in the browser, and under which keys. A browser may refuse
// storage or have no room: reading then gives null, and writing returns false.

/** Keys of localStorage: they last. Those that end in "/" are prefixes. */
export const DRAWINGS = "deep-pneumonia/drawings/"; // + a scene's key: masks drawn on it
export const VERDICT = "deep-pneumonia/verdict/"; // + workspace, case and reviewer: a verdict that is not saved yet
export const REVIEWER = "deep-pneumonia/reviewer"; // the reviewer's name
export const STAY = "deep-pneumonia/stay-after-verdict"; // set: a verdict does not go on to the next case
export const QUIZ = "deep-pneumonia/quiz"; // answers given in the quiz

/**
 * Keys of sessionStorage: they belong to one tab. The server's scripts read both (opening.py,
 * teach/quiz.py).
 */
export const LAST_FILES = "deep-pneumonia/last"; // files that a reload opens again
export const WORK_LIST_TOKEN = "deep-pneumonia/desk"; // token of the tab's workspace

/** @param {string} key @returns {string | null} */
export function read(key) {
  return safely(() => localStorage.getItem(key)) ?? null;
}

/** Store a text; null removes it. @param {string} key @param {string | null} text */
export function write(key, text) {
  return safely(() => put(localStorage, key, text)) ?? false;
}

/** @param {string} key @returns {string | null} */
export function readTab(key) {
  return safely(() => sessionStorage.getItem(key)) ?? null;
}

/** Store a text for this tab; null removes it. @param {string} key @param {string | null} text */
export function writeTab(key, text) {
  return safely(() => put(sessionStorage, key, text)) ?? false;
}

/**
 * What is stored as JSON; null if there is nothing, or nothing readable.
 * @param {string} key @returns {any}
 */
export function readJson(key) {
  return safely(() => JSON.parse(localStorage.getItem(key) ?? "null")) ?? null;
}

/** Store JSON; null removes it. @param {string} key @param {unknown} value */
export function writeJson(key, value) {
  return write(key, value === null ? null : JSON.stringify(value));
}

/** Remove every key of localStorage that begins so. @param {string} prefix */
export function removeAll(prefix) {
  safely(() => {
    for (const key of Object.keys(localStorage)) if (key.startsWith(prefix)) localStorage.removeItem(key);
  });
}

/** @param {Storage} storage @param {string} key @param {string | null} text */
function put(storage, key, text) {
  if (text === null) storage.removeItem(key);
  else storage.setItem(key, text);
  return true;
}

/**
 * @template T @param {() => T} action @returns {T | undefined} undefined where the browser refuses
 */
function safely(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}
