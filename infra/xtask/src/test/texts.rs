//! Lint for the page's texts: every text that a customer can see has a key, and every key has a use. That each built-in
//! language has the same keys, placeholders and plural forms is a unit test of `enrollment`, `texts::built_in`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::TestRun;
use crate::console;

mod script;
mod template;

use script::Script;
use template::Template;

/// Built-in English, which has every key.
const ENGLISH: &str = "shared/enrollment/src/texts/en.json";
/// Folder of the function that serves the page.
const PAGE: &str = "functions/widget-page";
/// Plural categories of CLDR.
const CATEGORIES: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

/// Sources of the page.
#[derive(Default)]
struct Page {
    templates: Vec<Template>,
    scripts: Vec<Script>,
    /// Quoted words of the server's code.
    quoted: BTreeSet<String>,
}

/// Fails if a text has no key or a key no use.
pub(crate) fn check(run: &TestRun<'_>) -> Result<()> {
    let root = run.checkout.root();
    let english = fs::read_to_string(root.join(ENGLISH)).with_context(|| format!("can't read {ENGLISH}"))?;
    let english: Value = serde_json::from_str(&english).with_context(|| format!("{ENGLISH} is no JSON"))?;
    let page = Page::read(&root.join(PAGE))?;
    let findings = findings_in(&english, &page);
    for finding in &findings {
        console::note(finding);
    }
    if findings.is_empty() {
        console::note(&format!("{} keys, each in use", keys(&english).len()));
        Ok(())
    } else {
        bail!("{} findings in the page's texts", findings.len())
    }
}

/// Texts without a key, then names of keys that don't exist, then keys without a use.
fn findings_in(english: &Value, page: &Page) -> Vec<String> {
    let keys = keys(english);
    let literals = page.templates.iter().flat_map(|template| &template.literals);
    let literals = literals.chain(page.scripts.iter().flat_map(|script| &script.literals));
    let without_key = literals.map(|literal| format!("{literal} has no key in {ENGLISH}"));
    let named: BTreeSet<_> = page
        .templates
        .iter()
        .flat_map(|template| &template.paths)
        .collect();
    let without_text = named
        .iter()
        .filter(|path| !keys.contains(**path))
        .map(|path| format!("'{path}' of a template is not in {ENGLISH}"));
    let without_use = keys
        .iter()
        .filter(|key| !page.uses(key))
        .map(|key| format!("'{key}' of {ENGLISH} is used by nothing"));
    without_key.chain(without_text).chain(without_use).collect()
}

impl Page {
    fn read(folder: &Path) -> Result<Self> {
        let mut page = Self::default();
        for path in files(&folder.join("templates"), "html")? {
            page.templates
                .push(Template::parse(&name(&path), &fs::read_to_string(&path)?));
        }
        for path in files(&folder.join("page/src"), "js")? {
            let is_test = name(&path).ends_with(".test.js")
                || path.components().any(|part| part.as_os_str() == "testing");
            if !is_test {
                page.scripts
                    .push(Script::parse(&name(&path), &fs::read_to_string(&path)?));
            }
        }
        for path in files(&folder.join("src"), "rs")? {
            let code = fs::read_to_string(&path)?;
            page.quoted
                .extend(code.split('"').skip(1).step_by(2).map(str::to_owned));
        }
        if page.templates.is_empty() || page.scripts.is_empty() {
            bail!("{} has no templates or no scripts", folder.display());
        }
        Ok(page)
    }

    /// Whether a template or the server's code names the key, or a script has all words of it. A script may put the last word
    /// together, `card_number_${problem}`; the rest of the word has then to be in a script too.
    fn uses(&self, key: &str) -> bool {
        let is_named =
            self.templates.iter().any(|template| template.paths.contains(key)) || self.quoted.contains(key);
        let has = |word: &str| self.scripts.iter().any(|script| script.words.contains(word));
        let (sections, leaf) = key.rsplit_once('.').unwrap_or(("", key));
        let is_composed = || {
            let patterns = self.scripts.iter().flat_map(|script| &script.patterns);
            let mut rests = patterns
                .filter_map(|(start, end)| leaf.strip_prefix(start.as_str())?.strip_suffix(end.as_str()));
            rests.any(&has)
        };
        is_named
            || sections
                .split('.')
                .filter(|section| !section.is_empty())
                .all(&has)
                && (has(leaf) || is_composed())
    }
}

/// Dotted paths of all texts. The forms of a plural have one path.
fn keys(english: &Value) -> BTreeSet<String> {
    fn collect(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        let is_category = |key: &String| CATEGORIES.contains(&key.as_str());
        match value {
            Value::Object(members) if !(members.contains_key("other") && members.keys().all(is_category)) => {
                for (key, value) in members {
                    let path = if path.is_empty() {
                        key.clone()
                    } else {
                        format!("{path}.{key}")
                    };
                    collect(value, &path, found);
                }
            }
            _ => {
                found.insert(path.to_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    collect(english, "", &mut found);
    found
}

/// Files of a folder and those below it, with this ending.
fn files(folder: &Path, ending: &str) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("can't list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEMPLATE: &str = r#"<p>{{ texts.text("form.title") }}</p>"#;

    fn told(english: &Value, template: &str, script: &str) -> Vec<String> {
        let page = Page {
            templates: vec![Template::parse("page.html", template)],
            scripts: vec![Script::parse("form.js", script)],
            quoted: BTreeSet::from(["check.title".to_owned()]),
        };
        findings_in(english, &page)
    }

    #[test]
    fn keys_in_use_are_no_finding() {
        let english = json!({
            "form": {"title": "Card", "info": {"one": "a", "other": "b"}, "card_missing": "c"},
            "check": {"title": "Check"},
        });
        let script = "const { form } = texts; show(form.info, form[`${name}_missing`], { name: \"card\" });";
        assert_eq!(told(&english, TEMPLATE, script), Vec::<String>::new());
    }

    #[test]
    fn key_without_use_is_found() {
        let english =
            json!({"form": {"title": "Card", "orphan": "a", "email_missing": "b"}, "lost": {"title": "c"}});
        // Comments are no use.
        let script =
            "// orphan\n/* lost */ const title = texts.form[`${name}_missing`]; const name = 'card';";
        assert_eq!(
            told(&english, TEMPLATE, script),
            ["form.email_missing", "form.orphan", "lost.title"]
                .map(|key| format!("'{key}' of {ENGLISH} is used by nothing"))
        );
    }

    #[test]
    fn name_of_no_key_is_found() {
        let template = r#"{{ texts.text("form.title") }}{{ texts.plain("form.typo") }}"#;
        assert_eq!(
            told(&json!({"form": {"title": "Card"}}), template, ""),
            [format!("'form.typo' of a template is not in {ENGLISH}")]
        );
    }

    #[test]
    fn text_without_key_is_found() {
        let english = json!({"form": {"title": "Card"}});
        let template = format!("{TEMPLATE}<p>Add it</p>");
        let script = "element.textContent = \"Please wait\";";
        assert_eq!(
            told(&english, &template, script),
            [
                format!("page.html:1: 'Add it' has no key in {ENGLISH}"),
                format!("form.js:1: 'Please wait' has no key in {ENGLISH}"),
            ]
        );
    }
}
