// A link to a list of cases, and the order in which they are asked.

/**
 * What stands behind "#quiz?": {ids, seed}. ids: null where the link names no cases; seed: null where each visitor
 * has an order of their own.
 */
export function parsed(argument) {
  const given = new URLSearchParams(argument);
  const ids = [...new Set((given.get("cases") ?? "").split(",").map((id) => id.trim()).filter(Boolean))];
  const seed = /^\d{1,9}$/.test(given.get("seed") ?? "") ? Number(given.get("seed")) : null;
  return { ids: ids.length ? ids : null, seed };
}

/** The link that opens these cases in the order of a seed, at the page's own address. */
export function linkTo(page, ids, seed) {
  return `${page.split("#")[0]}#quiz?cases=${ids.map(encodeURIComponent).join(",")}&seed=${seed}`;
}

/** The list in the order of a seed: the same for ever, in every browser (Fisher-Yates). */
export function shuffled(list, seed) {
  const [found, next] = [[...list], mulberry32(seed)];
  for (let i = found.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [found[i], found[j]] = [found[j], found[i]];
  }
  return found;
}

// https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32, public domain
function mulberry32(seed) {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The cases of an open deck that a link asks for, and the ids that are not among them. */
export function listed(decks, ids) {
  const all = new Map(decks.flatMap(({ answers, cases }) => cases.map((one) => [one.id, { ...one, answers }])));
  return { cases: ids.filter((id) => all.has(id)).map((id) => all.get(id)), unknown: ids.filter((id) => !all.has(id)) };
}
