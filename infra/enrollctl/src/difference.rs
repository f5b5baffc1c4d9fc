//! Changes that a client file would make, line by line.

use anyhow::Result;
use aws_lc_rs::digest::{SHA256, digest};
use enrollment::client::public_key::PublicKey;
use enrollment::client::{Client, ClientStatus, Issuer, VerificationKey};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// Returns the consequences of a change that its lines alone do not show.
pub(crate) fn consequences(before: &Client, after: &Client) -> Vec<String> {
    let mut consequences = Vec::new();
    match (before.status, after.status) {
        (ClientStatus::Active, ClientStatus::Suspended) => {
            consequences.push("the client is suspended: its tokens are refused".to_owned());
        }
        (ClientStatus::Suspended, ClientStatus::Active) => {
            consequences.push("the suspension is lifted: the client's tokens are accepted again".to_owned());
        }
        _ => {}
    }
    if before.institution() != after.institution() {
        consequences.push(format!(
            "the institution name changes from '{}' to '{}': if Mastercard does not know the new name, MRS finds none of the \
             client's cards",
            before.institution(),
            after.institution()
        ));
    }
    for program in &before.programs {
        let (id, days) = (&program.id, program.retention_days);
        match after.program(id) {
            None => consequences.push(format!(
                "program {id} is removed: its tokens are refused; its cancelled cards are still deleted after {days} days"
            )),
            Some(now) if now.retention_days != days => consequences.push(format!(
                "program {id}: cancelled cards, earlier ones included, are deleted after {} days instead of {days}",
                now.retention_days
            )),
            Some(_) => {}
        }
    }
    consequences.extend(of_issuer(before.issuer.as_ref(), after.issuer.as_ref()));
    for key in &before.keys {
        let same = |other: &&VerificationKey| fingerprint(&other.pem) == fingerprint(&key.pem);
        match after.keys.iter().find(same) {
            None => consequences.push(format!(
                "key {} is removed: tokens signed with it are refused",
                key.id
            )),
            Some(other) if other.pem != key.pem => consequences.push(format!(
                "key {} is unchanged; only its stored form is updated",
                key.id
            )),
            Some(_) => {}
        }
    }
    consequences
}

/// Returns the consequences of a change of the issuer's settings.
fn of_issuer(before: Option<&Issuer>, after: Option<&Issuer>) -> Vec<String> {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (Some(before), None) => {
            return vec![format!(
                "the client is no issuer any more: its batches are refused; accepted ones are finished, and records are still \
                 deleted after {} days",
                before.retention_days
            )];
        }
        (None, _) => return Vec::new(),
    };
    let mut consequences = Vec::new();
    if before.retention_days != after.retention_days {
        consequences.push(format!(
            "issuer: records of final batches and deleted cards, earlier ones included, are deleted after {} days instead of {}",
            after.retention_days, before.retention_days
        ));
    }
    let without_retention = |issuer: &Issuer| Issuer {
        retention_days: 0,
        ..issuer.clone()
    };
    if without_retention(before) != without_retention(after) {
        consequences
            .push("issuer: the other changes apply to batches that are accepted from now on".to_owned());
    }
    consequences
}

/// Formats a client for reading: keys by fingerprint, pictures by hash.
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

/// Returns the unified difference of two formatted clients; `None` stands for a client that does not exist yet.
pub(crate) fn unified(before: Option<&str>, after: &str, colors: bool) -> String {
    let before = before.unwrap_or_default();
    let difference = TextDiff::from_lines(before, after);
    let mut text = String::new();
    for hunk in difference.unified_diff().context_radius(3).iter_hunks() {
        text.push_str(&paint(&format!("{}\n", hunk.header()), "36", colors));
        for change in hunk.iter_changes() {
            let (sign, color) = match change.tag() {
                ChangeTag::Equal => (" ", None),
                ChangeTag::Delete => ("-", Some("31")),
                ChangeTag::Insert => ("+", Some("32")),
            };
            let line = format!("{sign}{}\n", change.value().trim_end_matches('\n'));
            text.push_str(&color.map_or_else(|| line.clone(), |color| paint(&line, color, colors)));
        }
    }
    text
}

/// Describes a public key by its size and the fingerprint that Mastercard and OpenSSL show.
pub(crate) fn fingerprint(pem: &str) -> String {
    let key = PublicKey::read(pem.as_bytes()).ok();
    let key = key.and_then(|key| mastercard::keys::PublicKey::from_pem(&key.pem).ok());
    // A key that an earlier version stored without today's checks.
    key.map_or_else(
        || {
            format!(
                "PEM text of SHA-256 {}",
                hex::encode(digest(&SHA256, pem.trim().as_bytes()))
            )
        },
        |key| format!("RSA {}, SHA-256 {}", key.bits(), key.fingerprint()),
    )
}

fn paint(line: &str, color: &str, colors: bool) -> String {
    if colors {
        format!("\x1b[{color}m{}\x1b[0m\n", line.trim_end_matches('\n'))
    } else {
        line.to_owned()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use enrollment::client::{Program, Tokenization};

    use super::*;

    pub(crate) const PUBLIC_KEY: &str =
        include_str!("../../../shared/mastercard/tests/fixtures/rsa-2048-public.pem");

    pub(crate) fn client(name: &str) -> Client {
        serde_json::from_value(serde_json::json!({
            "id": "demo", "slug": "demo", "name": name, "status": "active",
            "keys": [{"id": "2026-11", "pem": PUBLIC_KEY}], "default_language": "en", "translations": {},
            "terms": null, "privacy": null, "fields": {}, "look": {"logo": null, "background": null, "colors": {}},
            "embed_origins": [], "confirmation_hosts": [], "programs": []
        }))
        .unwrap()
    }

    pub(crate) fn program(id: &str, retention_days: u16) -> Program {
        serde_json::from_value(serde_json::json!({
            "id": id, "member_ica": 1234, "bank_product_code": "MRSDEMO", "bin_ranges": [],
            "bank_customer_number": "per_card", "retention_days": retention_days, "replacement": true,
            "opt_out": true, "max_cards": 5, "attempts_per_customer_per_hour": 20,
            "attempts_per_client_per_hour": 10_000
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
    fn key_in_another_format_is_unchanged() {
        let (before, mut after) = (client("Demo Bank"), client("Demo Bank"));
        after.keys[0].pem = PUBLIC_KEY.replace('\n', "\r\n");
        let told = consequences(&before, &after);
        assert_eq!(
            told,
            ["key 2026-11 is unchanged; only its stored form is updated"]
        );
        assert_eq!(readable(&before).unwrap(), readable(&after).unwrap());
    }

    #[test]
    fn change_is_shown_with_context() {
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
    fn new_client_is_shown_whole_and_unchanged_one_not() {
        let text = readable(&client("Demo Bank")).unwrap();
        let lines = unified(None, &text, false);
        assert_eq!(
            lines.lines().filter(|line| line.starts_with('+')).count(),
            text.lines().count()
        );
        assert_eq!(unified(Some(&text), &text, false), "");
    }

    #[test]
    fn consequences_of_an_issuer_are_listed() {
        let mut before = client("Demo Bank");
        before.issuer = Some(Issuer {
            src_client_id: "c".into(),
            service_id: "SRC".into(),
            tokenization: Tokenization::Immediate,
            poll_interval_seconds: 300,
            max_age_hours: 72,
            retention_days: 30,
        });
        let told = |change: fn(&mut Issuer)| {
            let mut after = before.clone();
            change(after.issuer.as_mut().unwrap());
            consequences(&before, &after)
        };
        assert_eq!(told(|_| {}), Vec::<String>::new());
        assert_eq!(
            told(|issuer| issuer.retention_days = 7),
            [
                "issuer: records of final batches and deleted cards, earlier ones included, are deleted after 7 days instead of 30"
            ]
        );
        assert_eq!(
            told(|issuer| issuer.tokenization = Tokenization::PreProvisioned),
            ["issuer: the other changes apply to batches that are accepted from now on"]
        );
        let mut none = before.clone();
        none.issuer = None;
        none.retire_programs_of(&before);
        assert!(consequences(&before, &none)[0].starts_with("the client is no issuer any more"));
        assert_eq!(none.issuer_retention_days(), Some(30));
        assert_eq!(consequences(&none, &before), Vec::<String>::new());
    }

    #[test]
    fn consequences_are_listed() {
        let mut before = client("Demo Bank");
        before.programs = vec![program("1", 30), program("2", 7)];
        let mut after = before.clone();
        assert_eq!(consequences(&before, &after), Vec::<String>::new());
        after.status = ClientStatus::Suspended;
        after.programs = vec![program("1", 14)];
        after.keys.clear();
        let told = consequences(&before, &after);
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told[0].starts_with("the client is suspended"));
        assert_eq!(
            told[1],
            "program 1: cancelled cards, earlier ones included, are deleted after 14 days instead of 30"
        );
        assert!(told[2].starts_with("program 2 is removed") && told[2].ends_with("after 7 days"));
        assert!(told[3].starts_with("key 2026-11 is removed"));
        let mut renamed = before.clone();
        renamed.name = "Demo & Sons".into();
        let told = consequences(&before, &renamed);
        assert!(
            told[0].starts_with("the institution name changes"),
            "it is the display name until there is one: {told:?}"
        );
        renamed.institution_name = Some("Demo Bank".into());
        assert_eq!(
            consequences(&before, &renamed),
            Vec::<String>::new(),
            "customers see another name, MRS the same"
        );
        let back = consequences(&after, &before);
        assert!(back[0].starts_with("the suspension is lifted"), "{back:?}");
    }
}
