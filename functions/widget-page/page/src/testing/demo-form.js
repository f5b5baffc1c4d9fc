/** @returns {import("../wire.js").FormDescription} a program with every field, as the demo client's */
export function demoForm() {
  return {
    action: "N",
    fields: { firstName: "optional", lastName: "required", email: "optional", terms: "required", privacy: "optional" },
    terms: { version: "2026-01", url: "https://bank.example/terms" },
    privacy: { version: "2026-02", text: "What we keep.\n\nAnd why." },
    binRanges: [{ from: "523400", to: "523499" }],
    encryptionKey: { reference: "119009", spki: "", fingerprint: "" },
    attemptsLeft: 5,
    expiresAt: 1_800_000_900,
  };
}
