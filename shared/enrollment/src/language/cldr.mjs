// Writes cldr.txt from the CLDR data in Node.js: `node cldr.mjs > cldr.txt`.
// Languages: those of two letters, and those of three for which ICU has a locale. A test in tests/interop asks the
// running page the same questions as `Intl.Locale`.

const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];
const pairs = LETTERS.flatMap((a) => LETTERS.map((b) => a + b));
const triples = pairs.flatMap((pair) => LETTERS.map((c) => pair + c));
const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
const regions = pairs.map((pair) => pair.toUpperCase()).filter((region) => names.of(region));
const isSupported = (language) => Intl.DisplayNames.supportedLocalesOf(language).length > 0;
const likely = (tag) => new Intl.Locale(tag).maximize();

const languages = [...pairs, ...triples.filter(isSupported)].filter((code) => {
  const { language, script } = likely(code);
  // `no` is replaced below.
  return script !== undefined && language === code && code !== "no";
});
const scripts = [...new Set(languages.map((language) => likely(language).script)), "Latn"];

const lines = [];
for (const language of languages) {
  const usual = likely(language);
  lines.push(`${language} ${usual.script} ${usual.region}`);
  for (const region of regions) {
    const { script, region: kept } = likely(`${language}-${region}`);
    if (script !== usual.script && kept === region) {
      lines.push(`${language}-${region} ${script} ${region}`);
    }
  }
  for (const script of scripts) {
    const { region } = likely(`${language}-${script}`);
    if (script !== usual.script && region !== usual.region) {
      lines.push(`${language}-${script} ${script} ${region}`);
    }
  }
}

const aliases = [];
for (const code of [...pairs, ...triples]) {
  const now = new Intl.Locale(code);
  if (now.language !== code && (now.language === "no" || languages.includes(now.language))) {
    aliases.push(`${code} = ${now}`);
  }
}
// CLDR has both, as names of one language.
aliases.push("no = nb");
for (const region of pairs.map((pair) => pair.toUpperCase())) {
  const now = new Intl.Locale(`und-${region}`).region;
  if (now !== region) {
    aliases.push(`${region} = ${now}`);
  }
}

const cldr = process.versions.cldr;
console.log(`# Likely subtags and replaced codes of CLDR ${cldr}, written by cldr.mjs.`);
console.log("# 'tag script region': what the tag probably means. 'old = new': a code and what replaced it.");
console.log([...lines, ...aliases].join("\n"));
