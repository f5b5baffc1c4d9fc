// Which of the client's texts the page speaks with: each action has its own, and the enrollment's where it has none.

/**
 * @typedef {{ title: string, info: string }} Words
 * @typedef {{ title: string, lead: string, cards: string, cardNumber: string, confirm: string, waiting: string,
 *   success: string }} ActionWords
 */

/** @param {import("./action.js").Action} action @param {import("./configuration.js").Texts} texts @returns {ActionWords} */
export function wordsOf(action, { register, waiting, success, replace, remove }) {
  switch (action) {
    case "N":
      return {
        // The key is written so in source document 001.
        title: register.tittle,
        lead: register.info,
        cards: "",
        cardNumber: register.userData.card_number,
        confirm: register.confirm,
        waiting: waiting.title,
        success: success.info,
      };
    case "R":
      return { ...replace, lead: replace.info, cardNumber: replace.card_number };
    case "C":
      return { ...remove, lead: remove.info, cardNumber: "" };
  }
}

/**
 * @param {import("./reason.js").Reason} reason
 * @param {import("./action.js").Action} action
 * @param {import("./configuration.js").Texts} texts
 * @returns {Words}
 */
export function wordsFor(reason, action, { error, expired, replace, remove }) {
  if (reason === "expired") return expired;
  /** @type {Partial<Record<import("./reason.js").Reason, string>>} */
  const own = { N: {}, R: { ...replace.error, in_another_program: replace.error.program }, C: remove.error }[action];
  /** @type {Partial<Record<import("./reason.js").Reason, string>>} */
  const shared = { ...error, program: error.info_first_part, in_another_program: error.program };
  return { title: titleOf(reason, { error, expired, remove }), info: own[reason] ?? shared[reason] ?? error.technical };
}

/**
 * @param {import("./reason.js").Reason} reason
 * @param {Pick<import("./configuration.js").Texts, "error" | "expired" | "remove">} texts
 */
function titleOf(reason, { error, expired, remove }) {
  switch (reason) {
    case "card_limit":
      return error.card_limit_title;
    case "limit":
    case "suspended":
    case "unavailable":
      return error.later_title;
    case "used":
      return expired.title;
    case "unsettled":
      return error.unsettled_title;
    case "unreachable":
      return error.unreachable_title;
    case "noted":
      return remove.noted_title;
    default:
      return error.title;
  }
}
