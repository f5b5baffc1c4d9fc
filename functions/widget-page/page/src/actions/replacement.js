// Replacement of a card on file by a new one.

import { missingCardReason } from "../card-choice.js";
import { newCardBody, newCardReason } from "../new-card.js";

export const replacement = {
  path: "replace",
  errorStatus: /** @type {const} */ ("ERROR_REPLACEMENT"),
  isDestructive: false,

  /** @param {import("../configuration.js").Texts} texts */
  texts: ({ replace }) => ({ ...replace, lead: replace.info, cardNumber: replace.card_number, keep: "" }),
  /** @param {import("../configuration.js").Texts} texts */
  failureTexts: ({ replace }) => ({ titles: { no_card: replace.no_card_title }, infos: { ...replace.error, in_another_program: replace.error.program } }),

  /** Codes are about the new card. @param {string | undefined} statusCode @param {number} attemptsLeft */
  reasonOf: (statusCode, attemptsLeft) =>
    statusCode ? newCardReason(statusCode) : missingCardReason(attemptsLeft),

  /** @param {import("../wire.js").ReplacementDescription} description @returns {import("../actions.js").FormParts} */
  parts: (description) => ({ cards: description.cards, newCard: description }),
  /** @param {import("../submission.js").Entered} entered @param {import("../wire.js").ReplacementDescription} description */
  body: async (entered, { encryptionKey }) => ({
    oldCard: entered.oldCard?.id,
    ...(await newCardBody(entered, encryptionKey)),
  }),
};
