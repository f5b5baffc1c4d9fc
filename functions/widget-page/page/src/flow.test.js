import assert from "node:assert/strict";
import { test } from "node:test";
import { NoCryptography } from "./encrypt.js";
import { createFlow, reasonOf } from "./flow.js";
import { demoForm } from "./testing/demo-form.js";

/** @typedef {import("./api.js").Answer} Answer */

/** @type {Answer} */
const form = { kind: "form", form: demoForm(), secondsLeft: 900 };
/** @type {Answer} */
const success = { kind: "ended", event: { status: "SUCCESS_ENROLLMENT", last4: "0106" }, attemptsLeft: 4 };
/** @type {Answer} */
const refusedCard = { kind: "ended", event: { status: "ERROR_ENROLLMENT", statusCode: "-45" }, attemptsLeft: 4, incident: "I" };
/** @type {import("./submission.js").Entered} */
const entered = { digits: "5234000000000106", personal: {}, consents: [] };

/**
 * The flow among parts that write down what is asked of them.
 *
 * @param {{ opens?: Answer[], enrols?: Answer[], makeSubmission?: () => Promise<any> }} script answers in turn, the last for ever
 */
function flowWith({ opens = [form], enrols = [success], makeSubmission }) {
  /** @type {any[][]} */
  const shown = [];
  /** @type {any[]} */
  const told = [];
  /** @type {any[]} */
  const sent = [];
  /** @type {any} */
  const screens = new Proxy(/** @type {any} */ ({}), {
    get: (_, name) => (name === "current" ? shown.at(-1)?.[0] : (/** @type {any[]} */ ...given) => shown.push([name, ...given])),
  });
  const next = (/** @type {Answer[]} */ answers) => /** @type {Answer} */ (answers.length > 1 ? answers.shift() : answers[0]);
  let made = 0;
  let forgotten = 0;
  const flow = createFlow({
    api: {
      open: async () => next(opens),
      enrol: async (submission) => (sent.push(submission), next(enrols)),
    },
    screens,
    form: /** @type {any} */ ({
      prepare: () => {},
      refuse: (/** @type {string[]} */ pointers) => (pointers.includes("/email") ? () => shown.push(["lead"]) : undefined),
      forget: () => (forgotten += 1),
      retry: () => shown.push(["retry"]),
    }),
    expiry: { start: () => {}, stop: () => {} },
    tellEnding: (event) => told.push(event),
    makeSubmission: /** @type {any} */ (makeSubmission ?? (async () => ({ idempotencyKey: `key ${(made += 1)}`, body: "", last4: "0106" }))),
  });
  const last = () => shown.at(-1) ?? [];
  return { flow, shown, told, sent, last, names: () => shown.map(([name]) => name), forgotten: () => forgotten };
}

test("open, submit, success: shown, told, forgotten", async () => {
  const { flow, names, told, last, forgotten } = flowWith({});
  await flow.open();
  await flow.submit(entered);
  assert.deepEqual(names(), ["loading", "form", "waiting", "success"]);
  assert.deepEqual(last(), ["success", "0106"]);
  assert.deepEqual(told, [{ status: "SUCCESS_ENROLLMENT", last4: "0106" }]);
  assert.equal(forgotten(), 1);
});

test("a double click submits once", async () => {
  const { flow, sent } = flowWith({});
  await flow.open();
  await Promise.all([flow.submit(entered), flow.submit(entered)]);
  assert.equal(sent.length, 1);
});

test("a refused card is told, and tried again as a new attempt", async () => {
  const { flow, told, sent, last } = flowWith({ enrols: [refusedCard, success] });
  await flow.open();
  await flow.submit(entered);
  const [, reason, details] = last();
  assert.equal(reason, "already_enrolled");
  assert.equal(details.incident, "I");
  details.retry();
  assert.deepEqual(last(), ["retry"]);
  await flow.submit(entered);
  assert.deepEqual(sent.map(({ idempotencyKey }) => idempotencyKey), ["key 1", "key 2"]);
  assert.deepEqual(told.map(({ status }) => status), ["ERROR_ENROLLMENT", "SUCCESS_ENROLLMENT"]);
});

test("after the last attempt no other is offered", async () => {
  const { flow, last } = flowWith({ enrols: [{ ...refusedCard, attemptsLeft: 0 }] });
  await flow.open();
  await flow.submit(entered);
  assert.equal(last()[2].retry, undefined);
});

test("an unknown outcome is told to nobody, and asked for again by the same submission", async () => {
  for (const kind of /** @type {const} */ (["unsettled", "unreachable"])) {
    const { flow, told, sent, last } = flowWith({ enrols: [{ kind }, success] });
    await flow.open();
    await flow.submit(entered);
    assert.equal(last()[1], kind);
    assert.deepEqual(told, []);
    await last()[2].retry();
    assert.equal(sent[0], sent[1]);
    assert.deepEqual(told.map(({ status }) => status), ["SUCCESS_ENROLLMENT"]);
  }
});

test("a page reloaded after its success shows and tells it again", async () => {
  const { flow, told, last } = flowWith({ opens: [success] });
  await flow.open();
  assert.equal(last()[0], "success");
  assert.equal(told.length, 1);
});

test("an attempt open elsewhere is waited for", async () => {
  const { flow, told, last } = flowWith({ opens: [form, success], enrols: [{ kind: "busy" }] });
  await flow.open();
  await flow.submit(entered);
  assert.equal(last()[0], "success");
  assert.equal(told.length, 1);
});

test("a field that the server refused is shown in the form and is no ending", async () => {
  const { flow, told, names } = flowWith({ enrols: [{ kind: "refused", pointers: ["/email"] }] });
  await flow.open();
  await flow.submit(entered);
  assert.deepEqual(names().slice(-2), ["form", "lead"]);
  assert.deepEqual(told, []);
});

test("a refusal that no field explains ends with INVALID_PARAMETERS", async () => {
  const { flow, told, last } = flowWith({ enrols: [{ kind: "refused", pointers: [], incident: "I" }] });
  await flow.open();
  await flow.submit(entered);
  assert.equal(last()[1], "refused");
  assert.deepEqual(told, [{ status: "INVALID_PARAMETERS" }]);
});

test("an expired session ends with TOKEN_EXPIRED", async () => {
  const { flow, told, last, forgotten } = flowWith({ opens: [{ kind: "expired" }] });
  await flow.open();
  assert.equal(last()[1], "expired");
  assert.deepEqual(told, [{ status: "TOKEN_EXPIRED" }]);
  assert.equal(forgotten(), 1);
});

test("when the time is up the form is taken away", async () => {
  const { flow, told } = flowWith({});
  await flow.open();
  flow.timeIsUp();
  assert.deepEqual(told, [{ status: "TOKEN_EXPIRED" }]);
});

test("when the time is up, an attempt under way keeps its own outcome", async () => {
  const { flow, told } = flowWith({});
  await flow.open();
  const attempt = flow.submit(entered);
  flow.timeIsUp();
  await attempt;
  assert.deepEqual(told.map(({ status }) => status), ["SUCCESS_ENROLLMENT"]);
});

test("another try after the time is up ends instead", async () => {
  const { flow, told, last } = flowWith({ enrols: [refusedCard] });
  await flow.open();
  await flow.submit(entered);
  flow.timeIsUp();
  last()[2].retry();
  assert.deepEqual(told.map(({ status }) => status), ["ERROR_ENROLLMENT", "TOKEN_EXPIRED"]);
});

test("without cryptography nothing is sent", async () => {
  const { flow, sent, told, last } = flowWith({ makeSubmission: () => Promise.reject(new NoCryptography()) });
  await flow.open();
  await flow.submit(entered);
  assert.deepEqual(sent, []);
  assert.equal(last()[1], "browser");
  assert.deepEqual(told, [{ status: "ERROR_ENROLLMENT" }]);
});

test("MRS's codes have the words that suit them", () => {
  /** @param {string} [statusCode] */
  const reason = (statusCode) => reasonOf(statusCode ? { status: "ERROR_ENROLLMENT", statusCode } : { status: "ERROR_ENROLLMENT" });
  assert.equal(reason(), "program");
  assert.equal(reason("-52"), "program");
  assert.equal(reason("-45"), "already_enrolled");
  assert.equal(reason("-50"), "customer_already_enrolled");
  for (const code of ["-1", "-5", "-32", "-46", "-48", "-1001", "-9999"]) assert.equal(reason(code), "technical");
});
