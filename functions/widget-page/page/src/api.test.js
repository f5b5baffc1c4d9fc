import assert from "node:assert/strict";
import { test } from "node:test";
import { createApi } from "./api.js";

/** @typedef {{ status: number, body?: unknown, headers?: Record<string, string> } | "no connection"} Scripted */

const submission = { idempotencyKey: "k".repeat(32), body: '{"bin":"523400"}', last4: "0106" };
const success = { status: 200, body: { status: "SUCCESS_ENROLLMENT", ranac: "0364" }, headers: { "Incident-Id": "AAAA-BBBB-CCCC" } };

/**
 * Fake server with these answers in order (the last one repeats), and a clock that sleeping advances.
 *
 * @param {...Scripted} answers
 */
function serverWith(...answers) {
  let time = 0;
  /** @type {{ address: string, request: RequestInit }[]} */
  const requests = [];
  /** @type {number[]} */
  const sleeps = [];
  /** @type {string[]} */
  const waits = [];
  const api = createApi({
    base: "/widget/api",
    session: "s",
    now: () => time,
    random: () => 0.5,
    sleep: async (milliseconds) => {
      sleeps.push(milliseconds);
      time += milliseconds;
    },
    fetch: async (address, request = {}) => {
      requests.push({ address: String(address), request });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (!answer || answer === "no connection") throw new TypeError("Failed to fetch");
      const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? {});
      return new Response(body, { status: answer.status, headers: answer.headers ?? {} });
    },
  });
  /** @param {string} why */
  const onWaiting = (why) => void waits.push(why);
  return { api, requests, sleeps, waits, submit: () => api.submit(submission, onWaiting), open: () => api.open(onWaiting) };
}

test("the session is sent only as a bearer token", async () => {
  const { submit, requests } = serverWith(success);
  await submit();
  const { address, request } = requests[0] ?? assert.fail();
  assert.equal(address, "/widget/api/enroll");
  assert.equal(new Headers(request.headers).get("Authorization"), "Bearer s");
  assert.equal(request.credentials, "omit");
  assert.equal(request.redirect, "error");
});

test("an outcome has its incident id and the attempts left", async () => {
  const error = { status: 200, body: { status: "ERROR_ENROLLMENT", statusCode: "-45" }, headers: { "Attempts-Left": "4", "Incident-Id": "A" } };
  assert.deepEqual(await serverWith(error).submit(), {
    kind: "ended",
    event: { status: "ERROR_ENROLLMENT", statusCode: "-45" },
    attemptsLeft: 4,
    incident: "A",
  });
});

const elsewhere = (/** @type {string} */ action) => ({ status: 403, body: { status: "ACCESS_DENIED" }, headers: { "Session-Action": action } });

test("another action's session switches to its path and stays", async () => {
  for (const [action, path] of /** @type {const} */ ([["R", "replace"], ["C", "cancel"]])) {
    const description = { action, cards: [{ id: "a" }], expiresAt: 1 };
    const { api, open, submit, requests, waits, sleeps } = serverWith(elsewhere(action), { status: 200, body: description }, success);
    assert.equal(api.action, "N");
    assert.deepEqual(await open(), { kind: "form", form: description, secondsLeft: undefined });
    await submit();
    await open();
    assert.deepEqual(requests.map(({ address }) => address), ["/widget/api/enroll", ...Array(3).fill(`/widget/api/${path}`)]);
    assert.equal(api.action, action);
    assert.deepEqual([waits, sleeps], [[], []], "not counted as a failure");
  }
});

test("the path switches once, and never to an unknown action", async () => {
  const { open, requests } = serverWith(elsewhere("R"), elsewhere("C"));
  assert.equal((await open()).kind, "ended");
  assert.equal(requests.length, 2);
  assert.equal((await serverWith(elsewhere("P")).open()).kind, "ended");
});

test("an action unknown to the page is denied", async () => {
  const denied = { status: 403, body: { status: "ACCESS_DENIED" }, headers: { "Incident-Id": "A" } };
  assert.deepEqual(await serverWith(denied).open(), {
    kind: "ended",
    event: { status: "ACCESS_DENIED" },
    attemptsLeft: 0,
    incident: "A",
  });
});

test("an open attempt is repeated unchanged after Retry-After", async () => {
  const open = { status: 202, headers: { "Retry-After": "3" } };
  const { submit, requests, sleeps, waits } = serverWith(open, open, success);
  assert.equal((await submit()).kind, "ended");
  assert.deepEqual(sleeps, [3000, 3000]);
  assert.deepEqual(waits, ["open", "open"]);
  for (const { request } of requests) {
    assert.equal(new Headers(request.headers).get("Idempotency-Key"), submission.idempotencyKey);
    assert.equal(request.body, submission.body);
    assert.equal(request.method, "POST");
  }
});

test("an open attempt is reported as long after 8 s", async () => {
  const { submit, waits } = serverWith({ status: 202, headers: { "Retry-After": "5" } });
  await submit();
  assert.deepEqual(waits.slice(0, 4), ["open", "open", "long", "long"]);
});

test("a lost connection is retried with backoff and the same key", async () => {
  const { submit, requests, sleeps, waits } = serverWith("no connection", "no connection", "no connection", success);
  assert.equal((await submit()).kind, "ended");
  assert.deepEqual(sleeps, [1000, 2000, 4000]);
  assert.deepEqual(new Set(waits), new Set(["offline"]));
  assert.equal(new Set(requests.map(({ request }) => new Headers(request.headers).get("Idempotency-Key"))).size, 1);
});

test("server errors, limits and broken bodies are retried", async () => {
  const { submit, sleeps, waits } = serverWith(
    { status: 502, body: "<html>" },
    { status: 429, headers: { "Retry-After": "5" } },
    { status: 200, body: '{"status":"SUCC' },
    success,
  );
  assert.equal((await submit()).kind, "ended");
  assert.deepEqual(sleeps, [1000, 5000, 4000]);
  assert.deepEqual(waits, ["busy", "busy", "offline"]);
});

test("the time limit without a connection gives unreachable", async () => {
  const { submit, requests } = serverWith("no connection");
  assert.deepEqual(await submit(), { kind: "unreachable" });
  assert(requests.length <= 7);
});

test("the time limit after errors keeps the last incident id", async () => {
  const broken = { status: 500, body: {}, headers: { "Incident-Id": "AAAA-BBBB-CCCC" } };
  assert.deepEqual(await serverWith(broken).submit(), { kind: "unavailable", incident: "AAAA-BBBB-CCCC" });
});

test("the time limit of an open attempt gives unsettled", async () => {
  const { submit, sleeps } = serverWith({ status: 202, headers: { "Retry-After": "2" } });
  assert.equal((await submit()).kind, "unsettled");
  assert(sleeps.reduce((sum, wait) => sum + wait, 0) <= 90_000);
});

test("an excessive Retry-After is capped, a missing one replaced", async () => {
  const { submit, sleeps } = serverWith({ status: 202, headers: { "Retry-After": "86400" } }, { status: 202 }, success);
  await submit();
  assert.deepEqual(sleeps, [30_000, 2000]);
});

test("an unknown session counts as expired", async () => {
  assert.equal((await serverWith({ status: 401, body: { status: "TOKEN_EXPIRED" } }).open()).kind, "expired");
});

test("another open attempt of the session gives busy", async () => {
  assert.deepEqual(await serverWith({ status: 409, body: {} }).submit(), { kind: "busy" });
});

test("a refusal has its fields and its incident", async () => {
  const body = { status: 400, incident: "AAAA-BBBB-CCCC", errors: [{ pointer: "/email", detail: "…" }, { detail: "?" }] };
  assert.deepEqual(await serverWith({ status: 400, body }).submit(), {
    kind: "refused",
    pointers: ["/email"],
    incident: "AAAA-BBBB-CCCC",
  });
});

test("the time left follows the server's clock", async () => {
  const form = { action: "N", expiresAt: 1_800_000_600 };
  const answer = { status: 200, body: form, headers: { Date: new Date(1_800_000_000_000).toUTCString() } };
  assert.deepEqual(await serverWith(answer).open(), { kind: "form", form, secondsLeft: 600 });
  assert.deepEqual(await serverWith({ status: 200, body: form }).open(), { kind: "form", form, secondsLeft: undefined });
});

test("an ended session answers with its event", async () => {
  assert.equal((await serverWith(success).open()).kind, "ended");
});

test("a Retry-After beyond the time limit is not waited for", async () => {
  const { submit, requests } = serverWith({ status: 429, headers: { "Retry-After": "3600" } });
  assert.deepEqual(await submit(), { kind: "unavailable" });
  assert.equal(requests.length, 1);
});

test("Retry-After may be a date, by the server's clock", async () => {
  const headers = { Date: "Mon, 30 Nov 2026 09:00:00 GMT", "Retry-After": "Mon, 30 Nov 2026 09:00:07 GMT" };
  const { submit, sleeps } = serverWith({ status: 503, headers }, success);
  await submit();
  assert.deepEqual(sleeps, [7000]);
});

test("a gateway's refusal says nothing about the card", async () => {
  for (const [status, body] of /** @type {const} */ ([[403, { message: "Forbidden" }], [404, "<html>"], [413, { message: "Request Too Long" }]])) {
    const { submit, requests } = serverWith({ status, body });
    assert.deepEqual(await submit(), { kind: "unavailable" }, String(status));
    assert.equal(requests.length, 1);
  }
});

test("the ending reason is one of a closed list", async () => {
  /** @param {string} why */
  const open = (why) => serverWith({ ...success, headers: { "Ending-Reason": why } }).open();
  for (const why of ["limit", "suspended", "used", "card_limit", "no_card", "card_gone", "last_try"]) {
    assert.equal(/** @type {any} */ (await open(why)).endingReason, why);
  }
  assert(!("endingReason" in (await open("<b>anything</b>"))));
  const suspended = { status: 401, body: { status: "TOKEN_EXPIRED" }, headers: { "Ending-Reason": "suspended", "Incident-Id": "A" } };
  assert.deepEqual(await serverWith(suspended).open(), { kind: "expired", incident: "A", endingReason: "suspended" });
});

test("an extension gives the new end, or its refusal", async () => {
  const headers = { Date: new Date(1_800_000_000_000).toUTCString() };
  const { api, requests } = serverWith({ status: 200, body: { expiresAt: 1_800_000_900, extensionsLeft: 9 }, headers });
  assert.deepEqual(await api.extend(), { kind: "extended", secondsLeft: 900, extensionsLeft: 9 });
  assert.equal(requests[0]?.address, "/widget/api/enroll/extension");
  assert.equal(requests[0]?.request.method, "POST");
  for (const [answer, kind] of /** @type {[Scripted, string][]} */ ([
    [{ status: 401, body: { status: "TOKEN_EXPIRED" } }, "expired"],
    [{ status: 409, body: {} }, "exhausted"],
    [{ status: 503, body: {} }, "unreachable"],
    [{ status: 200, body: "<html>" }, "unreachable"],
    ["no connection", "unreachable"],
  ])) {
    assert.deepEqual(await serverWith(answer).api.extend(), { kind });
  }
});
