// The calls to `/widget/api/…`. A call whose outcome is open (202), or whose answer got lost, is repeated as it
// was, with the same key, until there is an answer or patience ends; what is returned then is never a guess.

import { ACTIONS, isActionCode } from "./actions.js";
import { eventIn, reasonIn } from "./wire.js";

/**
 * @typedef {{ kind: "form", form: import("./wire.js").FormDescription, secondsLeft: number | undefined }
 *   | { kind: "ended", event: import("./wire.js").EndedEvent, attemptsLeft: number, incident?: string, why?: EndingReason }
 *   | { kind: "expired", incident?: string, why?: EndingReason }
 *   | { kind: "busy" }
 *   | { kind: "refused", pointers: string[], incident?: string }
 *   | { kind: "unsettled", incident?: string }
 *   | { kind: "unavailable", incident?: string }
 *   | { kind: "unreachable", incident?: string }} Answer
 *   `busy`: another attempt of this session is open. `unsettled`: still no outcome. `unavailable`: the service, or what
 *   stands before it, says that it can't answer now. `unreachable`: no usable answer.
 *
 * @typedef {{ kind: "extended", secondsLeft: number | undefined, extensionsLeft: number } | { kind: "exhausted" }
 *   | Extract<Answer, { kind: "expired" | "unreachable" }>} ExtensionAnswer
 *
 * @typedef {import("./wire.js").EndingReason} EndingReason
 * @typedef {"open" | "long" | "offline" | "busy"} Waiting why a call is being repeated; `long`: open for longer than
 *   usual; `offline`: no answer came; `busy`: the service can't answer now
 * @typedef {{ base: string, session: string, fetch: typeof fetch, sleep: (milliseconds: number) => Promise<void>,
 *   now: () => number, random: () => number }} Surroundings `base` of the addresses; `now` in milliseconds, monotonic
 * @typedef {ReturnType<typeof createApi>} Api
 */

// A function has 25 s and the gateway 29 s: what takes longer than this is lost.
const CALL_LIMIT = 35_000;
// The server settles an open attempt within 60 s; beyond this it is the customer who decides whether to go on waiting.
const PATIENCE = 90_000;
const USUAL = 8000;
const MOST_FAILURES = 7;

/** @param {Surroundings} surroundings */
export function createApi({ base, session, fetch, sleep, now, random }) {
  // The page does not know what its session is for. An address that it is not for names the one that it is for.
  /** @type {import("./wire.js").ActionCode} */
  let action = "N";
  let named = false;

  /**
   * @param {RequestInit} request @param {(why: Waiting) => void} onWaiting
   * @returns {Promise<Answer>}
   */
  async function call(request, onWaiting) {
    const started = now();
    let failures = 0;
    /** @type {string | undefined} */
    let incident;
    for (;;) {
      const response = await once(request);
      incident = response?.headers.get("Incident-Id") ?? incident;

      const other = response?.status === 403 && response.headers.get("Session-Action");
      if (isActionCode(other) && !named) {
        action = other;
        named = true;
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
      if (failures >= MOST_FAILURES || now() + wait - started > PATIENCE) {
        const kind = open ? "unsettled" : overloaded ? "unavailable" : "unreachable";
        return { kind, ...withIncident(incident) };
      }
      if (open) onWaiting(now() - started < USUAL ? "open" : "long");
      else onWaiting(overloaded ? "busy" : "offline");
      await sleep(wait);
    }
  }

  /** @param {RequestInit} request @param {string} [below] the action's address @returns {Promise<Response | undefined>} nothing where no answer came */
  async function once(request, below = "") {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), CALL_LIMIT);
    try {
      // Mode "cors" (the default) on purpose: under "same-origin" our Referrer-Policy would make `Origin` null.
      return await fetch(`${base}/${ACTIONS[action].path}${below}`, {
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
    /** What the session is for, once a call has been answered. */
    get action() {
      return action;
    },

    /** What there is to show for this session. @param {(why: Waiting) => void} onWaiting */
    open: (onWaiting) => call({ method: "GET" }, onWaiting),

    /**
     * Enrolls, replaces, removes. May be called again with the same submission, whose first answer it then gets.
     *
     * @param {import("./submission.js").Submission} submission @param {(why: Waiting) => void} onWaiting
     */
    submit: ({ idempotencyKey, body }, onWaiting) =>
      call(
        { method: "POST", headers: { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey }, body },
        onWaiting,
      ),

    /** Asks for more time. Not repeated by itself: the customer sees that it failed. @returns {Promise<ExtensionAnswer>} */
    async extend() {
      const response = await once({ method: "POST" }, "/extension");
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
  return { kind: "expired", ...withIncident(response.headers.get("Incident-Id")), ...withReason(response) };
}

/**
 * @param {Response} response @param {string | undefined} incident
 * @returns {Promise<Answer | undefined>} nothing where it cannot be read, as after a connection cut in the body
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
      return { kind: "ended", event, attemptsLeft: left, ...withIncident(incident), ...withReason(response) };
    }
    if (!isActionCode(body["action"])) return undefined;
    const form = /** @type {import("./wire.js").FormDescription} */ (body);
    return { kind: "form", form, secondsLeft: secondsLeft(form, response) };
  }

  // What stands before the service refuses in words of its own: that says nothing about the submission.
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
 * By the server's clock, since the customer's may be wrong.
 *
 * @param {{ expiresAt: number }} session @param {Response} response
 */
function secondsLeft({ expiresAt }, response) {
  const left = expiresAt - dateOf(response) / 1000;
  return Number.isFinite(left) ? left : undefined;
}

/** @param {Response} response @returns {number} the server's time in milliseconds; NaN where it does not tell it */
function dateOf(response) {
  return Date.parse(response.headers.get("Date") ?? "");
}

/**
 * @param {Response | undefined} response
 * @returns {number} the server's `Retry-After` (RFC 9110 §10.2.3: seconds or a date), in milliseconds; 0 for none
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

/** @param {Response} response @returns {{ why?: EndingReason }} */
function withReason(response) {
  const why = reasonIn(response.headers.get("Ending-Reason"));
  return why ? { why } : {};
}
