// The stage on loan: a lesson shows scenes of its own, and the opened case comes back when the loan
// ends.

/** @import { Stage } from "./stage.js" */
/** @import { Display, Unfolded } from "./types.js" */

export class Loan {
  /** @type {Partial<Display> | null} the display as it was, while the stage is lent */
  #before = null;

  /** @param {Pick<Stage, "scene" | "display" | "enter" | "swap" | "change">} stage */
  constructor(stage) {
    this.stage = stage;
  }

  /** Whether a borrower has the stage; scenes that the server sends meanwhile wait. */
  get active() {
    return this.#before !== null;
  }

  /**
   * Show an unfolded scene in place of the opened case.
   * @param {Unfolded} ready @param {{keep?: boolean}} options keep: zoom, window and threshold stay, as for a series
   */
  take(ready, { keep = false } = {}) {
    const { masks, outline, opacity } = this.stage.display;
    this.#before ??= { masks, outline, opacity };
    if (keep && this.stage.scene) this.stage.swap(ready);
    else this.stage.enter(ready);
  }

  /** Restore the display; the lender then shows the opened case again. */
  end() {
    if (this.#before) this.stage.change(this.#before);
    this.#before = null;
  }
}
