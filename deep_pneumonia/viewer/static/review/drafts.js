// What a browser keeps for a reviewer: a name, a setting, and verdicts or comments that the server has not kept yet.

const DRAFT = "deep-pneumonia/verdict/";

/** A text of this browser's, or "". */
export function stored(name) {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

/** Keep a text, or forget it where it is "". Returns false where the browser refuses or has no room. */
export function store(name, text) {
  try {
    if (text) localStorage.setItem(name, text);
    else localStorage.removeItem(name);
    return true;
  } catch {
    return false;
  }
}

/** Under which name the draft of a reviewer on a case lies; `place`: the workspace, which others cannot guess. */
export function draftKey(place, row, reviewer) {
  return JSON.stringify([place, row.key, reviewer]);
}

/** {verdict?, comment} that was not kept, or null. */
export function draftOf(key) {
  try {
    const { verdict, comment } = JSON.parse(stored(DRAFT + key));
    return typeof comment === "string" ? { ...(verdict && { verdict }), comment } : null;
  } catch {
    return null;
  }
}

/** Keep a draft until the server has acknowledged it; null forgets it. Returns false where the browser refuses. */
export function keepDraft(key, draft) {
  return store(DRAFT + key, draft ? JSON.stringify(draft) : "");
}
