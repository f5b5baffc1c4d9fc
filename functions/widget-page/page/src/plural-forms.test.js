import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../../../../shared/enrollment/src/texts/", import.meta.url);
const CATEGORIES = ["zero", "one", "two", "few", "many", "other"];

/** @param {any} texts @param {string} path @returns {[string, Record<string, string>][]} plurals by path */
function pluralsIn(texts, path = "") {
  if (typeof texts !== "object") return [];
  const keys = Object.keys(texts);
  if (keys.includes("other") && keys.every((key) => CATEGORIES.includes(key))) return [[path, texts]];
  return keys.flatMap((key) => pluralsIn(texts[key], `${path}.${key}`));
}

for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  const language = file.replace(".json", "").replace("_", "-");
  test(`every number to 1000 has a form in ${language}`, () => {
    const rules = new Intl.PluralRules(language);
    assert.equal(rules.resolvedOptions().locale.split("-")[0], language.split("-")[0]);
    const plurals = pluralsIn(JSON.parse(readFileSync(new URL(file, folder), "utf8")));
    assert(plurals.length > 2);
    for (const [path, forms] of plurals) {
      for (let number = 0; number <= 1000; number += 1) {
        assert(forms[rules.select(number)]?.trim(), `${path} has no form for ${number}`);
      }
    }
  });
}
