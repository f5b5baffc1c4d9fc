import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createScreens } from "./screens.js";
import { openTemplate } from "./testing/template.js";

/** @type {ReturnType<typeof openTemplate>} */ let page;
/** @type {import("./screens.js").Screens} */ let screens;
/** @type {string[]} */ let announced;
/** @type {any[]} */ let ways;
const way = { url: "https://bank.example/done" };

beforeEach(() => {
  page = openTemplate();
  announced = [];
  ways = [];
  const wayOn = { show: (/** @type {any[]} */ ...given) => ways.push(given.slice(1)) };
  screens = createScreens(page.document, page.texts, (message) => announced.push(message), wayOn);
});
afterEach(() => page.close());

const seen = () =>
  [...page.document.querySelectorAll("[data-screen]")]
    .filter((screen) => !screen.hasAttribute("hidden"))
    .map((screen) => screen.getAttribute("data-screen"));
/** @param {string} selector */
const element = (selector) => /** @type {HTMLElement} */ (page.document.querySelector(selector));

test("one screen is visible at a time", () => {
  assert.deepEqual(seen(), ["loading"]);
  screens.form();
  assert.deepEqual(seen(), ["form"]);
  screens.waiting("0106");
  assert.deepEqual(seen(), ["waiting"]);
  assert.equal(element("[data-screen=waiting] .last4").textContent, "0106");
});

test("the title names the screen and the client", () => {
  for (const client of page.document.querySelectorAll(".client")) client.remove();
  screens.form();
  const heading = element("[data-screen=form] h1").textContent;
  assert.equal(page.document.title, `${heading} – ${page.texts.register.header}`);
  const name = page.document.createElement("p");
  name.className = "client";
  name.textContent = "Demo Bank";
  element(".identity").prepend(name);
  screens.form();
  assert.equal(page.document.title, `${heading} – Demo Bank`);
});

test("the heading gets the focus once the page is in use", () => {
  screens.form();
  assert.equal(page.document.activeElement, page.document.body);
  element("#card-number").focus();
  screens.waiting();
  assert.equal(page.document.activeElement, element("[data-screen=waiting] h1"));
});

test("the heading is announced only without the focus", () => {
  screens.success("0106", way);
  const { title, info, card } = page.texts.success;
  assert.deepEqual(announced, [`${title} ${info} ${card} 0106`]);
  screens.form();
  element("#card-number").focus();
  screens.success(undefined, way);
  assert.equal(announced[1], info);
});

test("each wait reason is announced once", () => {
  screens.waiting();
  screens.stillWaiting("open");
  screens.stillWaiting("long");
  screens.stillWaiting("long");
  screens.stillWaiting("offline");
  const { title, info, long, offline } = page.texts.waiting;
  assert.deepEqual(announced, [info, long, offline].map((message) => `${title} ${message}`));
});

test("a failure shows its incident id and its options", () => {
  let tries = 0;
  screens.failure("program", { incident: "AB12-CD34-EF56", more: "https://bank.example/terms", retry: () => (tries += 1) });
  const failure = "[data-screen=failure]";
  assert.equal(element(`${failure} .info`).textContent, page.texts.error.info_first_part);
  assert.equal(element(`${failure} .incident bdi`).textContent, "AB12-CD34-EF56");
  assert.equal(element(`${failure} .more a`).getAttribute("href"), "https://bank.example/terms");
  element(`${failure} button`).click();
  assert.equal(tries, 1);

  screens.failure("expired");
  assert.equal(element(`${failure} h1`).textContent, page.texts.expired.title);
  for (const part of [".incident", ".more", ".tries", "button"]) assert(element(`${failure} ${part}`).hidden, part);
});

test("waiting, success and failure use the action's texts", () => {
  const { replace, remove, success } = page.texts;
  for (const [action, words] of /** @type {const} */ ([["R", replace], ["C", remove]])) {
    screens.setAction(action);
    screens.waiting("0123");
    assert.equal(element("[data-screen=waiting] h1").textContent, words.waiting);
    announced.length = 0;
    screens.success("0123", way);
    assert.equal(element("[data-screen=success] .info").textContent, words.success);
    assert.deepEqual(announced, [`${success.title} ${words.success} ${success.card} 0123`]);
    screens.failure("no_card");
    assert.equal(element("[data-screen=failure] .info").textContent, words.error.no_card);
  }
});

test("a delay is not shown as a warning", () => {
  screens.setAction("C");
  screens.failure("noted");
  assert(element("[data-screen=failure]").classList.contains("neutral"));
  screens.failure("declined");
  assert(!element("[data-screen=failure]").classList.contains("neutral"));
});

test("a calm end shows neither a warning nor an incident", () => {
  for (const reason of /** @type {const} */ (["already_enrolled", "no_card", "kept"])) {
    screens.failure(reason, { incident: "AB12-CD34-EF56" });
    assert(element("[data-screen=failure]").classList.contains("calm"), reason);
    assert(element("[data-screen=failure] .incident").hidden, reason);
    assert(!announced.at(-1)?.includes("AB12"), reason);
  }
  screens.failure("technical", { incident: "AB12-CD34-EF56" });
  assert(!element("[data-screen=failure]").classList.contains("calm"));
  assert(!element("[data-screen=failure] .incident").hidden);
});

test("the way on is the main button without a retry", () => {
  screens.success("0106", way);
  screens.failure("technical", { way });
  screens.failure("technical", { way, retry: () => {} });
  screens.failure("kept", { way });
  assert.deepEqual(ways.map(([, place]) => place), [
    { isMain: true },
    { isMain: true, isLast: false },
    { isMain: false, isLast: false },
    { isMain: true, isLast: true },
  ]);
});

test("few tries left are counted", () => {
  const tries = () => element(".tries").textContent;
  screens.failure("technical", { tries: 3, retry: () => {} });
  assert.equal(tries(), "");
  screens.failure("technical", { tries: 2, retry: () => {} });
  assert.equal(tries(), "You can try 2 more times.");
});

test("the last attempt is announced before and after it", () => {
  const { register, error } = page.texts;
  screens.form(2);
  assert(element("#last-try").hidden);
  screens.failure("technical", { tries: 1, retry: () => {} });
  assert.equal(element(".tries").textContent, "You can try one more time.");
  assert(announced.at(-1)?.endsWith("You can try one more time."));
  screens.form(1);
  assert(!element("#last-try").hidden);
  assert(announced.at(-1)?.endsWith(register.last_try));
  screens.failure("technical", { tries: "last_try" });
  assert.equal(element(".tries").textContent, error.last_try);
});
