// Verdicts on their way to the server: one after the other, each with the version that the one before it made, and
// none forgotten by this browser before the server has acknowledged it.

import { draftKey, draftOf, keepDraft } from "./drafts.js";
import { verdictOf } from "./rows.js";

const SILENT = "the server does not answer. The verdict lies in this browser; choose it again, or try again.";

export class Judging {
  /**
   * @param {(verdict: object) => Promise<{row?: object, conflict?: string, problem?: string}>} send
   * @param {() => string} place a name of the workspace
   */
  constructor(send, place) {
    Object.assign(this, { send, place, versions: new Map(), last: Promise.resolve() });
  }

  key(row, reviewer) {
    return draftKey(this.place(), row, reviewer);
  }

  /** A comment that was typed before there was a name belongs to who gave theirs then. */
  adopt(row, reviewer) {
    const nameless = this.key(row, "");
    const draft = draftOf(nameless);
    if (!draft || !reviewer) return;
    if (!draftOf(this.key(row, reviewer))) keepDraft(this.key(row, reviewer), draft);
    keepDraft(nameless, null);
  }

  /**
   * Keep a verdict on a case.
   * @returns {Promise<{row?: object, problem: string}>} problem: why it was not kept, or ""; it then stays as a draft
   */
  judge(row, reviewer, verdict, comment) {
    const [key, draft] = [this.key(row, reviewer), { verdict, comment }];
    keepDraft(key, draft);
    const version = verdictOf(row, reviewer)?.version ?? 0;
    this.last = this.last.then(() => this.#sent(key, { id: row.id, reviewer, ...draft, version }));
    return this.last;
  }

  async #sent(key, { version, ...verdict }) {
    const known = Math.max(version, this.versions.get(key) ?? 0);
    const answer = await this.#asked({ ...verdict, version: known });
    const kept = answer.row && verdictOf(answer.row, verdict.reviewer);
    if (kept) this.versions.set(key, kept.version);
    const problem = answer.problem ?? answer.conflict ?? (kept ? "" : SILENT);
    if (!problem) this.#acknowledged(key, verdict);
    return { row: answer.row, problem };
  }

  /** What was typed since stays a draft. */
  #acknowledged(key, { verdict, comment }) {
    const draft = draftOf(key);
    if (draft?.comment.trim() === comment && (draft.verdict ?? verdict) === verdict) keepDraft(key, null);
  }

  async #asked(verdict) {
    try {
      return (await this.send(verdict)) ?? {};
    } catch {
      return { problem: SILENT };
    }
  }
}

/** What the panel says of a case that it opens. @param {object | null} draft @param {object | null} own verdict that is kept */
export function opening(draft, own) {
  if (draft?.verdict) return { words: "Not kept yet: your last verdict on this case did not reach the server.", again: true };
  if (draft && own) return { words: "The comment is not kept yet.", again: true };
  if (draft) return { words: "The comment is not kept yet: choose a verdict.", again: false };
  return { words: own ? `Kept, ${local(own.time)}.` : "", again: false };
}

/** A time of the server's, as the visitor's clock has it. */
export function local(time) {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
