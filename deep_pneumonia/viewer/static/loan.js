// The stage on loan: a lesson or a quiz shows scenes of its own, and the opened case comes back when it ends.

/** What a borrower may change of the display and nobody resets on the way out. */
const DISPLAYED = ["masks", "outline", "opacity"];

export class Loan {
  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.before = null; // the display as it was, while the stage is lent
  }

  /** Whether a borrower has the stage; what the server opens meanwhile waits. */
  get active() {
    return this.before !== null;
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

  /** The display is as it was; whoever lent the stage shows the opened case again. */
  end() {
    if (this.active) this.stage.change(this.before);
    this.before = null;
  }
}
