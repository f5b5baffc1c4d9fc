use std::sync::Arc;

use platform::SystemClock;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const BASE: &str = "https://enroll.example/test";
const CARD: &str = "5234000000000015";

fn base(address: &str) -> PublicBaseUrl {
    PublicBaseUrl::parse(address).unwrap()
}

fn reports() -> PolicyReports {
    let metrics = Metrics::disabled(Arc::new(SystemClock));
    PolicyReports::new(metrics)
}

/// Directive and source of each violation of a body, for a client with one origin.
fn kept(body: &[u8]) -> Vec<(&'static str, &'static str)> {
    let registered = [Origin::parse("https://bank.example").unwrap()];
    reported(body)
        .iter()
        .map(|report| Violation::of(report, &base(BASE), &registered))
        .map(|violation| (violation.directive, violation.blocked.as_str()))
        .collect()
}

#[test]
fn reports_are_read_as_browsers_send_them() {
    for (report, expected) in [
        (
            include_str!("../../tests/reports/chromium-uri.json"),
            ("img-src", "other"),
        ),
        (
            include_str!("../../tests/reports/chromium-to.json"),
            ("script-src-elem", "inline"),
        ),
        (
            include_str!("../../tests/reports/firefox-uri.json"),
            ("style-src-elem", "inline"),
        ),
        (
            include_str!("../../tests/reports/firefox-to.json"),
            ("connect-src", "self"),
        ),
        (
            include_str!("../../tests/reports/safari-uri.json"),
            ("frame-ancestors", "registered"),
        ),
        (
            include_str!("../../tests/reports/safari-to.json"),
            ("script-src", "eval"),
        ),
    ] {
        assert_eq!(kept(report.as_bytes()), [expected], "{report}");
    }
}

#[test]
fn source_is_one_of_seven_words() {
    for (blocked, expected) in [
        ("self", "self"),
        ("https://enroll.example/test/widget/x?y", "self"),
        ("inline", "inline"),
        ("", "inline"),
        ("eval", "eval"),
        ("wasm-eval", "eval"),
        ("data", "data"),
        ("data:text/html,5234000000000015", "data"),
        ("blob:https://enroll.example/1", "blob"),
        ("https://bank.example", "registered"),
        ("https://bank.example/5234000000000015", "registered"),
        ("https://bank.example.evil.example/", "other"),
        ("http://bank.example/", "other"),
        ("https://bank.example:8443/", "other"),
        ("https://5234000000000015.example/", "other"),
        ("trusted-types-sink", "other"),
        ("about", "other"),
        ("5234 0000 0000 0015", "other"),
    ] {
        let body = json!({"csp-report": {"effective-directive": "img-src", "blocked-uri": blocked}});
        assert_eq!(
            kept(body.to_string().as_bytes()),
            [("img-src", expected)],
            "{blocked}"
        );
    }
}

#[test]
fn directive_is_known_or_other() {
    for (text, expected) in [
        ("IMG-SRC", "img-src"),
        (
            "script-src 'self' https://evil.example/5234000000000015",
            "script-src",
        ),
        ("img-src\n{\"level\":\"ERROR\"}", "img-src"),
        (CARD, "other"),
        ("", "other"),
        ("img-src5234000000000015", "other"),
    ] {
        let body = json!({"csp-report": {"violated-directive": text, "blocked-uri": "inline"}});
        assert_eq!(
            kept(body.to_string().as_bytes()),
            [(expected, "inline")],
            "{text}"
        );
    }
}

#[test]
fn slug_is_found_after_the_base_path() {
    for (address, document, expected) in [
        (
            BASE,
            "https://enroll.example/test/widget/bank/?lang=en",
            Some("bank"),
        ),
        (
            "https://enroll.example/widget",
            "https://enroll.example/widget/widget/bank/",
            Some("bank"),
        ),
        (BASE, "https://other.example/widget/bank#x", Some("bank")),
        (BASE, "https://enroll.example/test", None),
    ] {
        assert_eq!(
            slug(document, &base(address)).as_ref().map(Slug::as_str),
            expected,
            "{document}"
        );
    }
}

#[test]
fn unreadable_reports_are_dropped() {
    let long =
        json!({"csp-report": {"effective-directive": "img-src", "x": "x".repeat(MAX_BYTES)}}).to_string();
    for body in [
        "",
        "{}",
        "[]",
        "[{}]",
        "[1]",
        "nonsense",
        r#"{"csp-report":7}"#,
        &long,
    ] {
        assert_eq!(kept(body.as_bytes()), [], "{body}");
    }
    let many = vec![json!({"type": "csp-violation", "body": {"effectiveDirective": "img-src"}}); 9];
    assert_eq!(kept(json!(many).to_string().as_bytes()).len(), MAX_VIOLATIONS);
}

#[test]
fn one_line_a_minute_is_written() {
    let reports = reports();
    let start = Timestamp::UNIX_EPOCH;
    let after = |seconds| start + SignedDuration::from_secs(seconds);
    let lines = [0, 1, 59, 60, 61, 119, 120].map(|second| reports.wants_a_line(after(second)));
    assert_eq!(lines, [true, false, false, true, false, false, true]);
}

proptest! {
    /// Whatever a report holds, what is kept of it are words of this code's.
    #[test]
    fn nothing_but_closed_words_comes_out(
        directive in "(script-src|img-src|)[ -~]{0,20}|\\PC{0,30}|5234000000000015",
        blocked in "(https?://|data:|blob:|)[ -~]{0,30}|\\PC{0,30}|5234 0000 0000 0015",
        document in "(https://enroll.example/test/widget/)?\\PC{0,30}",
        is_old in any::<bool>(),
    ) {
        let body = if is_old {
            json!({"csp-report": {"effective-directive": directive, "blocked-uri": blocked, "document-uri": document}})
        } else {
            json!([{"type": "csp-violation", "body":
                {"effectiveDirective": directive, "blockedURL": blocked, "documentURL": document}}])
        };
        for (directive, blocked) in kept(body.to_string().as_bytes()) {
            prop_assert!(DIRECTIVES.contains(&directive) || directive == NO_DIRECTIVE);
            prop_assert!(["self", "inline", "eval", "data", "blob", "registered", "other"].contains(&blocked));
        }
    }

    #[test]
    fn any_bytes_are_taken(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(kept(&body).len() <= MAX_VIOLATIONS);
    }
}
