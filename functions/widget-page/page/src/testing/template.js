// The page's template in a DOM, for tests of modules that use the DOM. Expressions and macros are expanded just far enough;
// rendering is tested in Rust, behavior in `tests/browser`.

import { readFileSync } from "node:fs";
import { Window } from "happy-dom";
import texts from "../../../../../shared/enrollment/src/texts/en.json" with { type: "json" };

const template = readFileSync(new URL("../../../templates/page.html", import.meta.url), "utf8");
const GLOBALS = ["HTMLElement", "HTMLInputElement", "HTMLFormElement", "HTMLButtonElement", "HTMLAnchorElement", "InputEvent", "Event"];

/** @returns {string} the body with macros called and expressions left as text */
function expand() {
  /** @type {Map<string, { names: string[], body: string }>} */
  const macros = new Map();
  const rest = template.replace(/\{%-? macro (\w+)\((.*?)\) -?%\}([^]*?)\{%-? endmacro -?%\}/g, (_, name, names, body) => {
    macros.set(name, { names: names.split(/, */).filter(Boolean), body });
    return "";
  });
  const calls = /\{% call (\w+)\((.*?)\) %\}\{% endcall %\}/g;
  /** @type {(text: string) => string} */
  const call = (text) =>
    text.replace(calls, (_, name, given) => {
      const { names, body } = macros.get(name) ?? { names: [], body: "" };
      const values = given.split(/, */).map((/** @type {string} */ value) => value.replaceAll('"', ""));
      const filled = names.reduce((body, name, index) => body.replaceAll(`{{ ${name} }}`, values[index]), body);
      return call(filled);
    });
  return call(rest.slice(rest.indexOf("<main>"), rest.indexOf("<script type")))
    .replace(/\{%.*?%\}/g, "")
    .replace(/\{\{ texts\.(?:text|plain)\("?([\w.]+)"?\) \}\}/g, (_, path) => textAt(path));
}

/** @param {string} path as `success.title` @returns {string} */
function textAt(path) {
  return path.split(".").reduce((part, key) => part?.[key], /** @type {any} */ (texts));
}

/** @returns {{ document: Document, window: Window, texts: typeof texts, close: () => void }} */
export function openTemplate() {
  const window = new Window();
  window.document.body.innerHTML = expand();
  for (const name of GLOBALS) Object.assign(globalThis, { [name]: Reflect.get(window, name) });
  const document = /** @type {Document} */ (/** @type {unknown} */ (window.document));
  return { document, window, texts, close: () => void window.happyDOM.close() };
}
