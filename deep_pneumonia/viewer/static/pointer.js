// Mouse, pen and touch on the panes: move, zoom, window, rule, drag the divider, or draw.

const GRIP = 18; // CSS pixels on each side of the divider that take hold of it

export class Pointer {
  /** @param {Stage} stage @param {{down, move, up, cancel}} pencil draws while one of its tools is chosen */
  constructor(stage, pencil) {
    [this.stage, this.pencil] = [stage, pencil];
    this.touches = new Map();
    for (const { canvas } of stage.panes) this.#listen(canvas);
    stage.on("frame", () => this.#style());
  }

  #listen(canvas) {
    canvas.addEventListener("pointerdown", (event) => this.#down(event, canvas));
    canvas.addEventListener("pointermove", (event) => this.#move(event, canvas));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.#up(event, canvas));
    canvas.addEventListener("wheel", (event) => this.#wheel(event, canvas), { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("dblclick", () => this.pencil.close());
  }

  /** Where a finger may scroll the page: over a whole picture that is not drawn on. */
  #style() {
    const { tool, layout } = this.stage.state;
    const scrolls = tool === "move" && this.stage.view.whole && layout !== "slider";
    for (const { canvas } of this.stage.panes) {
      canvas.style.touchAction = scrolls ? "pan-y" : "none";
      canvas.dataset.tool = tool;
    }
  }

  #at(event, canvas) {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #down(event, canvas) {
    if (!this.stage.scene) return;
    const at = this.#at(event, canvas);
    this.touches.set(event.pointerId, at);
    if (event.isTrusted) canvas.setPointerCapture(event.pointerId);
    if (this.touches.size === 2) {
      // The second finger: what the first began was a pinch.
      if (this.doing === "draw") this.pencil.cancel();
      this.doing = "pinch";
      return;
    }
    this.doing = this.#meant(event, at);
    this.last = at;
    const point = this.stage.view.toImage(at);
    if (this.doing === "ruler") this.stage.ruler = [point, point];
    if (this.doing === "draw") this.pencil.down(point, event);
  }

  #meant(event, [x]) {
    const { tool, layout, divider } = this.stage.state;
    const width = this.stage.view.pane[1];
    if (event.button === 2) return "window";
    if (event.button === 1) return "move";
    if (layout === "slider" && Math.abs(x - divider * width) < GRIP) return "divide";
    if (["move", "window", "ruler"].includes(tool)) return tool;
    return this.stage.draws ? "draw" : "move";
  }

  #move(event, canvas) {
    if (!this.stage.scene) return;
    const at = this.#at(event, canvas);
    if (!this.touches.has(event.pointerId)) {
      this.pencil.hover(this.stage.view.toImage(at));
      return;
    }
    if (this.doing === "pinch") this.#pinch(event.pointerId, at);
    else this.#drag(at, event);
    this.touches.set(event.pointerId, at);
    this.last = at;
    this.stage.request();
  }

  #drag(at, event) {
    const { view, state } = this.stage;
    const [dx, dy] = [at[0] - this.last[0], at[1] - this.last[1]];
    if (this.doing === "move") view.pan(dx, dy);
    else if (this.doing === "divide") this.stage.change({ divider: clamp(at[0] / view.pane[1], 0, 1) });
    else if (this.doing === "window") {
      const { centre, width } = state.window;
      const window = { ...state.window, centre: clamp(centre + dy / 400, 0, 1), width: clamp(width + dx / 400, 0.01, 1) };
      this.stage.change({ window });
    } else if (this.doing === "ruler") this.stage.ruler[1] = view.toImage(at);
    else if (this.doing === "draw") {
      // A fast hand moves far between two frames; the browser kept the points on the way.
      const points = event.getCoalescedEvents?.() ?? [];
      for (const between of points.length ? points : [event]) {
        this.pencil.move(view.toImage(this.#at(between, event.target)), event);
      }
    }
  }

  #pinch(id, at) {
    const other = [...this.touches].find(([touch]) => touch !== id)?.[1];
    const before = this.touches.get(id);
    if (!other) return;
    const middle = (point) => [(point[0] + other[0]) / 2, (point[1] + other[1]) / 2];
    const apart = (point) => Math.max(1, Math.hypot(point[0] - other[0], point[1] - other[1]));
    const [from, to] = [middle(before), middle(at)];
    this.stage.view.pan(to[0] - from[0], to[1] - from[1]);
    this.stage.view.zoom(apart(at) / apart(before), to);
  }

  #up(event, canvas) {
    if (!this.touches.delete(event.pointerId)) return;
    if (this.doing === "draw") {
      if (event.type === "pointercancel") this.pencil.cancel();
      else this.pencil.up(this.stage.view.toImage(this.#at(event, canvas)), event);
    }
    // A finger that stays after a pinch does nothing, and a tap leaves no ruler of no length.
    if (this.doing === "ruler" && same(...this.stage.ruler)) this.stage.ruler = null;
    this.doing = null;
    this.stage.request();
  }

  #wheel(event, canvas) {
    if (!this.stage.scene) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 20 : 1;
    this.stage.view.zoom(Math.exp(-event.deltaY * lines * 0.0015), this.#at(event, canvas));
    this.stage.request();
  }
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

function same([x0, y0], [x1, y1]) {
  return x0 === x1 && y0 === y1;
}
