// Enrollment of a card: its number, the customer's details and the consents.

import { newCardBody, newCardReason } from "../new-card.js";

export const enrollment = {
  path: "enroll",
  errorStatus: /** @type {const} */ ("ERROR_ENROLLMENT"),
  isDestructive: false,

  /** @param {import("../configuration.js").Texts} texts */
  texts: ({ register, waiting, success }) => ({
    // The key is spelled this way in the widget document (`docs/sources.md#widget`).
    title: register.tittle,
    lead: register.info,
    cards: "",
    cardNumber: register.userData.card_number,
    confirm: register.confirm,
    keep: "",
    waiting: waiting.title,
    success: success.info,
  }),
  failureTexts: () => ({ infos: {} }),

  /** @param {string | undefined} statusCode @returns {import("../reason.js").Reason} */
  reasonOf: (statusCode) => (statusCode === "-50" ? "customer_already_enrolled" : newCardReason(statusCode)),

  /** @param {import("../wire.js").EnrollmentDescription} description @returns {import("../actions.js").FormParts} */
  parts: (description) => ({
    cards: [],
    newCard: description,
    ...(description.terms?.url && { readMoreUrl: description.terms.url }),
  }),
  /** @param {import("../submission.js").Entered} entered @param {import("../wire.js").EnrollmentDescription} description */
  body: (entered, { encryptionKey }) => newCardBody(entered, encryptionKey),
};
