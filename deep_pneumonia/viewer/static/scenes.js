// Which scene is on the stage: a scene with a `screen` is shown on that screen alone, the opened case on all others.

const ALONE = new Set(["quiz"]); // shows nothing rather than the opened case

export class Scenes {
  constructor() {
    this.newest = new Map();
  }

  /** The server sent a scene, or null: no case is open. */
  add(scene) {
    this.newest.set(scene?.screen ?? "", scene);
  }

  /** What a screen shows, or null. */
  of(screen) {
    return this.newest.get(screen) ?? (ALONE.has(screen) ? null : this.newest.get("")) ?? null;
  }
}
