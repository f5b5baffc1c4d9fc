//! What a client file would change, line by line.

use anyhow::Result;
use aws_lc_rs::digest::{SHA256, digest};
use enrollment::client::Client;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// A client as lines to read: keys by fingerprint, pictures by hash.
pub(crate) fn readable(client: &Client) -> Result<String> {
    let mut value = serde_json::to_value(client)?;
    for key in value
        .get_mut("keys")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(pem) = key.get_mut("pem") {
            *pem = fingerprint(pem.as_str().unwrap_or_default()).into();
        }
    }
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}

/// The unified difference of two readable clients; `None` before stands for a client that isn't there yet.
pub(crate) fn unified(before: Option<&str>, after: &str, colours: bool) -> String {
    let before = before.unwrap_or_default();
    let difference = TextDiff::from_lines(before, after);
    let mut text = String::new();
    for hunk in difference.unified_diff().context_radius(3).iter_hunks() {
        text.push_str(&paint(&format!("{}\n", hunk.header()), "36", colours));
        for change in hunk.iter_changes() {
            let (sign, colour) = match change.tag() {
                ChangeTag::Equal => (" ", None),
                ChangeTag::Delete => ("-", Some("31")),
                ChangeTag::Insert => ("+", Some("32")),
            };
            let line = format!("{sign}{}\n", change.value().trim_end_matches('\n'));
            text.push_str(&colour.map_or_else(|| line.clone(), |colour| paint(&line, colour, colours)));
        }
    }
    text
}

fn fingerprint(pem: &str) -> String {
    // The name that Mastercard and OpenSSL give a key; an older PEM form is known by its text.
    mastercard::keys::EncryptionKey::from_pem(pem).map_or_else(
        |_| {
            format!(
                "PEM text of SHA-256 {}",
                hex::encode(digest(&SHA256, pem.trim().as_bytes()))
            )
        },
        |key| format!("RSA {}, SHA-256 {}", key.bits(), key.fingerprint()),
    )
}

fn paint(line: &str, colour: &str, colours: bool) -> String {
    if colours {
        format!("\x1b[{colour}m{}\x1b[0m\n", line.trim_end_matches('\n'))
    } else {
        line.to_owned()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const PUBLIC_KEY: &str =
        include_str!("../../../shared/mastercard/tests/fixtures/rsa-2048-public.pem");

    fn client(name: &str) -> Client {
        serde_json::from_value(serde_json::json!({
            "id": "demo", "slug": "demo", "name": name, "status": "active",
            "keys": [{"id": "2026-11", "pem": PUBLIC_KEY}], "default_language": "en", "translations": {},
            "terms": null, "privacy": null, "fields": {}, "look": {"logo": null, "background": null, "colours": {}},
            "embed_origins": [], "confirmation_hosts": [], "programs": []
        }))
        .unwrap()
    }

    #[test]
    fn keys_are_shown_by_fingerprint() {
        let text = readable(&client("Demo Bank")).unwrap();
        assert!(text.contains("\"pem\": \"RSA 2048, SHA-256 "), "{text}");
        assert!(!text.contains("BEGIN"), "{text}");
    }

    #[test]
    fn a_change_is_shown_with_its_surroundings() {
        let (before, after) = (
            readable(&client("Demo Bank")).unwrap(),
            readable(&client("Demo & Sons")).unwrap(),
        );
        let difference = unified(Some(&before), &after, false);
        let changed: Vec<_> = difference
            .lines()
            .filter(|line| line.starts_with(['-', '+']))
            .collect();
        assert_eq!(
            changed,
            ["-  \"name\": \"Demo Bank\",", "+  \"name\": \"Demo & Sons\","]
        );
        assert!(difference.starts_with("@@"), "{difference}");
        assert!(
            unified(Some(&before), &after, true).contains("\x1b[32m+  \"name\": \"Demo & Sons\",\x1b[0m\n")
        );
    }

    #[test]
    fn a_new_client_is_shown_whole_and_the_same_one_not_at_all() {
        let text = readable(&client("Demo Bank")).unwrap();
        let lines = unified(None, &text, false);
        assert_eq!(
            lines.lines().filter(|line| line.starts_with('+')).count(),
            text.lines().count()
        );
        assert_eq!(unified(Some(&text), &text, false), "");
    }
}
