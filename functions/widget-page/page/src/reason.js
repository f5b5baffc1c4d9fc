// Reasons for which an interaction failed, as far as customers are told different things. Their texts are in `failure-texts.js`.

import { ACTIONS } from "./actions.js";

/**
 * @typedef {"program" | "in_another_program" | "already_enrolled" | "customer_already_enrolled" | "technical" | "access_denied"
 *   | "invalid_parameters" | "expired" | "refused" | "browser" | "unsettled" | "unreachable"
 *   | "no_card" | "card_gone" | "noted" | "declined" | "card_limit" | "limit" | "suspended" | "used" | "unavailable"
 *   | "another_card" | "kept"} Reason
 *   `program`: the card does not belong to the program, and there is an address to read more at; `in_another_program`: the
 *   same without an address; `no_card`: no card to replace or remove; `card_gone`: the card is no longer there; `noted`: the
 *   server completes the removal later; `declined`: MRS refuses to remove the card; `another_card`: already enrolled, while
 *   another card can be tried; `kept`: the customer decided against the removal
 */

/** @type {Partial<Record<import("./wire.js").Status, Reason>>} */
const REASONS = { TOKEN_EXPIRED: "expired", ACCESS_DENIED: "access_denied", INVALID_PARAMETERS: "invalid_parameters" };

/**
 * Returns the reason behind an event (`docs/sources.md#widget`, table of status codes).
 *
 * @param {import("./wire.js").EndedEvent} event
 * @param {import("./wire.js").EndingReason} [endingReason] the server's reason, beside the event
 * @param {number} [attemptsLeft]
 * @returns {Reason}
 */
export function reasonOf({ status, statusCode }, endingReason, attemptsLeft = 0) {
  // The last attempt failed for a reason of its own.
  if (endingReason && endingReason !== "last_try") return endingReason;
  const action = Object.values(ACTIONS).find(({ errorStatus }) => errorStatus === status);
  return REASONS[status] ?? action?.reasonOf(statusCode, attemptsLeft) ?? "technical";
}
