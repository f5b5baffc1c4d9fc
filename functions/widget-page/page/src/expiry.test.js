import assert from "node:assert/strict";
import { test } from "node:test";
import { createExpiry } from "./expiry.js";

/** @param {number | undefined} secondsLeft */
function schedule(secondsLeft) {
  /** @type {[string, number][]} */
  const scheduled = [];
  const acts = { warn: () => {}, end: () => {} };
  createExpiry(acts, (act, milliseconds) => scheduled.push([act === acts.warn ? "warn" : "end", milliseconds])).start(secondsLeft);
  return scheduled;
}

test("the customer is warned two minutes before the end", () => {
  assert.deepEqual(schedule(900), [["warn", 780_000], ["end", 900_000]]);
});

test("a session that is nearly over ends without a warning", () => {
  assert.deepEqual(schedule(60), [["end", 60_000]]);
});

test("without the server's time nothing is assumed", () => {
  assert.deepEqual(schedule(undefined), []);
});

test("starting again replaces the earlier end", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let ended = 0;
  const expiry = createExpiry({ warn: () => {}, end: () => (ended += 1) });
  expiry.start(100);
  expiry.start(200);
  t.mock.timers.tick(300_000);
  assert.equal(ended, 1);
});
