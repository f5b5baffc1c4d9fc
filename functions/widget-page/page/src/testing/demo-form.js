/** @returns {import("../wire.js").EnrollmentDescription} a program with all fields, like the demo client's */
export function demoForm() {
  return {
    action: "N",
    ...newCard(),
    terms: { version: "2026-01", url: "https://bank.example/terms" },
    privacy: { version: "2026-02", text: "What we keep.\n\nAnd why." },
  };
}

/** @param {import("../wire.js").CardOnFile[]} [cards] @returns {import("../wire.js").ReplacementDescription} */
export function demoReplacement(cards = [gold, blue]) {
  const { fields, ...rest } = newCard();
  return { action: "R", cards, ...rest, fields: { ...fields, terms: "hidden", privacy: "hidden" } };
}

/** @param {import("../wire.js").CardOnFile[]} [cards] @returns {import("../wire.js").OptOutDescription} */
export function demoRemoval(cards = [gold, blue]) {
  return { action: "C", cards, attemptsLeft: 5, expiresAt: 1_800_000_900, extensionsLeft: 10 };
}

/** @type {import("../wire.js").CardOnFile} */
export const gold = { id: "a".repeat(64), masked: "5234 XXXX XXXX 0123", last4: "0123", designCode: "Gold" };
/** @type {import("../wire.js").CardOnFile} */
export const blue = { id: "b".repeat(64), masked: "5234 XXXX XXXX 4567", last4: "4567" };

/** @returns {import("../wire.js").NewCardDescription} */
function newCard() {
  return {
    fields: { firstName: "optional", lastName: "required", email: "optional", terms: "required", privacy: "optional" },
    binRanges: [{ from: "523400", to: "523499" }],
    encryptionKey: { reference: "119009", spki: "", fingerprint: "" },
    attemptsLeft: 5,
    expiresAt: 1_800_000_900,
    extensionsLeft: 10,
  };
}
