// Types exchanged with `/widget/api/…` and with the embedding page, and parsers of an event and its reason: nothing from the
// wire is passed on unchecked.

/**
 * @typedef {(typeof STATUSES)[number]} Status
 * @typedef {{ status: Status, statusCode?: string, parentId?: string, ranac?: string, designCode?: string,
 *   bin?: string, last4?: string }} EndedEvent `docs/sources.md#widget`, "Event data structure"
 *
 * @typedef {"N" | "R" | "C"} ActionCode enrollment, replacement, opt-out
 *
 * @typedef {"hidden" | "optional" | "required"} Presence
 * @typedef {"firstName" | "lastName" | "email"} PersonalField
 * @typedef {"terms" | "privacy"} DocumentName
 * @typedef {{ version: string, url?: string, text?: string }} ConsentDocument
 * @typedef {{ from: string, to: string }} BinRange both ends included, equally long, 6 to 11 digits
 * @typedef {{ reference: string, spki: string, fingerprint: string }} EncryptionKey
 * @typedef {{ id: string, masked: string, last4: string, designCode?: string, art?: string, color?: string }} CardOnFile
 *   `masked`: `5234 XXXX XXXX 0123`; `art`: address of the design's picture; `color`: of the design, as `#rrggbb`
 * @typedef {{ fields: Record<PersonalField | DocumentName, Presence>, terms?: ConsentDocument, privacy?: ConsentDocument,
 *   binRanges: BinRange[], encryptionKey: EncryptionKey } & Lifetime} NewCardDescription
 * @typedef {{ attemptsLeft: number, expiresAt: number, extensionsLeft: number }} Lifetime of a session; `expiresAt` in Unix seconds
 * @typedef {{ action: "N" } & NewCardDescription} EnrollmentDescription
 * @typedef {{ action: "R", cards: CardOnFile[] } & NewCardDescription} ReplacementDescription
 * @typedef {{ action: "C", cards: CardOnFile[] } & Lifetime} OptOutDescription
 * @typedef {(EnrollmentDescription | ReplacementDescription | OptOutDescription) & { returnUrl?: string }} FormDescription
 *   `cards` is never empty; `returnUrl` is in every answer to a GET, also beside an event
 *
 * @typedef {{ key: string, data: string }} EncryptedCard
 * @typedef {{ document: DocumentName, version: string }} Consent
 * @typedef {{ card: EncryptedCard, bin: string, last4: string, consents: Consent[],
 *   firstName?: string, lastName?: string, email?: string }} Enrollment
 * @typedef {Enrollment & { oldCard: string }} Replacement
 * @typedef {{ oldCard: string }} OptOut
 */

/** @typedef {(typeof REASONS)[number]} EndingReason reason for a failure, sent beside the event and never in it */

const REASONS = /** @type {const} */ (["limit", "suspended", "used", "card_limit", "no_card", "card_gone", "last_try"]);

const STATUSES = /** @type {const} */ ([
  "ACCESS_DENIED",
  "TOKEN_EXPIRED",
  "INVALID_PARAMETERS",
  "SUCCESS_ENROLLMENT",
  "ERROR_ENROLLMENT",
  "SUCCESS_REPLACEMENT",
  "ERROR_REPLACEMENT",
  "SUCCESS_REMOVAL",
  "ERROR_REMOVAL",
]);
const MEMBERS = /** @type {const} */ (["statusCode", "parentId", "ranac", "designCode", "bin", "last4"]);

/**
 * Parses the event in an answer: its seven members and no others; absent members stay absent, never null.
 *
 * @param {Record<string, unknown>} answer
 * @returns {EndedEvent | undefined} nothing if the answer is no event
 */
export function eventIn(answer) {
  const status = STATUSES.find((known) => known === answer["status"]);
  if (!status) return undefined;
  /** @type {EndedEvent} */
  const event = { status };
  for (const member of MEMBERS) {
    const value = answer[member];
    if (typeof value === "string" && value) event[member] = value;
  }
  return event;
}

/** @param {unknown} word @returns {EndingReason | undefined} nothing for an unknown reason */
export function reasonIn(word) {
  return REASONS.find((known) => known === word);
}
