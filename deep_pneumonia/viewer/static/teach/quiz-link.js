// A link to a list of cases, and the order in which they are asked.

/** @import { AskedCase, Deck } from "./types.js" */

/**
 * ids: null if the link names no cases; seed: null if each visitor has an own order.
 * @typedef {{ids: string[] | null, seed: number | null}} Link
 */

/** What stands behind "#quiz?" in the address. @param {string} argument @returns {Link} */
export function parsed(argument) {
  const given = new URLSearchParams(argument);
  const ids = [...new Set((given.get("cases") ?? "").split(",").map((id) => id.trim()).filter(Boolean))];
  const seed = given.get("seed") ?? "";
  return { ids: ids.length ? ids : null, seed: /^\d{1,9}$/.test(seed) ? Number(seed) : null };
}

/**
 * The link that opens cases in the order of a seed.
 * @param {string} page its address @param {string[]} ids @param {number} seed
 */
export function linkTo(page, ids, seed) {
  return `${page.split("#")[0]}#quiz?cases=${ids.map(encodeURIComponent).join(",")}&seed=${seed}`;
}

/**
 * A list in the order of a seed, the same in every browser (Fisher-Yates).
 * @template Item
 * @param {Item[]} list @param {number} seed
 */
export function shuffled(list, seed) {
  const found = [...list];
  const next = mulberry32(seed);
  for (let i = found.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    const swapped = found[i];
    found[i] = found[j];
    found[j] = swapped;
  }
  return found;
}

/**
 * Numbers in [0, 1). From https://github.com/bryc/code/blob/master/jshash/PRNGs.md, public domain.
 * @param {number} seed
 */
function mulberry32(seed) {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The cases of the decks that have these ids, in the order of the ids, and the ids that no case
 * has.
 * @param {Deck[]} decks @param {string[]} ids
 */
export function listed(decks, ids) {
  /** @type {Map<string, AskedCase>} */
  const all = new Map(decks.flatMap(({ answers, cases }) => cases.map((one) => [one.id, { ...one, answers }])));
  const cases = ids.map((id) => all.get(id)).filter((one) => one !== undefined);
  return { cases, unknown: ids.filter((id) => !all.has(id)) };
}
