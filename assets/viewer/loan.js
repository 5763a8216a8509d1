// The stage on loan: a lesson or a quiz shows scenes of its own, and the opened case comes back when it ends.

/** What a borrower may change of the display and nobody resets on the way out. */
const DISPLAYED = ["masks", "outline", "opacity"];

export class Loan {
  /** @param {Stage} stage @param {(scene: object | null) => Promise<void>} open shows what the server opened */
  constructor(stage, open) {
    [this.stage, this.open] = [stage, open];
    this.own = undefined; // what the server opened last; null for no case
    this.before = null; // the display as it was, while the stage is lent
  }

  /** Whether a borrower has the stage. */
  get active() {
    return this.before !== null;
  }

  /** Whether the case that the server opened last is on the stage: only then do its files belong to what is seen. */
  get ours() {
    return Boolean(this.stage.scene) && this.stage.scene === this.own;
  }

  /** The server opened a case, or none: it is shown, or waits for the end of the loan. */
  async opened(scene) {
    this.own = scene;
    if (!this.active) await this.open(scene);
  }

  /**
   * Show a scene that `Stage.prepare` made ready, in place of the opened case. Of a series, `keep` the zoom, the
   * window and the threshold.
   */
  take(ready, { keep = false } = {}) {
    this.before ??= Object.fromEntries(DISPLAYED.map((name) => [name, this.stage.state[name]]));
    if (keep && this.stage.scene) this.stage.swap(ready);
    else this.stage.enter(ready);
  }

  /** The opened case comes back, as the display was. */
  async end() {
    if (!this.active) return;
    this.stage.change(this.before);
    this.before = null;
    if (this.own !== undefined) await this.open(this.own);
  }
}
