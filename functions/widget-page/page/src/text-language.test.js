import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { markFallbacks } from "./text-language.js";
import { openTemplate } from "./testing/template.js";

/** @type {ReturnType<typeof openTemplate>} */ let page;
/** @type {HTMLElement} */ let element;

beforeEach(() => {
  page = openTemplate();
  Object.assign(globalThis, { MutationObserver: Reflect.get(page.window, "MutationObserver") });
  element = page.document.createElement("p");
  page.document.body.append(element);
  const paths = ["expiring.extended", "success.title"];
  markFallbacks(page.document, { texts: page.texts, fallbacks: [{ lang: "en", dir: "ltr", texts: paths }] });
});
afterEach(() => page.close());

/** @param {string} text */
async function show(text) {
  element.textContent = text;
  await new Promise((done) => setTimeout(done));
  return [element.getAttribute("lang"), element.getAttribute("dir")];
}

test("a text of another language is marked, and no other", async () => {
  assert.deepEqual(await show(page.texts.success.title), ["en", "ltr"]);
  assert.deepEqual(await show(page.texts.error.title), [null, null]);
});

test("a plural is found by any of its forms, whatever the number", async () => {
  const { one, other } = page.texts.expiring.extended;
  assert.deepEqual(await show(one), ["en", "ltr"]);
  assert.deepEqual(await show(other.replace("{minutes}", "15")), ["en", "ltr"]);
});

test("a text in an added element is marked", async () => {
  const line = page.document.createElement("span");
  line.textContent = page.texts.success.title;
  element.append(line);
  await new Promise((done) => setTimeout(done));
  assert.equal(line.getAttribute("lang"), "en");
});

test("an element's own language stays", async () => {
  element.setAttribute("lang", "pl");
  assert.deepEqual(await show(page.texts.error.title), ["pl", null]);
});
