// Opt-out: removal of a card on file.

import { missingCardReason } from "../card-choice.js";

export const optOut = {
  path: "cancel",
  errorStatus: /** @type {const} */ ("ERROR_REMOVAL"),
  isDestructive: true,

  /** @param {import("../configuration.js").Texts} texts */
  texts: ({ remove }) => ({ ...remove, lead: remove.info, cardNumber: "" }),
  /** @param {import("../configuration.js").Texts} texts */
  failureTexts: ({ remove }) => ({
    titles: { noted: remove.noted_title, no_card: remove.no_card_title, kept: remove.kept_title },
    infos: { ...remove.error, kept: remove.kept },
  }),

  /** @param {string | undefined} statusCode @param {number} attemptsLeft @returns {import("../reason.js").Reason} */
  reasonOf(statusCode, attemptsLeft) {
    switch (statusCode) {
      case undefined:
        return missingCardReason(attemptsLeft);
      case "-5":
      case "-10":
      case "-85":
        return "declined";
      // MRS did not answer in time. The server keeps trying: a removal is never undone.
      case "-1001":
        return "noted";
      default:
        return "technical";
    }
  },

  /** @param {import("../wire.js").OptOutDescription} description @returns {import("../actions.js").FormParts} */
  parts: ({ cards }) => ({ cards }),
  /** @param {import("../submission.js").Entered} entered */
  body: async ({ oldCard }) => ({ oldCard: oldCard?.id }),
};
