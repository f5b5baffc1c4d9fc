import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createExpiryNotice } from "./expiry-notice.js";
import { openTemplate } from "./testing/template.js";

/** @type {ReturnType<typeof openTemplate>} */ let page;
/** @type {string[]} */ let announced;
/** @type {import("./expiry-notice.js").ExtensionResult} */ let answer;
let asked = 0;
/** @type {ReturnType<typeof createExpiryNotice>} */ let expiryNotice;

beforeEach(() => {
  page = openTemplate();
  [announced, answer, asked] = [[], "extended", 0];
  expiryNotice = createExpiryNotice(page.document, page.texts, (message) => announced.push(message), async () => {
    asked += 1;
    if (answer === "extended") expiryNotice.hide();
    return answer;
  });
});
afterEach(() => page.close());

/** @param {string} selector */
const element = (selector) => /** @type {HTMLElement} */ (page.document.querySelector(selector));
const inTwoMinutes = "For your security, this page closes in 2 minutes.";
const press = async () => {
  element("#expiring button").click();
  await new Promise((done) => setTimeout(done));
};

test("the notice is announced and does not take the focus", () => {
  element("#card-number").focus();
  expiryNotice.warn(false, true);
  assert(!element("#expiring").hidden);
  assert.deepEqual(announced, [`${inTwoMinutes} ${page.texts.expiring.extend}`]);
  assert.equal(page.document.activeElement, element("#card-number"));
});

test("the last minutes have their own text, and no button", () => {
  expiryNotice.warn(true, false);
  assert.equal(element("#expiring p").textContent, page.texts.expiring.soon);
  assert(element("#expiring button").hidden);
  assert.deepEqual(announced, [page.texts.expiring.soon]);
});

test("the button extends once and keeps the focus", async () => {
  expiryNotice.warn(false, true);
  element("#expiring button").focus();
  element("#expiring button").click();
  await press();
  assert.equal(asked, 1);
  assert(element("#expiring").hidden);
  assert.equal(announced.at(-1), "You have 15 more minutes.");
  assert.equal(page.document.activeElement, element("[data-screen]:not([hidden]) h1"));
});

test("a failure can be retried, a refusal cannot", async () => {
  expiryNotice.warn(false, true);
  answer = "failed";
  await press();
  assert.equal(element("#expiring p").textContent, page.texts.expiring.failed);
  assert.equal(announced.at(-1), page.texts.expiring.failed);
  answer = "exhausted";
  await press();
  assert(element("#expiring button").hidden);
  assert(!element("#expiring").hidden);
});
