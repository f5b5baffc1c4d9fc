// Writes plurals.txt from the CLDR data in Node.js: `node plurals.mjs > plurals.txt`.
// A line: the plural categories that whole numbers from 0 to 1000 have, `+` and those that other numbers have, `:` and the
// languages.

const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];
const pairs = LETTERS.flatMap((a) => LETTERS.map((b) => a + b));
const triples = pairs.flatMap((pair) => LETTERS.map((c) => pair + c));
const ORDER = ["zero", "one", "two", "few", "many", "other"];

/** @type {Map<string, string[]>} */
const groups = new Map();
for (const language of Intl.PluralRules.supportedLocalesOf([...pairs, ...triples])) {
  if (new Intl.Locale(language).language !== language) continue;
  const rules = new Intl.PluralRules(language);
  const needed = new Set(Array.from({ length: 1001 }, (_, number) => rules.select(number)));
  const all = new Set(rules.resolvedOptions().pluralCategories);
  const first = ORDER.filter((category) => needed.has(category) || category === "other");
  const more = ORDER.filter((category) => all.has(category) && !first.includes(category));
  const key = more.length > 0 ? `${first.join(" ")} + ${more.join(" ")}` : first.join(" ");
  groups.set(key, [...(groups.get(key) ?? []), language]);
}
console.log(`# Plural categories by language, of CLDR ${process.versions.cldr}, written by plurals.mjs.`);
for (const [categories, languages] of [...groups].sort()) console.log(`${categories}: ${languages.join(" ")}`);
