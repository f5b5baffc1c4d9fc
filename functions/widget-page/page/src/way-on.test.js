import assert from "node:assert/strict";
import { test } from "node:test";
import { Window } from "happy-dom";
import texts from "../../../../shared/enrollment/src/texts/en.json" with { type: "json" };
import { createWayOn, withStatus } from "./way-on.js";

/** @param {boolean} isFramed */
function opened(isFramed) {
  const window = /** @type {any} */ (new Window());
  if (isFramed) Object.defineProperty(window, "parent", { value: {} });
  /** @type {any[]} */
  const sent = [];
  const slot = window.document.createElement("div");
  return { slot, sent, wayOn: createWayOn(window, texts, (name, detail) => sent.push([name, detail])) };
}

test("the status is added and nothing else changes", () => {
  const status = "SUCCESS_ENROLLMENT";
  for (const [url, expected] of /** @type {const} */ ([
    ["https://bank.example/done", "https://bank.example/done?status=SUCCESS_ENROLLMENT"],
    ["https://bank.example/d?a=%20b+c&d", "https://bank.example/d?a=%20b+c&d&status=SUCCESS_ENROLLMENT"],
    ["https://bank.example/?#/done?x", "https://bank.example/?status=SUCCESS_ENROLLMENT#/done?x"],
    ["mybank:done", "mybank:done?status=SUCCESS_ENROLLMENT"],
    ["intent://done#Intent;scheme=b;package=c;end", "intent://done?status=SUCCESS_ENROLLMENT#Intent;scheme=b;package=c;end"],
  ])) {
    assert.equal(withStatus(url, status), expected);
  }
  assert.equal(withStatus("https://bank.example/a?b", undefined), "https://bank.example/a?b");
});

test("a full page links to the address", () => {
  const { slot, wayOn } = opened(false);
  wayOn.show(slot, { url: "https://bank.example/done", status: "TOKEN_EXPIRED" }, { isMain: true });
  const link = slot.querySelector("a.primary");
  assert.equal(link.getAttribute("href"), "https://bank.example/done?status=TOKEN_EXPIRED");
  assert.equal(link.textContent, texts.way_on.back);
  wayOn.show(slot, { url: "https://bank.example/", isHome: true });
  assert.equal(slot.querySelector("a.secondary").textContent, texts.way_on.home);
});

test("a frame emits an event and navigates nothing", () => {
  const { slot, sent, wayOn } = opened(true);
  wayOn.show(slot, { url: "https://bank.example/done", status: "SUCCESS_REMOVAL" });
  assert.equal(slot.querySelector("a"), null);
  slot.querySelector("button").click();
  wayOn.go("https://bank.example/done");
  assert.deepEqual(sent, [["return", { status: "SUCCESS_REMOVAL" }], ["return", {}]]);
});

test("an unusable address is not offered", () => {
  const { slot, wayOn } = opened(false);
  for (const url of [undefined, "", "/relative", "javascript:alert(1)", "DATA:text/html,x"]) {
    wayOn.show(slot, { url });
    assert(slot.hidden, String(url));
  }
});

test("the last screen without a way on can be closed", () => {
  const { slot, wayOn } = opened(false);
  wayOn.show(slot, { url: undefined }, { isMain: true });
  assert.equal(slot.textContent, texts.way_on.close);
  assert(!slot.hidden);
});
