// Verdicts on their way to the server: sent one after the other, each with the version that the one
// before it made. This browser stores each of them until the server has saved it.

import { localTime } from "../format.js";
import { draftKey, draftOf, keepDraft } from "./drafts.js";
import { verdictOf } from "./rows.js";

/** @import { CaseRow, Draft, SentVerdict, Verdict, VerdictAnswer, VerdictName } from "./types.js" */

const NO_ANSWER = "the server does not answer. The verdict is stored in this browser; choose it again, or try again.";

export class Judging {
  /** @type {Map<string, number>} the newest version that is known, by the draft's key */
  #versions = new Map();
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();

  /**
   * @param {(verdict: SentVerdict) => Promise<VerdictAnswer | undefined>} send
   * @param {() => string} place names the workspace
   */
  constructor(send, place) {
    this.send = send;
    this.place = place;
  }

  /** @param {CaseRow} row @param {string} reviewer */
  key(row, reviewer) {
    return draftKey(this.place(), row, reviewer);
  }

  /**
   * A comment typed before there was a name goes to the first reviewer named.
   * @param {CaseRow} row @param {string} reviewer
   */
  adopt(row, reviewer) {
    const nameless = this.key(row, "");
    const draft = draftOf(nameless);
    if (!draft || !reviewer) return;
    if (!draftOf(this.key(row, reviewer))) keepDraft(this.key(row, reviewer), draft);
    keepDraft(nameless, null);
  }

  /**
   * Save a verdict on a case.
   * @param {CaseRow} row @param {string} reviewer @param {VerdictName} verdict @param {string} comment
   * @returns {Promise<{row?: CaseRow, problem: string}>} problem: why it was not saved and stays a draft, or ""
   */
  judge(row, reviewer, verdict, comment) {
    const key = this.key(row, reviewer);
    keepDraft(key, { verdict, comment });
    const version = verdictOf(row, reviewer)?.version ?? 0;
    const answer = this.#last.then(() => this.#sent(key, { id: row.id, reviewer, verdict, comment, version }));
    this.#last = answer;
    return answer;
  }

  /** @param {string} key @param {SentVerdict} sent */
  async #sent(key, sent) {
    const version = Math.max(sent.version, this.#versions.get(key) ?? 0);
    const answer = await this.#asked({ ...sent, version });
    const saved = answer.row && verdictOf(answer.row, sent.reviewer);
    if (saved) this.#versions.set(key, saved.version);
    const problem = answer.problem ?? answer.conflict ?? (saved ? "" : NO_ANSWER);
    if (!problem) this.#saved(key, sent);
    return { row: answer.row, problem };
  }

  /**
   * Forget the draft, unless more was typed since.
   * @param {string} key @param {SentVerdict} sent
   */
  #saved(key, { verdict, comment }) {
    const draft = draftOf(key);
    if (draft?.comment.trim() === comment && (draft.verdict ?? verdict) === verdict) keepDraft(key, null);
  }

  /** @param {SentVerdict} verdict @returns {Promise<VerdictAnswer>} */
  async #asked(verdict) {
    try {
      return (await this.send(verdict)) ?? {};
    } catch {
      return { problem: NO_ANSWER };
    }
  }
}

/**
 * What the panel says when a case opens, and whether it offers to try again.
 * @param {Draft | null} draft @param {Pick<Verdict, "time"> | null} own verdict that is saved
 */
export function opening(draft, own) {
  if (draft?.verdict) {
    return { words: "Not saved yet: your last verdict on this case did not reach the server.", again: true };
  }
  if (draft && own) return { words: "The comment is not saved yet.", again: true };
  if (draft) return { words: "The comment is not saved yet: choose a verdict.", again: false };
  return { words: own ? `Saved, ${localTime(own.time)}.` : "", again: false };
}
