import assert from "node:assert/strict";
import { test } from "node:test";
import { reportEnding } from "./ending.js";

const event = /** @type {const} */ ({ status: "SUCCESS_ENROLLMENT", ranac: "0364", last4: "0106" });

function listener() {
  /** @type {unknown[]} */
  const heard = [];
  return { heard, postMessage: (/** @type {unknown} */ message) => void heard.push(message) };
}

test("every bridge gets the event in its own format", () => {
  const [ios, android, reactNative] = [listener(), listener(), listener()];
  const window = { webkit: { messageHandlers: { enrollmentEnded: ios } }, enrollmentEnded: android, ReactNativeWebView: reactNative };
  /** @type {unknown[]} */
  const reported = [];
  reportEnding(event, (name, detail) => reported.push([name, detail]), /** @type {any} */ (window), true);
  assert.deepEqual(reported, [["enrollmentEnded", event], ["done", {}]]);
  assert.deepEqual(ios.heard, [event]);
  assert.deepEqual(android.heard, ['{"status":"SUCCESS_ENROLLMENT","ranac":"0364","last4":"0106"}']);
  assert.deepEqual(reactNative.heard, [`{"type":"enrollmentEnded","detail":${android.heard[0]}}`]);
});

test("a plain browser has no bridge", () => {
  /** @type {string[]} */
  const reported = [];
  reportEnding(event, (name) => reported.push(name), /** @type {any} */ ({}), false);
  assert.deepEqual(reported, ["enrollmentEnded"], "another attempt may follow");
});

test("a throwing bridge does not block the others", () => {
  const android = listener();
  const broken = { postMessage: () => { throw new Error("the app went away"); } };
  const window = { webkit: { messageHandlers: { enrollmentEnded: broken } }, enrollmentEnded: android };
  reportEnding(event, () => {}, /** @type {any} */ (window), true);
  assert.equal(android.heard.length, 1);
});
