/** Shapes that the modules of the lesson and the quiz share. This file holds types only. */

/** @import { Comparison, Display, Drawing, Layout, Scene, Unfolded } from "../types.js" */
/** @import { Stage } from "../stage.js" */

/** @typedef {"hit" | "iou" | "dice" | "share_inside" | "average_precision"} ScoreKey */
/** @typedef {Record<ScoreKey, number | null>} ScoreValues */
/**
 * Means over n masks.
 * @typedef {ScoreValues & {n: number, controls: {random: ScoreValues, centre: ScoreValues}}} MeanScores
 */

/**
 * What counts for the score of one side, the learner or the model.
 * @typedef {object} Side
 * @property {boolean} ill whether a doctor drew a lesion, or the label is not the normal class
 * @property {string} answer
 * @property {number} confidence in [0, 1]
 * @property {boolean} right
 * @property {number | null} iou mean over the doctors; null without a lesion
 * @property {boolean} marked whether a lesion was drawn, or an attention map shown
 */
/** @typedef {Side & {model: Omit<Side, "ill">}} Result */
/** @typedef {Side & {model: Side}} Answered */

/** @typedef {{id: string, difficulty: string}} QuizCase */
/** @typedef {{key: string, name: string, answers: string[], cases: QuizCase[]}} Deck */
/** @typedef {QuizCase & {answers: string[]}} AskedCase */
/** @typedef {{id: string, title: string, about: string, picture: string | null}} OfferedCase */
/** @typedef {{seed: number, lists: Record<string, Record<string, Result>>}} Kept results by list and case */

/**
 * The server's answer to "reveal", as deep_pneumonia/viewer/teach/quiz_answer.py describes it.
 * @typedef {Result & {
 *   id: string, truth: string, readers: string[],
 *   doctors: ({reader: string} & ScoreValues)[], among: ScoreValues | null,
 *   attention: {doctors: MeanScores | null, learner: MeanScores | null},
 *   title: string, findings: string, teaching_point: string
 * }} Revealed
 */

/**
 * What the quiz asks of the server.
 * @typedef {object} QuizRequest
 * @property {string} id of the case
 * @property {number} number @property {number} total "Case 1 of 3"
 * @property {string} [answer] @property {number} [confidence]
 * @property {Drawing[]} [drawings]
 */
/**
 * What the server answers to an event of the quiz.
 * @typedef {{event: "begin", decks: Deck[], problem?: string | null}
 *   | {event: "choose", cases: OfferedCase[], problem?: undefined} | {event: "ask", id: string, problem?: undefined}
 *   | ({event: "reveal", problem?: undefined} & Revealed)
 *   | {event: "choose" | "ask" | "reveal", problem: string}} QuizAnswer
 */

/** @typedef {(place: number, options?: {keep?: boolean}) => void} ShowScene shows a scene of the step by its place */
/** @typedef {{scene: ShowScene, stage: Stage}} WidgetTools */

/** @typedef {{name: string, html: string, comparison?: Comparison}} Choice html: made and escaped by the server */
/** @typedef {{kind: "choices", choices: Choice[], keep?: boolean}} ChoicesData keep: zoom and window stay */
/** @typedef {Choice & {probabilities: Record<string, number>}} CalibrationChoice */
/** @typedef {{kind: "calibration", choices: CalibrationChoice[], temperature: number}} CalibrationData */
/**
 * @typedef {object} BalanceData
 * @property {"balance"} kind
 * @property {Record<string, number>} counts images of each class
 * @property {string} rare the class whose count may be changed
 * @property {number[]} betas @property {number} beta as in training
 */
/** @typedef {{finding: number, evidence: number, shown: boolean, area: number, contrast: number}} SeverityFrame */
/** @typedef {{kind: "severity", series: SeverityFrame[], said: string, limit: number}} SeverityData healthy first */
/** @typedef {ChoicesData | CalibrationData | BalanceData | SeverityData} WidgetData */

/**
 * A step of the lesson, as deep_pneumonia/viewer/teach/lesson_steps.py describes it.
 * @typedef {object} LessonPage
 * @property {number} step
 * @property {string} html made and escaped by the server
 * @property {Scene[]} scenes
 * @property {Partial<Omit<Display, "layout">> & {layout: Layout | "preferred"}} display
 * @property {WidgetData} widget
 */
/** @typedef {LessonPage & {ready: Unfolded[]}} ReadyPage */

export {};
