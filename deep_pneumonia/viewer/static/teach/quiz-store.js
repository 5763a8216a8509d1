// What a learner answered, kept in this browser alone: one list of results for each list of cases.

const KEY = "deep-pneumonia/quiz";
const DRAWINGS = "deep-pneumonia/drawings/"; // where ../store.js keeps what is drawn before it is revealed

/** {seed, lists: {name: {id: result}}}; a new one where nothing, or nothing readable, is kept. */
export function load() {
  let found = null;
  try {
    found = JSON.parse(localStorage.getItem(KEY) ?? "null");
  } catch {
    // as if nothing were kept
  }
  const isOurs = found && Number.isInteger(found.seed) && found.lists && typeof found.lists === "object";
  return isOurs ? found : { seed: Math.floor(Math.random() * 1e9), lists: {} };
}

/** Returns false where the browser refuses or has no room. */
export function save(kept) {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
    return true;
  } catch {
    return false;
  }
}

/** Forget what was drawn in the quiz: on the scene of this key, or on all. */
export function forget(key = "quiz/") {
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith(DRAWINGS + key)) localStorage.removeItem(name);
  } catch {
    // nothing was kept
  }
}
