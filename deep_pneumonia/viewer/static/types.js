/**
 * Shapes that several modules of the viewer share. This file holds types only.
 *
 * Sizes are [H, W] in pixels, points [x, y]; image coordinates put the centre of pixel (row i,
 * column j) at (j + 0.5, i + 0.5). Names with underscores are JSON keys that the server uses as
 * well.
 */

/** @import { MapLayer, MaskLayer } from "./layers.js" */
/** @import { Base } from "./pane.js" */

/** @typedef {[number, number]} Size [H, W]. */
/** @typedef {[number, number]} Point [x, y]. */
/** @typedef {{top: number, left: number, bottom: number, right: number}} Rect Pixels; ends are exclusive. */
/** @typedef {MaskLayer} Layer One reader's mask on the stage. */

/**
 * One of the scores that compare a map with a mask.
 * @typedef {object} Score
 * @property {string} key as in the server's JSON: hit, iou, dice, share_inside, average_precision
 * @property {string} name
 * @property {string} hint what it measures, in a few words
 * @property {number} low
 * @property {number} high
 */

/**
 * What the page shares with the server's pictures and documents.
 * @typedef {object} Look
 * @property {string} palette 256 colours of six hex digits each
 * @property {number} most opacity of the highest attention
 * @property {string[]} colours of readers
 * @property {Score[]} scores
 */

/** @typedef {{centre: number, width: number, invert: boolean}} GreyWindow Shares of the full range of grey values. */
/** @typedef {"side" | "overlay" | "slider"} Layout */
/** @typedef {"move" | "window" | "ruler" | "brush" | "eraser" | "polygon" | "box"} ToolName */

/**
 * What a visitor may change of what is shown.
 * @typedef {object} Display
 * @property {string} screen
 * @property {Layout} layout
 * @property {number} divider place of the slider's divider, in [0, 1]
 * @property {boolean} attention
 * @property {boolean} masks
 * @property {boolean} outline of the attention at the threshold
 * @property {number} opacity of the attention, in [0, 1]
 * @property {number} threshold in steps of 1 / THRESHOLD_STEPS
 * @property {GreyWindow} window
 * @property {ToolName} tool
 * @property {number} brush diameter in image pixels
 * @property {number} active place of the layer that is drawn on; after the last: that of a new reader
 */

/**
 * A mask as it travels: run lengths in row order, beginning with the zeros.
 * @typedef {object} Drawing
 * @property {string} reader
 * @property {string} [kind]
 * @property {number[] | null} [counts] null: empty
 * @property {string | null} [colour]
 * @property {boolean} [drawn] changed in this browser and not saved elsewhere
 * @property {number} [version] of the work list that it was changed from
 * @property {boolean} [locked] cannot be drawn on until it is unlocked
 */

/**
 * A case as the server sends it. Scenes are frozen: a change makes a new scene in place of the old
 * one.
 * @typedef {object} Scene
 * @property {string} key of the radiograph; drawings are stored under it
 * @property {string} name
 * @property {string} stem of the names of files that are saved
 * @property {Size} size
 * @property {[number, number] | null} spacing_mm row and column spacing
 * @property {8 | 16} bits
 * @property {string} pixels see `unpack` in pixels.js
 * @property {number[][] | null} cells the attention on the model's grid; null: not shown
 * @property {number} threshold of the attention, in [0, 1]
 * @property {Drawing[]} masks
 * @property {Drawing} [mark] an empty mask to draw on where there is no other
 * @property {number | null} place among the teaching cases
 * @property {object | null} files that a reload opens again
 * @property {string} [screen] the only screen that shows it
 * @property {string} [case] id of a quiz case
 * @property {boolean} [locked] masks cannot be drawn on
 * @property {{id: number, versions: Record<string, number>}} [work] the case of the work list
 */

/**
 * A scene unfolded for drawing.
 * @typedef {object} Unfolded
 * @property {Scene} scene
 * @property {Size} size
 * @property {Base} base
 * @property {Layer[]} layers
 * @property {MapLayer | null} map
 */

/**
 * @typedef {object} ComparedSide
 * @property {string} key of an explanation, or "doctor:" and a reader
 * @property {string} name
 * @property {number} threshold in [0, 1]
 * @property {number[][] | null} cells the map on the model's grid
 * @property {boolean} shows_map
 */
/** @typedef {{a: ComparedSide, b: ComparedSide}} Comparison The answer of /compare. */

/**
 * Two explanations on the stage.
 * @typedef {object} Compared
 * @property {ComparedSide[]} sides
 * @property {(MapLayer | null)[]} maps
 * @property {MapLayer | null} difference made when it is first shown
 */

/** @typedef {{map: MapLayer | null, outline: Path2D | null, masks: Layer[]}} Content What lies over one radiograph. */
/** @typedef {{label: string, description: string, sides: Content[]}} PaneContent */
/** @typedef {(context: CanvasRenderingContext2D, scale: number) => void} Sketch draws in image coordinates */

/**
 * Where a pointer is: `at` in CSS pixels of the pane, `point` in the image.
 * @typedef {{at: Point, point: Point, event: PointerEvent}} Press
 */
/**
 * What a pointer does on the panes.
 * @typedef {object} Tool
 * @property {(press: Press) => void} down
 * @property {(press: Press) => void} move while pressed
 * @property {(press: Press) => void} up
 * @property {() => void} cancel give up what was begun
 * @property {(point: Point) => void} [hover] while not pressed
 */

/** @typedef {[key: string, words: string, action: () => void]} KeyEntry */

export {};
