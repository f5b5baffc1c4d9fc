import assert from "node:assert/strict";
import { test } from "node:test";
import { createFlow } from "./flow.js";
import { demoForm, demoRemoval, demoReplacement, gold } from "./testing/demo-form.js";

/** @typedef {import("./api.js").Answer} Answer */

const SCREENS = ["loading", "form", "waiting", "success", "failure"];

/** @type {Answer} */
const form = { kind: "form", form: demoForm(), secondsLeft: 900 };
/** @type {Answer} */
const success = { kind: "ended", event: { status: "SUCCESS_ENROLLMENT", last4: "0106" }, attemptsLeft: 4 };
/** @type {Answer} */
const refusedCard = { kind: "ended", event: { status: "ERROR_ENROLLMENT", statusCode: "-45" }, attemptsLeft: 4, incident: "I" };
/** @type {Answer} */
const technical = { kind: "ended", event: { status: "ERROR_ENROLLMENT", statusCode: "-1001" }, attemptsLeft: 4, incident: "I" };
/** @type {import("./submission.js").Entered} */
const entered = { digits: "5234000000000106", personal: {}, consents: [] };

/**
 * Flow with fakes that record their calls.
 *
 * @param {{ action?: import("./wire.js").ActionCode, opens?: Answer[], submits?: Answer[], canEncrypt?: boolean, makeSubmission?: () => Promise<any>, extension?: import("./api.js").ExtensionAnswer, onSubmit?: (onWaiting: (reason: import("./api.js").WaitReason) => void) => void, onOpen?: (onWaiting: (reason: import("./api.js").WaitReason) => void) => void, homeUrl?: string }} script answers in order; the last one repeats
 */
function flowWith({ action = "N", opens = [form], submits = [success], canEncrypt = true, makeSubmission, extension = { kind: "exhausted" }, onSubmit = () => {}, onOpen = () => {}, homeUrl }) {
  /** @type {any[][]} */
  const shown = [];
  /** @type {string[]} */
  const actions = [];
  /** @type {any[]} */
  const timers = [];
  /** @type {any[]} */
  const reported = [];
  /** @type {any[]} */
  const sent = [];
  /** @type {any} */
  const screens = new Proxy(/** @type {any} */ ({}), {
    get: (_, name) => {
      if (name === "current") return shown.map(([name]) => name).filter((name) => SCREENS.includes(name)).at(-1);
      if (name === "messageOf") return (/** @type {string} */ reason) => `text of ${reason}`;
      return (/** @type {any[]} */ ...given) => (name === "setAction" ? actions.push(given[0]) : shown.push([name, ...given]));
    },
  });
  const next = (/** @type {Answer[]} */ answers) => /** @type {Answer} */ (answers.length > 1 ? answers.shift() : answers[0]);
  /** @type {(() => void)[]} */
  const waits = [];
  /** @type {any[]} */
  const left = [];
  /** @type {boolean[]} */
  const lasts = [];
  /** @type {string[]} */
  const told = [];
  let made = 0;
  let asked = 0;
  let resets = 0;
  const flow = createFlow({
    api: {
      action,
      open: async (onWaiting) => (asked += 1, onOpen(onWaiting), next(opens)),
      submit: async (submission, onWaiting) => (sent.push(submission), onSubmit(onWaiting), next(submits)),
      extend: async () => extension,
    },
    screens,
    form: /** @type {any} */ ({
      prepare: () => {},
      showRefusal: (/** @type {string[]} */ pointers) => (pointers.includes("/email") ? () => shown.push(["lead"]) : undefined),
      reset: () => (resets += 1),
      retry: () => shown.push(["retry"]),
      hold: () => shown.push(["hold"]),
      release: () => shown.push(["release"]),
      refuseCard: (/** @type {any[]} */ ...given) => shown.push(["refuseCard", ...given]),
    }),
    expiry: { start: (...left) => timers.push(left), stop: () => timers.push("stop") },
    reportEnding: (event, isLast) => (reported.push(event), lasts.push(isLast)),
    canEncrypt: () => canEncrypt,
    later: (act) => (waits.push(act), () => waits.splice(0)),
    homeUrl,
    leave: (url) => left.push(url),
    tellReady: () => told.push("ready"),
    tellDone: () => told.push("done"),
    makeSubmission: /** @type {any} */ (makeSubmission ?? (async () => ({ idempotencyKey: `key ${(made += 1)}`, body: "", last4: "0106" }))),
  });
  const last = () => shown.at(-1) ?? [];
  return { flow, shown, timers, actions, reported, sent, last, asked: () => asked, names: () => shown.map(([name]) => name), resets: () => resets, waits, left, lasts, told };
}

test("a success is shown, reported and cleared", async () => {
  const { flow, names, reported, last, resets } = flowWith({});
  await flow.open();
  await flow.submit(entered);
  assert.deepEqual(names(), ["loading", "form", "hold", "release", "success"]);
  assert.deepEqual(last().slice(0, 2), ["success", "0106"]);
  assert.deepEqual(reported, [{ status: "SUCCESS_ENROLLMENT", last4: "0106" }]);
  assert.equal(resets(), 1);
});

test("a double click submits once", async () => {
  const { flow, sent } = flowWith({});
  await flow.open();
  await Promise.all([flow.submit(entered), flow.submit(entered)]);
  assert.equal(sent.length, 1);
});

test("a refused card is reported, and retried as a new attempt", async () => {
  const { flow, reported, sent, last } = flowWith({ submits: [refusedCard, success] });
  await flow.open();
  await flow.submit(entered);
  assert.deepEqual(last(), ["refuseCard", "text of another_card", undefined]);
  await flow.submit(entered);
  assert.deepEqual(sent.map(({ idempotencyKey }) => idempotencyKey), ["key 1", "key 2"]);
  assert.deepEqual(reported.map(({ status }) => status), ["ERROR_ENROLLMENT", "SUCCESS_ENROLLMENT"]);
});

test("the last attempt offers no retry", async () => {
  const { flow, last } = flowWith({ submits: [{ ...refusedCard, attemptsLeft: 0 }] });
  await flow.open();
  await flow.submit(entered);
  assert.equal(last()[2].retry, undefined);
});

test("an unknown outcome is not reported, and retried unchanged", async () => {
  for (const kind of /** @type {const} */ (["unsettled", "unreachable"])) {
    const { flow, reported, sent, last } = flowWith({ submits: [{ kind }, success] });
    await flow.open();
    await flow.submit(entered);
    assert.equal(last()[1], kind);
    assert.deepEqual(reported, []);
    await last()[2].retry();
    assert.equal(sent[0], sent[1]);
    assert.deepEqual(reported.map(({ status }) => status), ["SUCCESS_ENROLLMENT"]);
  }
});

test("a reload after success shows and reports it again", async () => {
  const { flow, reported, last } = flowWith({ opens: [success] });
  await flow.open();
  assert.equal(last()[0], "success");
  assert.equal(reported.length, 1);
});

test("an attempt open elsewhere is awaited", async () => {
  const { flow, reported, last } = flowWith({ opens: [form, success], submits: [{ kind: "busy" }] });
  await flow.open();
  await flow.submit(entered);
  assert.equal(last()[0], "success");
  assert.equal(reported.length, 1);
});

test("a refused field is shown in the form and ends nothing", async () => {
  const { flow, reported, names } = flowWith({ submits: [{ kind: "refused", pointers: ["/email"] }] });
  await flow.open();
  await flow.submit(entered);
  assert.deepEqual(names().slice(-2), ["form", "lead"]);
  assert.deepEqual(reported, []);
});

test("a refusal without a field ends with INVALID_PARAMETERS", async () => {
  const { flow, reported, last } = flowWith({ submits: [{ kind: "refused", pointers: [], incident: "I" }] });
  await flow.open();
  await flow.submit(entered);
  assert.equal(last()[1], "refused");
  assert.deepEqual(reported, [{ status: "INVALID_PARAMETERS" }]);
});

test("an expired session ends with TOKEN_EXPIRED", async () => {
  const { flow, reported, last, resets } = flowWith({ opens: [{ kind: "expired" }] });
  await flow.open();
  assert.equal(last()[1], "expired");
  assert.deepEqual(reported, [{ status: "TOKEN_EXPIRED" }]);
  assert.equal(resets(), 1);
});

test("a timeout removes the form", async () => {
  for (const kind of /** @type {const} */ (["expired", "unreachable"])) {
    const { flow, reported, names } = flowWith({ opens: [form, { kind }] });
    await flow.open();
    await flow.timeOut();
    assert.deepEqual(names().slice(-3), ["form", "loading", "failure"]);
    assert.deepEqual(reported, [{ status: "TOKEN_EXPIRED" }]);
  }
});

test("a tab shows the outcome of another tab", async () => {
  const submits = flowWith({ opens: [form, success], submits: [{ kind: "expired" }] });
  await submits.flow.open();
  await submits.flow.submit(entered);
  const waits = flowWith({ opens: [form, success] });
  await waits.flow.open();
  await waits.flow.timeOut();
  for (const { reported, last } of [submits, waits]) {
    assert.equal(last()[0], "success");
    assert.deepEqual(reported.map(({ status }) => status), ["SUCCESS_ENROLLMENT"]);
  }
});

test("a timeout leaves a running attempt its outcome", async () => {
  const { flow, reported } = flowWith({});
  await flow.open();
  const attempt = flow.submit(entered);
  flow.timeOut();
  await attempt;
  assert.deepEqual(reported.map(({ status }) => status), ["SUCCESS_ENROLLMENT"]);
});

test("a timeout ends the offer of another try", async () => {
  for (const [answer, status] of /** @type {[Answer, string][]} */ ([[{ kind: "expired" }, "TOKEN_EXPIRED"], [technical, "ERROR_ENROLLMENT"]])) {
    const { flow, reported, last, lasts } = flowWith({ opens: [form, answer], submits: [technical] });
    await flow.open();
    await flow.submit(entered);
    assert.deepEqual(lasts, [false]);
    await flow.timeOut();
    assert.deepEqual(reported.map(({ status }) => status), ["ERROR_ENROLLMENT", status]);
    assert.deepEqual(lasts, [false, true]);
    assert.equal(last()[2].retry, undefined);
  }
});

test("a timeout reports no outcome that is unknown", async () => {
  const { flow, reported, last, lasts } = flowWith({ opens: [form, { kind: "unreachable" }, success], submits: [{ kind: "unsettled" }] });
  await flow.open();
  await flow.submit(entered);
  await flow.timeOut();
  assert.deepEqual(last().slice(0, 2), ["failure", "unreachable"]);
  assert.deepEqual(reported, []);
  await last()[2].retry();
  assert.deepEqual(reported.map(({ status }) => status), ["SUCCESS_ENROLLMENT"]);
  assert.deepEqual(lasts, [true]);
});

test("a page is ready at its first answer, or while it waits for one", async () => {
  const quick = flowWith({});
  await quick.flow.open();
  assert.deepEqual(quick.told, ["ready"]);
  const slow = flowWith({
    onOpen(onWaiting) {
      assert.deepEqual(slow.told, []);
      onWaiting("offline");
      assert.deepEqual(slow.told, ["ready"]);
    },
  });
  await slow.flow.open();
});

test("without Web Crypto no form is shown", async () => {
  const { flow, reported, last, names } = flowWith({ canEncrypt: false });
  await flow.open();
  assert.deepEqual(names(), ["loading", "failure"]);
  assert.equal(last()[1], "browser");
  assert.deepEqual(reported, [{ status: "ERROR_ENROLLMENT" }]);
});

/** @type {Answer} */
const replacement = { kind: "form", form: demoReplacement(), secondsLeft: 900 };
/** @type {Answer} */
const removal = { kind: "form", form: demoRemoval([gold]), secondsLeft: 900 };

test("replacement and opt-out are shown and reported as such", async () => {
  for (const [action, opened, ending] of /** @type {const} */ ([["R", replacement, "REPLACEMENT"], ["C", removal, "REMOVAL"]])) {
    /** @type {Answer} */
    const done = { kind: "ended", event: { status: `SUCCESS_${ending}`, last4: "0123" }, attemptsLeft: 0 };
    const { flow, actions, reported, last, resets } = flowWith({ action, opens: [opened], submits: [done] });
    await flow.open();
    assert.deepEqual(actions, [action]);
    await flow.submit({ ...entered, oldCard: gold });
    assert.deepEqual(last().slice(0, 2), ["success", "0123"]);
    assert.deepEqual(reported, [{ status: `SUCCESS_${ending}`, last4: "0123" }]);
    assert.equal(resets(), 1);
  }
});

test("a retry of replacement or opt-out reloads the cards", async () => {
  for (const [action, opened, status] of /** @type {const} */ ([["R", replacement, "ERROR_REPLACEMENT"], ["C", removal, "ERROR_REMOVAL"]])) {
    /** @type {Answer} */
    const gone = { kind: "ended", event: { status }, attemptsLeft: 4 };
    /** @type {Answer} */
    const none = { kind: "ended", event: { status }, attemptsLeft: 0 };
    const { flow, last, names, asked } = flowWith({ action, opens: [opened, opened, none], submits: [gone] });
    await flow.open();
    await flow.submit(entered);
    assert.equal(last()[1], "card_gone");
    await last()[2].retry();
    assert.equal(asked(), 2);
    assert.deepEqual(names().slice(-3), ["loading", "form", "retry"]);
    await flow.submit(entered);
    await last()[2].retry();
    assert.equal(last()[1], "no_card");
    assert.equal(last()[2].retry, undefined);
  }
});

test("entries are cleared once no retry is offered", async () => {
  const over = { ...refusedCard, attemptsLeft: 0 };
  /** @type {Answer[]} */
  const answers = [over, { kind: "refused", pointers: [] }];
  for (const answer of answers) {
    const { flow, resets } = flowWith({ submits: [answer] });
    await flow.open();
    await flow.submit(entered);
    assert.equal(resets(), 1, answer.kind);
  }
  const { flow, resets } = flowWith({ submits: [technical] });
  await flow.open();
  await flow.submit(entered);
  assert.equal(resets(), 0, "a retry is offered");
  const ended = flow.timeOut();
  assert.equal(resets(), 1, "the retry has timed out");
  await ended;
});

test("an attempt that failed during a reload can be retried", async () => {
  const { flow, last, names } = flowWith({ opens: [refusedCard, form] });
  await flow.open();
  await last()[2].retry();
  assert.deepEqual(names().slice(-2), ["form", "retry"]);
});

test("an unanswered removal is reported and offers no retry", async () => {
  /** @type {Answer} */
  const noted = { kind: "ended", event: { status: "ERROR_REMOVAL", statusCode: "-1001" }, attemptsLeft: 0 };
  const { flow, reported, last } = flowWith({ action: "C", opens: [removal], submits: [noted] });
  await flow.open();
  await flow.submit({ oldCard: gold, personal: {}, consents: [] });
  assert.equal(last()[1], "noted");
  assert.equal(last()[2].retry, undefined);
  assert.deepEqual(reported, [{ status: "ERROR_REMOVAL", statusCode: "-1001" }]);
});

test("missing Web Crypto fails an action that encrypts", async () => {
  const replacing = flowWith({ action: "R", opens: [replacement], canEncrypt: false });
  await replacing.flow.open();
  assert.deepEqual(replacing.reported, [{ status: "ERROR_REPLACEMENT" }]);
  const removing = flowWith({ action: "C", opens: [removal], canEncrypt: false });
  await removing.flow.open();
  assert.equal(removing.last()[0], "form");
});

test("a failed encryption is a technical failure", async () => {
  const { flow, sent, reported, last } = flowWith({ makeSubmission: () => Promise.reject(new Error()) });
  await flow.open();
  await flow.submit(entered);
  assert.deepEqual(sent, []);
  assert.equal(last()[1], "technical");
  assert.deepEqual(reported, [{ status: "ERROR_ENROLLMENT" }]);
});

test("the last attempt is announced before and after it", async () => {
  /** @type {Answer} */
  const one = { ...technical, attemptsLeft: 1 };
  /** @type {Answer} */
  const none = { ...refusedCard, attemptsLeft: 0, endingReason: "last_try" };
  const { flow, shown, last } = flowWith({ submits: [technical, one, none] });
  await flow.open();
  assert.deepEqual(last(), ["form", 5]);
  await flow.submit(entered);
  assert.equal(last()[2].tries, 4);
  last()[2].retry();
  await flow.submit(entered);
  assert.equal(last()[2].tries, 1);
  last()[2].retry();
  assert.deepEqual(shown.at(-2), ["form", 1]);
  await flow.submit(entered);
  const [, reason, { tries, retry }] = last();
  assert.deepEqual([reason, tries, retry], ["already_enrolled", "last_try", undefined]);
});

test("a refusal before the form has its own reason", async () => {
  for (const why of /** @type {const} */ (["card_limit", "limit"])) {
    /** @type {Answer} */
    const full = { kind: "ended", event: { status: "ERROR_ENROLLMENT" }, attemptsLeft: 0, endingReason: why };
    const { flow, reported, last } = flowWith({ opens: [full] });
    await flow.open();
    assert.deepEqual([last()[1], last()[2].retry], [why, undefined]);
    assert.deepEqual(reported, [{ status: "ERROR_ENROLLMENT" }], "no event has the reason");
  }
});

test("read more is offered only with an address", async () => {
  /** @type {Answer} */
  const notOurs = { kind: "ended", event: { status: "ERROR_ENROLLMENT", statusCode: "-52" }, attemptsLeft: 4 };
  const linked = flowWith({ submits: [notOurs] });
  await linked.flow.open();
  await linked.flow.submit(entered);
  assert.deepEqual(linked.last(), ["refuseCard", "text of program", "https://bank.example/terms"]);

  /** @type {Answer} */
  const withText = { kind: "form", form: { ...demoForm(), terms: { version: "1", text: "Be kind." } }, secondsLeft: 900 };
  const unlinked = flowWith({ opens: [withText], submits: [notOurs] });
  await unlinked.flow.open();
  await unlinked.flow.submit(entered);
  assert.deepEqual(unlinked.last(), ["refuseCard", "text of in_another_program", undefined]);
});

test("a session of a suspended client has its own reason", async () => {
  const { flow, reported, last } = flowWith({ opens: [{ kind: "expired", endingReason: "suspended" }] });
  await flow.open();
  assert.equal(last()[1], "suspended");
  assert.deepEqual(reported, [{ status: "TOKEN_EXPIRED" }]);
});

test("an extension restarts the timers", async () => {
  const { flow, timers, names } = flowWith({ extension: { kind: "extended", secondsLeft: 900, extensionsLeft: 9 } });
  await flow.open();
  assert.equal(await flow.extend(), "extended");
  assert.deepEqual(timers, [[900, 10], [900, 9]]);
  assert.equal(names().at(-1), "form");
});

test("a refused extension keeps the timers", async () => {
  for (const [kind, reported] of /** @type {const} */ ([["exhausted", "exhausted"], ["unreachable", "failed"]])) {
    const { flow, timers } = flowWith({ extension: { kind } });
    await flow.open();
    assert.equal(await flow.extend(), reported);
    assert.equal(timers.length, 1);
  }
});

test("an extension of an ended session ends the page", async () => {
  const { flow, reported } = flowWith({ extension: { kind: "expired" } });
  await flow.open();
  assert.equal(await flow.extend(), "over");
  assert.deepEqual(reported, [{ status: "TOKEN_EXPIRED" }]);
});

test("an extension leaves a running attempt its outcome", async () => {
  const { flow, reported } = flowWith({ extension: { kind: "expired" } });
  await flow.open();
  const attempt = flow.submit(entered);
  assert.equal(await flow.extend(), "over");
  await attempt;
  assert.deepEqual(reported.map(({ status }) => status), ["SUCCESS_ENROLLMENT"]);
});

test("a session extended by another tab continues", async () => {
  const { flow, reported, last, timers } = flowWith({});
  await flow.open();
  await flow.timeOut();
  assert.equal(last()[0], "form");
  assert.deepEqual(reported, []);
  assert.deepEqual(timers, [[900, 10], "stop", [900, 10]]);
});

test("an attempt waits in the form, and elsewhere only if it is long", async () => {
  const quick = flowWith({ onSubmit: (onWaiting) => onWaiting("open") });
  await quick.flow.open();
  await quick.flow.submit(entered);
  assert.deepEqual(quick.names(), ["loading", "form", "hold", "release", "success"]);
  assert.deepEqual(quick.waits, [], "an answer stops the wait");

  const long = flowWith({ onSubmit: () => long.waits[0]?.() });
  await long.flow.open();
  await long.flow.submit(entered);
  assert.deepEqual(long.names(), ["loading", "form", "hold", "waiting", "release", "success"]);
});

test("a lost connection is told at once", async () => {
  const { flow, names } = flowWith({ onSubmit: (onWaiting) => onWaiting("offline") });
  await flow.open();
  await flow.submit(entered);
  assert.deepEqual(names(), ["loading", "form", "hold", "waiting", "stillWaiting", "release", "success"]);
});

test("the form returns after a long wait for a refusal", async () => {
  const { flow, names } = flowWith({ submits: [refusedCard], onSubmit: (onWaiting) => onWaiting("long") });
  await flow.open();
  await flow.submit(entered);
  assert.deepEqual(names().slice(-5), ["waiting", "stillWaiting", "release", "form", "refuseCard"]);
});

test("an end leads back with the status that was reported", async () => {
  const returnUrl = "https://bank.example/done";
  const { flow, shown, last } = flowWith({ opens: [{ ...form, returnUrl }], submits: [refusedCard, success] });
  await flow.open();
  assert.deepEqual(last(), ["form", 5], "nothing to lead back from yet");
  await flow.submit(entered);
  assert.deepEqual(shown.at(-2), ["form", 4, { url: returnUrl, status: "ERROR_ENROLLMENT" }]);
  await flow.submit(entered);
  assert.deepEqual(last()[2], { url: returnUrl, status: "SUCCESS_ENROLLMENT" });
});

test("an unknown outcome leads back without a status", async () => {
  const returnUrl = "https://bank.example/done";
  const { flow, last } = flowWith({ opens: [{ ...form, returnUrl }], submits: [{ kind: "unsettled" }] });
  await flow.open();
  await flow.submit(entered);
  assert.deepEqual(last()[2].way, { url: returnUrl });
});

test("an unknown session leads home", async () => {
  const homeUrl = "https://bank.example/";
  const unknown = flowWith({ opens: [{ kind: "expired" }], homeUrl });
  await unknown.flow.open();
  assert.deepEqual(unknown.last()[2].way, { url: homeUrl, isHome: true });
  const known = flowWith({ opens: [{ ...form, returnUrl: "mybank:done" }, { kind: "expired" }], homeUrl });
  await known.flow.open();
  await known.flow.timeOut();
  assert.deepEqual(known.last()[2].way, { url: "mybank:done", status: "TOKEN_EXPIRED" });
});

test("a kept card ends without an event", async () => {
  const returnUrl = "https://bank.example/done";
  const { flow, reported, last, left, resets, sent, told } = flowWith({ action: "C", opens: [{ ...removal, returnUrl }] });
  await flow.open();
  flow.keep();
  assert.deepEqual(last().slice(0, 2), ["failure", "kept"]);
  assert.deepEqual(last()[2].way, { url: returnUrl });
  assert.deepEqual([left, reported, sent], [[returnUrl], [], []]);
  assert.equal(told.at(-1), "done", "an embedding page learns that nothing follows");
  assert.equal(resets(), 1);
});

test("an ending is the last if no further attempt is offered", async () => {
  const { flow, lasts } = flowWith({ submits: [refusedCard, technical, success] });
  await flow.open();
  for (let attempt = 0; attempt < 3; attempt += 1) await flow.submit(entered);
  assert.deepEqual(lasts, [false, false, true]);

  const over = flowWith({ submits: [{ ...refusedCard, attemptsLeft: 0 }] });
  await over.flow.open();
  await over.flow.submit(entered);
  const expired = flowWith({ opens: [{ kind: "expired" }] });
  await expired.flow.open();
  assert.deepEqual([...over.lasts, ...expired.lasts], [true, true]);
});
