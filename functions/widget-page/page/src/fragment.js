// Reads the address's fragment: a session or a failed opening. No server, proxy or referrer sees a fragment.

/**
 * @typedef {{ kind: "session", session: string }
 *   | { kind: "failure", status: import("./wire.js").Status, incident?: string, reason?: import("./wire.js").EndingReason }
 *   | { kind: "nothing" }} Opening
 */

const SESSION = /^[A-Za-z0-9_-]{43}$/;
const INCIDENT = /^[0-9A-Z]{4}(-[0-9A-Z]{4}){2}$/;

// A reason selects the text of a refusal, and nothing else.
const REASONS = /** @type {const} */ (["limit", "suspended", "used"]);

// Anyone can write a fragment: only failures are accepted, or an address could forge a success. A fault of the service at
// opening is always ERROR_ENROLLMENT, whatever the action.
const REFUSALS = /** @type {const} */ (["ACCESS_DENIED", "TOKEN_EXPIRED", "INVALID_PARAMETERS", "ERROR_ENROLLMENT"]);

/**
 * @param {string} hash `location.hash`, with or without its `#`
 * @returns {Opening}
 */
export function readFragment(hash) {
  const fragment = hash.replace(/^#/, "");
  if (SESSION.test(fragment)) return { kind: "session", session: fragment };

  const given = new URLSearchParams(fragment);
  const status = REFUSALS.find((refusal) => refusal === given.get("status"));
  if (!status) return { kind: "nothing" };
  const incident = given.get("incident") ?? "";
  const reason = status === "ACCESS_DENIED" && REASONS.find((known) => known === given.get("reason"));
  return { kind: "failure", status, ...(INCIDENT.test(incident) && { incident }), ...(reason && { reason }) };
}

/**
 * Reads the fragment and moves a session from the address to the state of the history entry. There it survives a reload,
 * but is not copied, shown or synchronized with the address.
 *
 * @param {Pick<Location, "hash" | "pathname" | "search">} location
 * @param {Pick<History, "state" | "replaceState">} history
 * @returns {Opening}
 */
export function takeOpening(location, history) {
  const opening = readFragment(location.hash);
  if (opening.kind === "session") {
    try {
      history.replaceState({ session: opening.session }, "", location.pathname + location.search);
    } catch {
      // Some WebViews refuse this; the session then stays in the address.
    }
    return opening;
  }
  const kept = history.state?.session;
  if (opening.kind === "nothing" && typeof kept === "string" && SESSION.test(kept)) {
    return { kind: "session", session: kept };
  }
  return opening;
}
