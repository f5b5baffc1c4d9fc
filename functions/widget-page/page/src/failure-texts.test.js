import assert from "node:assert/strict";
import { test } from "node:test";
import texts from "../../../../shared/enrollment/src/texts/en.json" with { type: "json" };
import { ACTIONS } from "./actions.js";
import { failureTexts } from "./failure-texts.js";

test("each action has words of its own, an enrollment those of source document 001", () => {
  assert.equal(ACTIONS["N"].texts(texts).title, texts.register.tittle);
  assert.equal(ACTIONS["N"].texts(texts).success, texts.success.info);
  for (const action of /** @type {const} */ (["R", "C"])) {
    const [own, enrollment] = [ACTIONS[action].texts(texts), ACTIONS["N"].texts(texts)];
    for (const key of /** @type {const} */ (["title", "lead", "cards", "confirm", "waiting", "success"])) {
      assert(own[key], `${action} ${key}`);
      assert.notEqual(own[key], enrollment[key], `${action} ${key}`);
    }
  }
});

test("every reason that an action can have is told in words that suit it", () => {
  const shared = /** @type {const} */ (["technical", "access_denied", "invalid_parameters", "expired", "refused", "browser", "unsettled", "unreachable", "unavailable", "limit", "suspended", "used"]);
  const reasons = /** @type {const} */ ({
    N: [...shared, "program", "in_another_program", "already_enrolled", "customer_already_enrolled", "card_limit"],
    R: [...shared, "program", "already_enrolled", "no_card", "card_gone"],
    C: [...shared, "no_card", "card_gone", "noted", "declined"],
  });
  for (const action of /** @type {const} */ (["N", "R", "C"])) {
    const told = reasons[action].map((reason) => failureTexts(reason, action, texts));
    assert(told.every(({ title, info }) => title && info));
    assert.equal(new Set(told.map(({ info }) => info)).size, told.length, `${action}: no two reasons alike`);
  }
});

test("nothing about a registration is said of a replacement or a removal", () => {
  for (const action of /** @type {const} */ (["R", "C"])) {
    for (const reason of /** @type {const} */ (["technical", "unsettled", "access_denied", "invalid_parameters", "unavailable", "limit", "suspended", "used"])) {
      assert.doesNotMatch(failureTexts(reason, action, texts).info, /regist/i, `${action} ${reason}`);
    }
  }
});

test("a wish that is noted is no failure", () => {
  assert.equal(failureTexts("noted", "C", texts).title, texts.remove.noted_title);
});

test("nobody is told to read more where there is nothing to read", () => {
  assert.match(failureTexts("program", "N", texts).info, /Read more/);
  assert.doesNotMatch(failureTexts("in_another_program", "N", texts).info, /Read more/);
  assert.equal(failureTexts("in_another_program", "R", texts).info, texts.replace.error.program);
});
