// Elements of the page.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Functions become listeners; true is an empty attribute, false and null are none.
 * @typedef {Record<string, any>} Attributes
 */

/**
 * An HTML element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Attributes} attributes @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/**
 * An SVG element.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag @param {Attributes} attributes @param {(Node | string)[]} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * @template {Element} E @param {E} element @param {Attributes} attributes @param {(Node | string)[]} children
 */
function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/**
 * A range input with its name and its value in words.
 * @param {string} name
 * @param {{min: number, max: number, value: number}} range in steps of 1
 * @param {{write: (value: number) => void, text: () => string}} state text: the value in words, after `write`
 * @returns {{element: HTMLLabelElement, input: HTMLInputElement}}
 */
export function labelledSlider(name, range, { write, text }) {
  const output = h("output", {}, text());
  const input = h("input", {
    type: "range", ...range, step: 1, "aria-label": name, "aria-valuetext": text(), input: () => {
      write(Number(input.value));
      output.textContent = text();
      input.setAttribute("aria-valuetext", text());
    },
  });
  return { element: h("label", { class: "teach-slider" }, h("span", {}, name), input, output), input };
}
