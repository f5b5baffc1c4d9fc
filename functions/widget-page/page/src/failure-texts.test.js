import assert from "node:assert/strict";
import { test } from "node:test";
import texts from "../../../../shared/enrollment/src/texts/en.json" with { type: "json" };
import { ACTIONS } from "./actions.js";
import { failureTexts } from "./failure-texts.js";

test("each action has texts of its own", () => {
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

test("each reason of an action has a distinct text", () => {
  const shared = /** @type {const} */ (["technical", "access_denied", "invalid_parameters", "expired", "refused", "browser", "unsettled", "unreachable", "unavailable", "limit", "suspended", "used"]);
  const reasons = /** @type {const} */ ({
    N: [...shared, "program", "in_another_program", "already_enrolled", "customer_already_enrolled", "card_limit"],
    R: [...shared, "program", "already_enrolled", "no_card", "card_gone"],
    C: [...shared, "no_card", "card_gone", "noted", "declined"],
  });
  for (const action of /** @type {const} */ (["N", "R", "C"])) {
    const reported = reasons[action].map((reason) => failureTexts(reason, action, texts));
    assert(reported.every(({ title, info }) => title && info));
    assert.equal(new Set(reported.map(({ info }) => info)).size, reported.length, `${action}: no two reasons alike`);
  }
});

test("replacement and opt-out never mention registration", () => {
  for (const action of /** @type {const} */ (["R", "C"])) {
    for (const reason of /** @type {const} */ (["technical", "unsettled", "access_denied", "invalid_parameters", "unavailable", "limit", "suspended", "used"])) {
      assert.doesNotMatch(failureTexts(reason, action, texts).info, /regist/i, `${action} ${reason}`);
    }
  }
});

test("an unanswered removal has its own title", () => {
  assert.equal(failureTexts("noted", "C", texts).title, texts.remove.noted_title);
});

test("texts offer to read more only with an address", () => {
  assert.match(failureTexts("program", "N", texts).info, /Read more/);
  assert.doesNotMatch(failureTexts("in_another_program", "N", texts).info, /Read more/);
  assert.equal(failureTexts("in_another_program", "R", texts).info, texts.replace.error.program);
});
