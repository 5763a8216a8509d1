// The part of the address after "#" says which screen is open, and what it shows: #inspect,
// #lesson=3, #quiz?cases=1,2.

export const SCREENS = ["inspect", "annotate", "compare", "review", "case", "lesson", "quiz", "about"];

/**
 * @param {string} hash of the address, such as "#lesson=3"
 * @returns {{screen: string, argument: string}} argument: what follows the first "=" or "?", or ""
 */
export function routeOf(hash) {
  const [, name = "", argument = ""] = /^#?([^=?]*)[=?]?([^]*)$/.exec(hash) ?? [];
  return SCREENS.includes(name) ? { screen: name, argument } : { screen: "inspect", argument: "" };
}
