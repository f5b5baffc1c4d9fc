import assert from "node:assert/strict";
import { test } from "node:test";
import { createExpiry } from "./expiry.js";

/** @param {number | undefined} secondsLeft @param {number} [extensionsLeft] */
function schedule(secondsLeft, extensionsLeft = 10) {
  /** @type {any[][]} */
  const scheduled = [];
  let at = 0;
  const acts = {
    warn: (/** @type {boolean} */ soon, /** @type {boolean} */ extensible) => scheduled.push(["warn", at, soon, extensible]),
    end: () => scheduled.push(["end", at]),
    clear: () => {},
  };
  const later = (/** @type {() => void} */ act, /** @type {number} */ milliseconds) => {
    at = milliseconds;
    act();
  };
  createExpiry(acts, later).start(secondsLeft, extensionsLeft);
  return scheduled;
}

test("the warning comes two minutes before the end", () => {
  assert.deepEqual(schedule(900), [["warn", 780_000, false, true], ["end", 900_000]]);
});

test("a session near its end warns at once", () => {
  assert.deepEqual(schedule(60), [["warn", 0, true, true], ["end", 60_000]]);
});

test("an exhausted session warns without an extension", () => {
  assert.deepEqual(schedule(900, 0)[0], ["warn", 780_000, false, false]);
});

test("without the server's time no timer starts", () => {
  assert.deepEqual(schedule(undefined), []);
});

test("a restart replaces the timers and clears the warning", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {string[]} */
  const seen = [];
  const expiry = createExpiry({ warn: () => seen.push("warn"), clear: () => seen.push("clear"), end: () => seen.push("end") });
  expiry.start(130, 10);
  t.mock.timers.tick(20_000);
  expiry.start(200, 9);
  t.mock.timers.tick(300_000);
  assert.deepEqual(seen, ["clear", "warn", "clear", "warn", "end"]);
});
