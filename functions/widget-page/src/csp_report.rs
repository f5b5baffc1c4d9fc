//! Violations of the page's policy that browsers report, reduced to closed words.
//!
//! Anybody can post a report with any content. Only two things of it are kept: the directive, if it is one of CSP's own, and
//! the blocked source as a [`Source`]. They are counted in the metric `PolicyViolations`, and logged at most once a minute.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use enrollment::client::Origin;
use enrollment::clock::Clock;
use enrollment::identifiers::Slug;
use enrollment::log::warn;
use enrollment::ports::Clients;
use jiff::{SignedDuration, Timestamp};
use platform::metrics::Metrics;
use platform::public_base_url::PublicBaseUrl;
use serde_json::Value;

/// Largest report that is read, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// Maximum number of violations counted from one report.
const MAX_VIOLATIONS: usize = 5;
/// Time between two log lines.
const BETWEEN_LINES: SignedDuration = SignedDuration::from_secs(60);

/// The directives that a violation can be of: Content Security Policy Level 3, §6, and the specifications that add to it
/// (Trusted Types, Mixed Content, Upgrade Insecure Requests, Fenced Frames), with those of Level 2 that browsers still know.
const DIRECTIVES: [&str; 31] = [
    "base-uri",
    "block-all-mixed-content",
    "child-src",
    "connect-src",
    "default-src",
    "fenced-frame-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "navigate-to",
    "object-src",
    "plugin-types",
    "prefetch-src",
    "report-to",
    "report-uri",
    "require-trusted-types-for",
    "sandbox",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "trusted-types",
    "upgrade-insecure-requests",
    "webrtc",
    "worker-src",
];
/// Word for an unknown directive.
const NO_DIRECTIVE: &str = "other";

/// Source of a blocked resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The page's own origin.
    OwnOrigin,
    /// A script or style in the markup.
    Inline,
    /// Text to be executed: `eval`, or WebAssembly.
    Eval,
    /// A `data:` address.
    Data,
    /// A `blob:` address.
    Blob,
    /// An origin that the client registered.
    Registered,
    /// Anything else.
    Other,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Self::OwnOrigin => "self",
            Self::Inline => "inline",
            Self::Eval => "eval",
            Self::Data => "data",
            Self::Blob => "blob",
            Self::Registered => "registered",
            Self::Other => "other",
        }
    }
}

/// Violation in closed words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Violation {
    directive: &'static str,
    blocked: Source,
}

impl Violation {
    fn of(reported: &ReportedViolation, public_base_url: &PublicBaseUrl, registered: &[Origin]) -> Self {
        let by_origin = || match origin(&reported.blocked) {
            Some(blocked) if public_base_url.origin() == blocked => Source::OwnOrigin,
            Some(blocked) if registered.iter().any(|own| own.as_str() == blocked) => Source::Registered,
            _ => Source::Other,
        };
        Self {
            directive: directive(&reported.directive),
            blocked: by_word(&reported.blocked).unwrap_or_else(by_origin),
        }
    }
}

/// Reports of this process.
pub struct PolicyReports {
    metrics: Metrics,
    last_line: Mutex<Option<Timestamp>>,
    since_last_line: AtomicU64,
}

impl PolicyReports {
    /// Starts without reports.
    pub fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            last_line: Mutex::new(None),
            since_last_line: AtomicU64::new(0),
        }
    }

    /// Counts the violations of a report. A report that can't be read is dropped.
    pub(crate) async fn take(&self, pages: &Pages<'_>, clock: &dyn Clock, body: &[u8]) {
        for reported in reported(body) {
            let registered = pages.registered_origins(&reported.document).await;
            let violation = Violation::of(&reported, pages.public_base_url, &registered);
            self.metrics
                .policy_violation(violation.directive, violation.blocked.as_str());
            self.since_last_line.fetch_add(1, Ordering::Relaxed);
            if self.wants_a_line(clock.now()) {
                warn!(
                    directive = violation.directive,
                    blocked = violation.blocked.as_str(),
                    violations = self.since_last_line.swap(0, Ordering::Relaxed),
                    "content security policy violated"
                );
            }
        }
    }

    fn wants_a_line(&self, now: Timestamp) -> bool {
        let mut last = self.last_line.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| now.duration_since(last) >= BETWEEN_LINES);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

/// Pages that a report may be about.
pub(crate) struct Pages<'a> {
    /// Prefix of their addresses.
    pub(crate) public_base_url: &'a PublicBaseUrl,
    /// Clients, by the slugs in their addresses.
    pub(crate) clients: &'a dyn Clients,
}

impl Pages<'_> {
    /// Returns the origins registered by the page's client; none if the store fails, which does not refuse a report.
    async fn registered_origins(&self, document: &str) -> Vec<Origin> {
        let Some(slug) = slug(document, self.public_base_url) else {
            return Vec::new();
        };
        let client = self.clients.by_slug(&slug).await.ok().flatten();
        client.map_or_else(Vec::new, |client| client.embed_origins.clone())
    }
}

/// Returns the slug in a page's address. A base path may itself be named `widget`.
fn slug(document: &str, public_base_url: &PublicBaseUrl) -> Option<Slug> {
    let path = document
        .strip_prefix(public_base_url.as_str())
        .unwrap_or(document);
    let (_, rest) = path.split_once("/widget/")?;
    Slug::parse(rest.split(['/', '?', '#']).next().unwrap_or_default()).ok()
}

/// Members of a violation that are read: foreign text, used by [`Violation::of`] only.
struct ReportedViolation {
    directive: String,
    blocked: String,
    document: String,
}

/// `report-uri` sends `{"csp-report":{…}}`; `report-to` an array of `{"type":"csp-violation","body":{…}}`, with reports of
/// other kinds among them.
fn reported(body: &[u8]) -> Vec<ReportedViolation> {
    if body.len() > MAX_BYTES {
        return Vec::new();
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(report)) => report
            .get("csp-report")
            .and_then(|body| {
                ReportedViolation::of(
                    body,
                    &["effective-directive", "violated-directive"],
                    "blocked-uri",
                    "document-uri",
                )
            })
            .into_iter()
            .collect(),
        Ok(Value::Array(reports)) => reports
            .iter()
            .filter(|report| report["type"] == "csp-violation")
            .filter_map(|report| {
                ReportedViolation::of(
                    &report["body"],
                    &["effectiveDirective"],
                    "blockedURL",
                    "documentURL",
                )
            })
            .take(MAX_VIOLATIONS)
            .collect(),
        _ => Vec::new(),
    }
}

impl ReportedViolation {
    /// Returns `None` if no directive is named.
    fn of(body: &Value, directives: &[&str], blocked: &str, document: &str) -> Option<Self> {
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        Some(Self {
            directive: directives.iter().find_map(|name| text(name))?,
            blocked: text(blocked).unwrap_or_default(),
            document: text(document).unwrap_or_default(),
        })
    }
}

/// Older browsers send the whole directive with its sources.
fn directive(text: &str) -> &'static str {
    let name = text.split_ascii_whitespace().next().unwrap_or_default();
    DIRECTIVES
        .into_iter()
        .find(|directive| directive.eq_ignore_ascii_case(name))
        .unwrap_or(NO_DIRECTIVE)
}

/// Classifies a blocked source by its word or scheme; `None` for web addresses. Firefox leaves it empty for sources in the
/// markup.
fn by_word(blocked: &str) -> Option<Source> {
    let scheme = blocked.split(':').next().unwrap_or_default();
    Some(match scheme {
        "self" => Source::OwnOrigin,
        "" | "inline" => Source::Inline,
        "eval" | "wasm-eval" => Source::Eval,
        "data" => Source::Data,
        "blob" => Source::Blob,
        _ => return None,
    })
}

/// Returns scheme, host and port of a web address, as they are written.
fn origin(address: &str) -> Option<&str> {
    let scheme = address
        .find("://")
        .filter(|end| matches!(&address[..*end], "http" | "https"))?;
    let authority = &address[scheme + 3..];
    let end = authority.find(['/', '?', '#']).unwrap_or(authority.len());
    (end > 0).then(|| &address[..scheme + 3 + end])
}

#[cfg(test)]
mod tests;
