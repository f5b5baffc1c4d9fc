//! What a browser reports about a violation of the page's policy: which directive, and the host that was blocked. The rest
//! of a report (addresses, samples of scripts) is not kept: it is foreign text.

use serde::Deserialize;
use tracing::warn;

/// The largest report that is read, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// The most violations of one report that are told.
const MAX_VIOLATIONS: usize = 5;

/// Logs what a report says. One that can't be read is dropped: anybody can send one.
pub(crate) fn log(body: &[u8]) {
    for Violation { directive, blocked } in violations(body) {
        warn!(directive, blocked, "page's policy was violated");
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Violation {
    directive: String,
    blocked: String,
}

/// `report-uri` sends `{"csp-report":{…}}`, `report-to` an array of `{"type":"csp-violation","body":{…}}`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Report {
    Old {
        #[serde(rename = "csp-report")]
        report: OldBody,
    },
    New(Vec<NewReport>),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct OldBody {
    #[serde(alias = "violated-directive")]
    effective_directive: String,
    #[serde(default)]
    blocked_uri: String,
}

#[derive(Deserialize)]
struct NewReport {
    body: NewBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewBody {
    effective_directive: String,
    #[serde(default, rename = "blockedURL")]
    blocked_url: String,
}

fn violations(body: &[u8]) -> Vec<Violation> {
    if body.len() > MAX_BYTES {
        return Vec::new();
    }
    let told = match serde_json::from_slice(body) {
        Ok(Report::Old { report }) => vec![(report.effective_directive, report.blocked_uri)],
        Ok(Report::New(reports)) => reports
            .into_iter()
            .map(|report| (report.body.effective_directive, report.body.blocked_url))
            .collect(),
        Err(_) => Vec::new(),
    };
    told.into_iter()
        .take(MAX_VIOLATIONS)
        .map(|(directive, blocked)| Violation {
            directive: word(&directive),
            blocked: word(host(&blocked)),
        })
        .collect()
}

/// `inline`, `eval`, `data`, or the host of an address.
fn host(blocked: &str) -> &str {
    let after_scheme = blocked.split_once("://").map_or(blocked, |(_, rest)| rest);
    after_scheme.split(['/', '?', '#']).next().unwrap_or_default()
}

fn word(text: &str) -> String {
    text.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || "-.:".contains(*letter))
        .take(100)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(directive: &str, blocked: &str) -> Violation {
        Violation {
            directive: directive.into(),
            blocked: blocked.into(),
        }
    }

    #[test]
    fn both_kinds_of_report_are_read_for_directive_and_host_alone() {
        let old = br#"{"csp-report":{"document-uri":"https://a/widget/demo/","violated-directive":"img-src",
            "blocked-uri":"https://evil.example/x?card=5234000000000007"}}"#;
        assert_eq!(violations(old), [violation("img-src", "evil.example")]);
        let new = br#"[{"type":"csp-violation","body":{"effectiveDirective":"script-src-elem","blockedURL":"inline"}}]"#;
        assert_eq!(violations(new), [violation("script-src-elem", "inline")]);
    }

    #[test]
    fn what_is_no_report_is_dropped_and_lines_cannot_be_forged() {
        for body in [&b""[..], b"{}", b"[{}]", b"nonsense", &vec![b' '; MAX_BYTES + 1]] {
            assert_eq!(violations(body), []);
        }
        let forged =
            br#"{"csp-report":{"effective-directive":"img-src\n{\"level\":\"ERROR\"}","blocked-uri":"x"}}"#;
        assert_eq!(violations(forged), [violation("img-srclevel:ERROR", "x")]);
    }
}
