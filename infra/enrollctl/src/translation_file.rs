//! A file to translate: the page's texts in the JSON of the widget document (`docs/translations.md`), with the English beside
//! each one.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use enrollment::client::Client;
use enrollment::identifiers::ClientId;
use enrollment::language::Language;
use enrollment::texts::{BuiltIn, CATEGORIES, Categories};
use platform::operator::Stack;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::{client, files};

/// Choices of a file to translate.
#[derive(Debug, clap::Args)]
pub(crate) struct TextsArguments {
    /// A client file, or the id of a stored client.
    client: PathBuf,
    /// Language to translate into, such as `pl` or `zh_Hant`.
    #[arg(long, value_name = "TAG", value_parser = Language::parse)]
    language: Language,
    /// File to write [default: named after the language].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the file. An existing one is never overwritten.
pub(crate) async fn write(stack: Option<String>, arguments: &TextsArguments) -> Result<()> {
    let TextsArguments {
        client,
        language,
        output,
    } = arguments;
    let client = find(stack, client).await?;
    let text = file(&client, language)?;
    let output = output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{language}.json")));
    files::create(&output, &text, 0o644)?;
    println!(
        "{} written. Translate the empty texts; members that begin with '_' are the English. A text that stays empty is shown \
         as before. Then name the file in the client file, and look at it before it is applied:\n  \
         [translations]\n  {language} = \"{}\"\n  enrollctl client preview CLIENT_FILE",
        output.display(),
        output.display()
    );
    Ok(())
}

async fn find(stack: Option<String>, client: &Path) -> Result<Client> {
    if client.exists() {
        return Ok(client::read(client)?.client);
    }
    let id = client.to_str().context("the client's id is not UTF-8")?;
    let id = ClientId::parse(id).with_context(|| format!("{id} is neither a file nor a client's id"))?;
    let stack: Stack = crate::find(stack).await?;
    Ok(client::find(&stack, &id).await?.client)
}

/// The file's content: the client's own texts, and empty ones for the rest.
fn file(client: &Client, language: &Language) -> Result<String> {
    let english = BuiltIn::all().first().context("English is not built in")?;
    let english: Node = serde_json::from_str(english.source())?;
    let built_in = BuiltIn::find(language).filter(|built_in| built_in.language.primary() != "en");
    let none = Value::Null;
    let writer = Writer {
        categories: Categories::of(language)
            .map_or_else(|| CATEGORIES.to_vec(), |categories| categories.needed().collect()),
    };
    let own = client.translations.get(language).unwrap_or(&none);
    let mut text = String::new();
    writer.write(
        &english,
        own,
        built_in.map_or(&none, BuiltIn::texts),
        1,
        &mut text,
    );
    Ok(text + "\n")
}

struct Writer {
    /// Plural forms of the language.
    categories: Vec<&'static str>,
}

impl Writer {
    /// Writes an object of texts. `built_in` are the texts that the page shows for those that stay empty.
    fn write(&self, english: &Node, own: &Value, built_in: &Value, depth: usize, text: &mut String) {
        let Node::Members(members) = english else {
            text.push_str(&quoted(own.as_str().unwrap_or_default()));
            return;
        };
        let indent = "  ".repeat(depth);
        // Writing to a string cannot fail.
        text.push_str("{\n");
        for (index, (key, english)) in members.iter().enumerate() {
            let (own, built_in) = (&own[key], &built_in[key]);
            if let Some(note) = note(english, built_in) {
                let _ = writeln!(text, "{indent}{}: {},", quoted(&format!("_{key}")), quoted(&note));
            }
            let _ = write!(text, "{indent}{}: ", quoted(key));
            if english.is_plural() {
                self.write_forms(own, depth + 1, text);
            } else {
                self.write(english, own, built_in, depth + 1, text);
            }
            text.push_str(if index + 1 < members.len() { ",\n" } else { "\n" });
        }
        let _ = write!(text, "{}}}", "  ".repeat(depth - 1));
    }

    /// Writes the forms of a plural. A single text is all of them.
    fn write_forms(&self, own: &Value, depth: usize, text: &mut String) {
        let indent = "  ".repeat(depth);
        let form = |category: &&str| {
            let form = own[category].as_str().or(own.as_str()).unwrap_or_default();
            format!("{indent}{}: {}", quoted(category), quoted(form))
        };
        let forms: Vec<_> = self.categories.iter().map(form).collect();
        let _ = write!(text, "{{\n{}\n{}}}", forms.join(",\n"), "  ".repeat(depth - 1));
    }
}

/// The English of a text, and the built-in one of the language; `None` for a section.
fn note(english: &Node, built_in: &Value) -> Option<String> {
    let english = match english {
        Node::Text(english) => english.clone(),
        Node::Members(forms) if english.is_plural() => {
            let told = forms.iter().map(|(category, form)| format!("{category}: {form}"));
            told.collect::<Vec<_>>().join(" | ")
        }
        Node::Members(_) => return None,
    };
    let built_in = built_in.as_str().or(built_in["other"].as_str());
    Some(built_in.map_or_else(
        || english.clone(),
        |built_in| format!("{english} — built in: {built_in}"),
    ))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// JSON of texts whose members keep their order.
#[derive(Debug)]
enum Node {
    Text(String),
    Members(Vec<(String, Node)>),
}

impl Node {
    /// Whether these are the forms of a plural.
    fn is_plural(&self) -> bool {
        let Self::Members(members) = self else {
            return false;
        };
        members.iter().any(|(key, _)| key == "other")
            && members.iter().all(|(key, _)| CATEGORIES.contains(&key.as_str()))
    }
}

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Members(_) => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Nodes;

        impl<'de> Visitor<'de> for Nodes {
            type Value = Node;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text or an object of texts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Node, E> {
                Ok(Node::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Node::Members(members))
            }
        }

        deserializer.deserialize_any(Nodes)
    }
}

#[cfg(test)]
mod tests {
    use enrollment::texts::{Texts, read_translation};
    use serde_json::json;

    use super::*;

    fn client(translations: &Value) -> Client {
        serde_json::from_value(json!({
            "id": "bank", "slug": "bank", "name": "Bank", "status": "active", "keys": [], "default_language": "en",
            "translations": translations, "terms": null, "privacy": null, "fields": {},
            "look": {"logo": null, "background": null, "colors": {}}, "embed_origins": [], "confirmation_hosts": [],
            "programs": [],
        }))
        .unwrap()
    }

    fn written(tag: &str, translations: &Value) -> String {
        file(&client(translations), &Language::parse(tag).unwrap()).unwrap()
    }

    #[test]
    fn a_written_file_can_be_applied_unchanged() {
        let own = json!({"lt": {"read_more": "Daugiau \"čia\"", "register": {"userData": {"email": "El. paštas"}}}});
        let read = read_translation(written("lt", &own).as_bytes()).unwrap();
        assert_eq!(read["read_more"], "Daugiau \"čia\"");
        assert_eq!(read["register"]["userData"]["email"], "El. paštas");
        assert_eq!(Texts::missing(&[&read]).len(), Texts::paths().len() - 2);
        // Notes are not part of the translation.
        assert!(!read.to_string().contains("\"_"), "{read}");
    }

    #[test]
    fn english_stands_before_each_text_in_its_order() {
        let text = written("lt", &json!({}));
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        let english = Texts::english();
        let title = format!("\"_tittle\": {},", quoted(english.text("register.tittle")));
        let at = lines.iter().position(|line| *line == title).unwrap();
        assert_eq!(lines[at + 1], "\"tittle\": \"\",");
        let place = |key: &str| lines.iter().position(|line| line.starts_with(key)).unwrap();
        assert!(place("\"register\"") < place("\"validation\""));
    }

    #[test]
    fn plurals_have_the_forms_of_the_language() {
        let english = r#"{"info": {"one": "one minute", "other": "{minutes} minutes"}}"#;
        let english: Node = serde_json::from_str(english).unwrap();
        let writer = Writer {
            categories: vec!["one", "few", "other"],
        };
        let mut text = String::new();
        let (own, built_in) = (json!({"info": {"few": "{minutes} minutės"}}), json!({}));
        writer.write(&english, &own, &built_in, 1, &mut text);
        let expected = json!({
            "_info": "one: one minute | other: {minutes} minutes",
            "info": {"one": "", "few": "{minutes} minutės", "other": ""},
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }
}
