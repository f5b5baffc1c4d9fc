// Language choice by RFC 4647 lookup with the likely subtags of Intl.Locale, independent of the product.
// Standard input: {"offered": ["pt_BR", …], "tags": ["pt", …]}; standard output: the chosen languages, null for the default.
import { readFileSync } from "node:fs";

const { offered, tags } = JSON.parse(readFileSync(0, "utf8"));

function likely(tag) {
  const { language, script, region } = new Intl.Locale(tag.replaceAll("_", "-")).maximize();
  return { language: language === "no" ? "nb" : language, script, region };
}

const texts = offered.map((name) => ({ name, ...likely(name), hasRegion: /[-_]([A-Z]{2}|\d{3})$/.test(name) }));

function chosen(tag) {
  const wanted = likely(tag);
  const readable = texts.filter((text) => text.language === wanted.language && text.script === wanted.script);
  const exact = readable.find((text) => text.region === wanted.region);
  return (exact ?? readable.find((text) => !text.hasRegion))?.name ?? null;
}

console.log(JSON.stringify(tags.map(chosen)));
