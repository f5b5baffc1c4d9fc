// Why an interaction failed, as far as a customer is told different things. The words are in `words.js`.

/**
 * @typedef {"program" | "in_another_program" | "already_enrolled" | "customer_already_enrolled" | "technical" | "access_denied"
 *   | "invalid_parameters" | "expired" | "refused" | "browser" | "unsettled" | "unreachable"
 *   | "no_card" | "card_gone" | "noted" | "declined" | "card_limit" | "limit" | "suspended" | "used" | "unavailable"} Reason
 *   `program`: the card does not belong to it, and there is an address to read more at; `in_another_program`: there is none;
 *   `no_card`: nothing to replace or remove; `card_gone`: not any more; `noted`: a removal that goes on by itself;
 *   `declined`: MRS does not know the card as one that could be removed
 */

/**
 * Which reason suits an event and MRS's code in it (source document 001, table of status codes).
 *
 * @param {import("./wire.js").EndedEvent} event
 * @param {import("./wire.js").EndingReason} [why] what the server says beside the event
 * @param {number} [attemptsLeft] another try means that there may be other cards
 * @returns {Reason}
 */
export function reasonOf({ status, statusCode }, why, attemptsLeft = 0) {
  // The last try failed for a reason of its own.
  if (why && why !== "last_try") return why;
  switch (status) {
    case "TOKEN_EXPIRED":
      return "expired";
    case "ACCESS_DENIED":
      return "access_denied";
    case "INVALID_PARAMETERS":
      return "invalid_parameters";
    case "ERROR_REPLACEMENT":
      if (!statusCode) return attemptsLeft > 0 ? "card_gone" : "no_card";
      return reasonOfNewCard(statusCode);
    case "ERROR_REMOVAL":
      if (!statusCode) return attemptsLeft > 0 ? "card_gone" : "no_card";
      return reasonOfRemoval(statusCode);
    default:
      return statusCode === "-50" ? "customer_already_enrolled" : reasonOfNewCard(statusCode);
  }
}

/** For the codes that say the card is not eligible, it is the program. @param {string} [statusCode] @returns {Reason} */
function reasonOfNewCard(statusCode) {
  switch (statusCode) {
    case "-44":
    case "-52":
      return "program";
    case "-45":
      return "already_enrolled";
    default:
      return "technical";
  }
}

/** @param {string} statusCode @returns {Reason} */
function reasonOfRemoval(statusCode) {
  switch (statusCode) {
    case "-5":
    case "-10":
    case "-85":
      return "declined";
    // MRS did not answer in time. A removal only rolls forward.
    case "-1001":
      return "noted";
    default:
      return "technical";
  }
}
