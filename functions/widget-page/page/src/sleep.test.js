import assert from "node:assert/strict";
import { test } from "node:test";
import { createSleep } from "./sleep.js";

function pauseIn() {
  const window = /** @type {any} */ (Object.assign(new EventTarget(), { setTimeout, clearTimeout }));
  return { window, pause: createSleep(window) };
}

test("a sleep lasts its duration", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { pause } = pauseIn();
  let over = false;
  const done = pause(1000).then(() => (over = true));
  t.mock.timers.tick(999);
  await Promise.resolve();
  assert.equal(over, false);
  t.mock.timers.tick(1);
  await done;
  assert.equal(over, true);
});

test("a sleep ends when the browser is back online", async () => {
  const { window, pause } = pauseIn();
  const done = pause(60_000);
  window.dispatchEvent(new Event("online"));
  await done;
});
