import assert from "node:assert/strict";
import { test } from "node:test";
import { reasonOf } from "./reason.js";

/** @typedef {import("./wire.js").Status} Status */

/** @param {Status} status @param {string} [statusCode] @param {number} [attemptsLeft] @param {import("./wire.js").EndingReason} [endingReason] */
const reason = (status, statusCode, attemptsLeft, endingReason) =>
  reasonOf(statusCode ? { status, statusCode } : { status }, endingReason, attemptsLeft);

test("a refusal before MRS follows its status", () => {
  assert.equal(reason("TOKEN_EXPIRED"), "expired");
  assert.equal(reason("ACCESS_DENIED"), "access_denied");
  assert.equal(reason("INVALID_PARAMETERS"), "invalid_parameters");
});

test("codes of an enrollment", () => {
  const of = (/** @type {string} */ code) => reason("ERROR_ENROLLMENT", code);
  assert.equal(reason("ERROR_ENROLLMENT"), "technical");
  assert.equal(of("-44"), "program");
  assert.equal(of("-52"), "program");
  assert.equal(of("-45"), "already_enrolled");
  assert.equal(of("-50"), "customer_already_enrolled");
  for (const code of ["-1", "-5", "-32", "-46", "-48", "-1001", "-9999"]) assert.equal(of(code), "technical");
});

test("codes of a replacement are about the new card", () => {
  const of = (/** @type {string} */ code) => reason("ERROR_REPLACEMENT", code, 4);
  assert.equal(of("-44"), "program");
  assert.equal(of("-52"), "program");
  assert.equal(of("-45"), "already_enrolled");
  for (const code of ["-1", "-5", "-50", "-85", "-1001", "-9999"]) assert.equal(of(code), "technical");
});

test("codes of an opt-out are about the old card", () => {
  const of = (/** @type {string} */ code) => reason("ERROR_REMOVAL", code, 4);
  for (const code of ["-5", "-10", "-85"]) assert.equal(of(code), "declined");
  assert.equal(reason("ERROR_REMOVAL", "-1001"), "noted");
  for (const code of ["-1", "-32", "-45", "-47", "-9999"]) assert.equal(of(code), "technical");
});

test("without a code the card is missing or gone", () => {
  for (const status of /** @type {const} */ (["ERROR_REPLACEMENT", "ERROR_REMOVAL"])) {
    assert.equal(reason(status), "no_card");
    assert.equal(reason(status, undefined, 5), "card_gone");
  }
});

test("the ending reason decides, except for the last try", () => {
  for (const endingReason of /** @type {const} */ (["limit", "suspended", "used"])) {
    assert.equal(reason("ACCESS_DENIED", undefined, 0, endingReason), endingReason);
  }
  assert.equal(reason("ERROR_ENROLLMENT", undefined, 0, "card_limit"), "card_limit");
  assert.equal(reason("ERROR_REMOVAL", undefined, 0, "card_gone"), "card_gone");
  assert.equal(reason("ERROR_REPLACEMENT", undefined, 4, "no_card"), "no_card");
  assert.equal(reason("ERROR_ENROLLMENT", "-45", 0, "last_try"), "already_enrolled");
});
