// All tools, by their names.

import { Brush } from "./strokes.js";
import { Box, Polygon } from "./shapes.js";
import { dividerTool, moveTool, rulerTool, windowTool } from "./hand.js";

/** @import { Editing } from "./editing.js" */
/** @import { Stage } from "../stage.js" */

export class Tools {
  /** @param {Stage} stage @param {Editing} editing */
  constructor(stage, editing) {
    this.stage = stage;
    this.move = moveTool(stage);
    this.window = windowTool(stage);
    this.ruler = rulerTool(stage);
    this.divider = dividerTool(stage);
    this.brush = new Brush(editing);
    this.eraser = new Brush(editing, true);
    this.box = new Box(editing);
    this.polygon = new Polygon(editing);
    stage.on("change", (what) => what !== "names" && this.cancelDrawing());
  }

  /** Give up what is begun on a mask. */
  cancelDrawing() {
    for (const tool of [this.brush, this.eraser, this.box, this.polygon]) tool.cancel();
    this.stage.request();
  }
}
