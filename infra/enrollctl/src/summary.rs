//! Summary of a stored client.

use std::fmt::Write as _;

use enrollment::client::{BankCustomerNumberKind, Client, ClientStatus, Issuer, Program, Tokenization};
use jiff::Timestamp;

use crate::difference::fingerprint;

/// Formats status, programs with their retention, keys with their ends.
pub(crate) fn summary(client: &Client, base_url: &str, now: Timestamp) -> String {
    let mut text = format!("{}: {}\n", client.id, client.name);
    let mut row = |label: &str, value: &str| {
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "  {label:<10}{value}");
    };
    if client.institution() != client.name {
        row("MRS name", client.institution());
    }
    row("status", word(client.status));
    row("page", &format!("{base_url}/widget/{}/", client.slug));
    if let Some(home) = &client.home_url {
        row("home", home.as_str());
    }
    for target in &client.return_targets {
        row("return to", &target.to_string());
    }
    for program in &client.programs {
        row("program", &offer(program));
    }
    for program in &client.retired_programs {
        row(
            "retired",
            &format!(
                "{}: cancelled cards are kept {} days",
                program.id, program.retention_days
            ),
        );
    }
    if let Some(issuer) = &client.issuer {
        row("issuer", &settings(issuer));
    } else if let Some(days) = client.issuer_retention_days() {
        row("issuer", &format!("no more; records are kept {days} days"));
    }
    for key in &client.keys {
        let end = match key.not_after {
            None => "no end".to_owned(),
            Some(end) if end <= now => format!("ended {end}"),
            Some(end) => format!("ends {end}"),
        };
        row("key", &format!("{}: {}; {end}", key.id, fingerprint(&key.pem)));
    }
    text
}

/// Returns a status as the client file writes it.
pub(crate) fn word(status: ClientStatus) -> &'static str {
    match status {
        ClientStatus::Active => "active",
        ClientStatus::Suspended => "suspended",
    }
}

fn settings(issuer: &Issuer) -> String {
    let mode = match issuer.tokenization {
        Tokenization::Immediate => "immediate tokenization",
        Tokenization::AtFirstCheckout => "tokenization at the first checkout",
        Tokenization::PreProvisioned => "pre-provisioned",
    };
    format!(
        "{} ({}), {mode}; polled every {} s for at most {} h; records are kept {} days",
        issuer.src_client_id,
        issuer.service_id,
        issuer.poll_interval_seconds,
        issuer.max_age_hours,
        issuer.retention_days
    )
}

fn offer(program: &Program) -> String {
    let mut actions = vec!["enroll"];
    actions.extend(program.replacement.then_some("replace"));
    actions.extend(program.opt_out.then_some("opt out"));
    let number = match program.bank_customer_number {
        BankCustomerNumberKind::PerCard => "",
        BankCustomerNumberKind::CustomerId => ", identified by the customer id",
    };
    format!(
        "{}: {}; cancelled cards are kept {} days; cards per customer: {}{number}",
        program.id,
        actions.join(", "),
        program.retention_days,
        program.max_cards
    )
}

#[cfg(test)]
mod tests {
    use enrollment::client::{HomeUrl, ReturnTarget};

    use super::*;
    use crate::difference::tests::{PUBLIC_KEY, client, program};

    #[test]
    fn summary_lists_status_programs_and_keys() {
        let mut client = client("Demo Bank");
        client.status = ClientStatus::Suspended;
        client.institution_name = Some("Demo Bank plc".into());
        client.home_url = HomeUrl::parse("https://bank.example/").ok();
        client.return_targets = vec![ReturnTarget::parse("com.bank.app:").unwrap()];
        client.programs = vec![program("1", 30), program("2", 7)];
        client.programs[0].replacement = false;
        let mut next = client.clone();
        next.programs.truncate(1);
        next.retire_programs_of(&client);
        let now: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let mut ended = next.keys[0].clone();
        (ended.id, ended.not_after) = ("old".into(), Some(now));
        let mut ending = next.keys[0].clone();
        (ending.id, ending.not_after) = ("older".into(), Some("2027-01-01T00:00:00Z".parse().unwrap()));
        next.keys.extend([ended, ending]);
        next.issuer = Some(Issuer {
            src_client_id: "bank-1".into(),
            service_id: "SRC".into(),
            tokenization: Tokenization::Immediate,
            poll_interval_seconds: 300,
            max_age_hours: 72,
            retention_days: 30,
        });
        let key = fingerprint(PUBLIC_KEY);
        assert_eq!(
            summary(&next, "https://cards.example", now),
            format!(
                "demo: Demo Bank\n  \
                 MRS name  Demo Bank plc\n  \
                 status    suspended\n  \
                 page      https://cards.example/widget/demo/\n  \
                 home      https://bank.example/\n  \
                 return to com.bank.app:\n  \
                 program   1: enroll, opt out; cancelled cards are kept 30 days; cards per customer: 5\n  \
                 retired   2: cancelled cards are kept 7 days\n  \
                 issuer    bank-1 (SRC), immediate tokenization; polled every 300 s for at most 72 h; records are kept 30 days\n  \
                 key       2026-11: {key}; no end\n  \
                 key       old: {key}; ended 2026-11-21T00:00:00Z\n  \
                 key       older: {key}; ends 2027-01-01T00:00:00Z\n"
            )
        );
    }
}
