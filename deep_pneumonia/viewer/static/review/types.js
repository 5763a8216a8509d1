/** Shapes that the modules of the Review screen share. This file holds types only. */

/** @import { Drawing } from "../types.js" */

/** @typedef {"agree" | "partly" | "disagree" | "unsure"} VerdictName */
/** @typedef {{verdict: VerdictName, comment: string, time: string, version: number}} Verdict saved; time: ISO 8601 */
/**
 * The attention's agreement with one reader.
 * @typedef {object} ReaderAgreement
 * @property {string} reader @property {string} kind of annotation
 * @property {boolean | null} hit @property {number | null} iou @property {number | null} dice
 */

/**
 * A case of the work list, as deep_pneumonia/worklist/rows.py describes it. Rows are replaced,
 * never changed.
 * @typedef {object} CaseRow
 * @property {number} id
 * @property {string} key of the radiograph
 * @property {string} name
 * @property {string} source
 * @property {string} patient
 * @property {string} split
 * @property {string} label
 * @property {string | null} predicted class; null until it is predicted
 * @property {number | null} probability of that class
 * @property {number | null} evidence
 * @property {string[]} warnings
 * @property {string} problem why the radiograph cannot be read, or ""
 * @property {ReaderAgreement[]} agreement one entry a reader
 * @property {number | null} iou mean over readers who drew
 * @property {number | null} hit share of readers who drew whose mask the highest attention hits
 * @property {number | null} disagreement in [0, 1]
 * @property {Record<string, Verdict>} verdicts by reviewer
 * @property {"right" | "wrong" | ""} [right] added by the page, see `rightness` in rows.js
 */

/** @typedef {{verdict?: VerdictName, comment: string}} Draft of a verdict that the server has not saved yet */
/** @typedef {{id: number, reviewer: string, verdict: VerdictName, comment: string, version: number}} SentVerdict */
/** @typedef {{row?: CaseRow, conflict?: string, problem?: string}} VerdictAnswer */

/**
 * A change of a reader's mask.
 * @typedef {(Drawing & {version: number}) | {reader: string, removed: true, version: number}} MaskChange
 */

/**
 * A bar or a point of a plot.
 * @typedef {object} Bar
 * @property {string} name
 * @property {number} n of cases
 * @property {number | null} value
 * @property {number | null} low end of the value's interval
 * @property {number | null} high
 * @property {number[]} ids of the cases
 */
/**
 * A plot, as deep_pneumonia/worklist/statistics.py describes it.
 * @typedef {object} PlotHead
 * @property {string} key @property {string} title @property {string} note
 */
/** @typedef {{rows: string[], columns: string[], cells: {n: number, ids: number[]}[][]}} Grid */
/** @typedef {PlotHead & Grid & {kind: "grid"}} GridPlot */
/** @typedef {PlotHead & {kind: "bars" | "intervals", bars: Bar[], range?: [number, number]}} BarPlot */
/** @typedef {GridPlot | BarPlot} Plot */

/** @typedef {Record<string, any>} Request {what, ...}, as deep_pneumonia/viewer/review/screen.py describes it */
/** @typedef {Record<string, any>} Answer {problem} if the server refuses */
/**
 * @typedef {object} ReviewServer
 * @property {(request: Request) => Promise<Answer>} ask
 * @property {(file: File) => Promise<{path: string}>} upload
 * @property {() => void} open the case that `ReviewPart.opening` names
 * @property {() => void} download the file that `ReviewPart.wanted` names
 * @property {(path: string) => string} file the address of a file on the server
 * @property {(url: string) => string} linked the address with what proves that this page asks for it
 */

/**
 * What the server's scripts and tests ask of the Review screen.
 * @typedef {object} ReviewPart
 * @property {(request: Request) => Promise<Answer>} ask
 * @property {() => CaseRow[]} rows
 * @property {() => {token: string, id: number | undefined}} opening
 * @property {() => Request} wanted
 * @property {(file: {url: string, orig_name?: string} | null, why: string) => void} taken
 * @property {(id: number) => void} refused the case could not be opened
 */

export {};
