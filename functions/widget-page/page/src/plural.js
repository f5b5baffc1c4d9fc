// Plural forms of a text: siblings `one`, `few`, `many`, `other` by the language's rules (`Intl.PluralRules`).

/**
 * @typedef {{ other: string } & Partial<Record<Intl.LDMLPluralRule, string>>} Plural
 */

/**
 * Returns the form for `count`, with every placeholder of its value filled in.
 *
 * @param {Plural} forms @param {"count" | "minutes"} placeholder @param {number} count @param {string} language of the text
 */
export function plural(forms, placeholder, count, language) {
  const form = new Intl.PluralRules(language || "en").select(count);
  return (forms[form] ?? forms.other).replaceAll(`{${placeholder}}`, String(count));
}
