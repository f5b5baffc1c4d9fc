// Calls to `/widget/api/…`. A call with an open outcome (202) or a lost answer is repeated unchanged, with the same
// idempotency key, until an answer arrives or the time limit is reached. The result is never a guess.

import { ACTIONS, isActionCode } from "./actions.js";
import { eventIn, reasonIn } from "./wire.js";

/**
 * @typedef {{ kind: "form", form: import("./wire.js").FormDescription, secondsLeft: number | undefined, returnUrl?: string }
 *   | { kind: "ended", event: import("./wire.js").EndedEvent, attemptsLeft: number, incident?: string, endingReason?: EndingReason,
 *       returnUrl?: string }
 *   | { kind: "expired", incident?: string, endingReason?: EndingReason }
 *   | { kind: "busy" }
 *   | { kind: "refused", pointers: string[], incident?: string }
 *   | { kind: "unsettled", incident?: string }
 *   | { kind: "unavailable", incident?: string }
 *   | { kind: "unreachable", incident?: string }} Answer
 *   `busy`: another attempt of this session is open. `unsettled`: no outcome yet. `unavailable`: the service, or a gateway
 *   in front of it, cannot answer now. `unreachable`: no usable answer.
 *
 * @typedef {{ kind: "extended", secondsLeft: number | undefined, extensionsLeft: number } | { kind: "exhausted" }
 *   | Extract<Answer, { kind: "expired" | "unreachable" }>} ExtensionAnswer
 *
 * @typedef {import("./wire.js").EndingReason} EndingReason
 * @typedef {"open" | "long" | "offline" | "busy"} WaitReason reason for repeating a call; `long`: open for longer than
 *   usual; `offline`: no answer; `busy`: the service cannot answer now
 * @typedef {{ base: string, session: string, fetch: typeof fetch, sleep: (milliseconds: number) => Promise<void>,
 *   now: () => number, random: () => number }} Environment `base` of the addresses; `now` in milliseconds, monotonic
 * @typedef {ReturnType<typeof createApi>} Api
 */

// Milliseconds for one call. The function's limit is 25 s and the gateway's 29 s: a longer call is lost.
const CALL_LIMIT = 35_000;
// Milliseconds for all repeats of a call. The server settles an open attempt within 60 s; after this limit the customer
// decides whether to keep waiting.
const GIVE_UP_AFTER = 90_000;
const LONG_AFTER = 8000;
const MAX_FAILURES = 7;

/** @param {Environment} environment */
export function createApi({ base, session, fetch, sleep, now, random }) {
  // The action is unknown at first. A 403 from the wrong action's path names the right one (`Session-Action`).
  /** @type {import("./wire.js").ActionCode} */
  let action = "N";
  let isRedirected = false;

  /**
   * @param {RequestInit} request @param {(reason: WaitReason) => void} onWaiting
   * @returns {Promise<Answer>}
   */
  async function call(request, onWaiting) {
    const started = now();
    let failures = 0;
    /** @type {string | undefined} */
    let incident;
    for (;;) {
      const response = await send(request);
      incident = response?.headers.get("Incident-Id") ?? incident;

      const actualAction = response?.status === 403 && response.headers.get("Session-Action");
      if (isActionCode(actualAction) && !isRedirected) {
        action = actualAction;
        isRedirected = true;
        continue;
      }

      const open = response?.status === 202;
      const overloaded = !!response && (response.status >= 500 || response.status === 429);
      if (response && !open && !overloaded) {
        const answer = await read(response, incident);
        if (answer) return answer;
      }

      failures = open ? 0 : failures + 1;
      const wait = open && response ? afterOpen(response) : afterFailure(response, failures, random);
      if (failures >= MAX_FAILURES || now() + wait - started > GIVE_UP_AFTER) {
        const kind = open ? "unsettled" : overloaded ? "unavailable" : "unreachable";
        return { kind, ...withIncident(incident) };
      }
      if (open) onWaiting(now() - started < LONG_AFTER ? "open" : "long");
      else onWaiting(overloaded ? "busy" : "offline");
      await sleep(wait);
    }
  }

  /** @param {RequestInit} request @param {string} [subpath] @returns {Promise<Response | undefined>} nothing without an answer */
  async function send(request, subpath = "") {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), CALL_LIMIT);
    try {
      // Mode "cors" (the default): with "same-origin" our Referrer-Policy would set `Origin` to null.
      return await fetch(`${base}/${ACTIONS[action].path}${subpath}`, {
        ...request,
        headers: { ...request.headers, Accept: "application/json", Authorization: `Bearer ${session}` },
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        signal: limit.signal,
      });
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    /** Action of the session; reliable once a call has been answered. */
    get action() {
      return action;
    },

    /** Reads what the page has to show. @param {(reason: WaitReason) => void} onWaiting */
    open: (onWaiting) => call({ method: "GET" }, onWaiting),

    /**
     * Submits an attempt. A repeat of the same submission returns the first answer.
     *
     * @param {import("./submission.js").Submission} submission @param {(reason: WaitReason) => void} onWaiting
     */
    submit: ({ idempotencyKey, body }, onWaiting) =>
      call(
        { method: "POST", headers: { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey }, body },
        onWaiting,
      ),

    /** Extends the session. Not repeated: the customer sees the failure and can try again. @returns {Promise<ExtensionAnswer>} */
    async extend() {
      const response = await send({ method: "POST" }, "/extension");
      if (response?.status === 401) return expired(response);
      if (response?.status === 409) return { kind: "exhausted" };
      const body = response?.ok && (await response.json().catch(() => undefined));
      if (!response || !Number.isInteger(body?.expiresAt)) return { kind: "unreachable" };
      return { kind: "extended", secondsLeft: secondsLeft(body, response), extensionsLeft: body.extensionsLeft };
    },
  };
}

/** @param {Response} response @returns {Extract<Answer, { kind: "expired" }>} */
function expired(response) {
  return { kind: "expired", ...withIncident(response.headers.get("Incident-Id")), ...withEndingReason(response) };
}

/**
 * @param {Response} response @param {string | undefined} incident
 * @returns {Promise<Answer | undefined>} nothing for an unreadable body, as after a lost connection
 */
async function read(response, incident) {
  if (response.status === 401) return expired(response);
  if (response.status === 409) return { kind: "busy" };

  /** @type {Record<string, any> | undefined} */
  const body = await response.json().catch(() => undefined);
  const event = body && eventIn(body);
  if (response.ok || event?.status === "ACCESS_DENIED") {
    if (!body) return undefined;
    if (event) {
      const left = attemptsLeft(response);
      return {
        kind: "ended",
        event,
        attemptsLeft: left,
        ...withIncident(incident),
        ...withEndingReason(response),
        ...withReturnUrl(body),
      };
    }
    if (!isActionCode(body["action"])) return undefined;
    const form = /** @type {import("./wire.js").FormDescription} */ (body);
    return { kind: "form", form, secondsLeft: secondsLeft(form, response), ...withReturnUrl(body) };
  }

  // A gateway's refusal has another body, and says nothing about the submission.
  if (!body || !("incident" in body || "errors" in body)) return { kind: "unavailable", ...withIncident(incident) };
  const errors = Array.isArray(body["errors"]) ? body["errors"] : [];
  const pointers = errors.map((error) => error?.pointer).filter((pointer) => typeof pointer === "string");
  return { kind: "refused", pointers, ...withIncident(body["incident"] ?? incident) };
}

/** @param {Response} response */
function attemptsLeft(response) {
  const left = Number(response.headers.get("Attempts-Left"));
  return Number.isInteger(left) && left > 0 ? left : 0;
}

/**
 * Seconds until the session ends, by the server's clock: the customer's may be wrong.
 *
 * @param {{ expiresAt: number }} session @param {Response} response
 */
function secondsLeft({ expiresAt }, response) {
  const left = expiresAt - dateOf(response) / 1000;
  return Number.isFinite(left) ? left : undefined;
}

/** @param {Response} response @returns {number} the server's time in milliseconds; NaN without a `Date` */
function dateOf(response) {
  return Date.parse(response.headers.get("Date") ?? "");
}

/**
 * @param {Response | undefined} response
 * @returns {number} the server's `Retry-After` (RFC 9110 §10.2.3: seconds or a date), in milliseconds; 0 without one
 */
function retryAfter(response) {
  const asked = response?.headers.get("Retry-After");
  if (!response || !asked) return 0;
  const wait = /^\d+$/.test(asked) ? Number(asked) * 1000 : Date.parse(asked) - dateOf(response);
  return wait > 0 ? wait : 0;
}

/** @param {Response} response */
function afterOpen(response) {
  return Math.min(retryAfter(response), 30_000) || 2000;
}

/** @param {Response | undefined} response @param {number} failures @param {() => number} random */
function afterFailure(response, failures, random) {
  const step = Math.min(1000 * 2 ** (failures - 1), 16_000);
  return Math.max(retryAfter(response), step * (0.75 + random() / 2));
}

/** @param {unknown} incident @returns {{ incident?: string }} */
function withIncident(incident) {
  return typeof incident === "string" && incident ? { incident } : {};
}

/** @param {Record<string, unknown>} body @returns {{ returnUrl?: string }} */
function withReturnUrl({ returnUrl }) {
  return typeof returnUrl === "string" && returnUrl ? { returnUrl } : {};
}

/** @param {Response} response @returns {{ endingReason?: EndingReason }} */
function withEndingReason(response) {
  const endingReason = reasonIn(response.headers.get("Ending-Reason"));
  return endingReason ? { endingReason } : {};
}
