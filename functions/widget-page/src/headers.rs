//! The headers of what this function serves.

use enrollment::client::Origin;

use platform::public_base_url::BasePath;

/// Names and values, each name once.
pub type Headers = Vec<(&'static str, String)>;

/// Path of the endpoint for reports of Content-Security-Policy violations, under the base path.
pub const CSP_REPORT_PATH: &str = "/widget/csp-report";

/// Inputs of the page's Content-Security-Policy.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// Origins that may frame the page; none where empty.
    pub embed_origins: &'a [Origin],
    /// `sha256-…` of the content of its one inline `<style>`, where it has one.
    pub style_hash: Option<&'a str>,
    /// Base path of the service.
    pub base: &'a BasePath,
}

impl Policy<'_> {
    /// The value of `Content-Security-Policy`: nothing but our own script, style, pictures and calls, no `unsafe-*`,
    /// and no sink of the DOM that takes strings as markup or code.
    pub fn value(&self) -> String {
        let style_hash = self
            .style_hash
            .map(|hash| format!(" '{hash}'"))
            .unwrap_or_default();
        let ancestors = if self.embed_origins.is_empty() {
            "'none'".to_owned()
        } else {
            self.embed_origins
                .iter()
                .map(Origin::as_str)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let base = self.base.as_str();
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self'{style_hash}; img-src 'self'; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}; require-trusted-types-for 'script'; \
             trusted-types 'none'; report-uri {base}{CSP_REPORT_PATH}; report-to csp"
        )
    }
}

/// Headers of the page. A browser may cache it, but has to revalidate it: the client's set-up may have changed.
pub fn page(policy: &Policy<'_>, language: &str, etag: &str) -> Headers {
    let base = policy.base.as_str();
    let mut headers = common("text/html; charset=utf-8", "no-cache");
    headers.extend([
        ("content-language", language.to_owned()),
        // A framed page has no background.
        ("vary", "sec-fetch-dest".to_owned()),
        ("etag", etag.to_owned()),
        ("content-security-policy", policy.value()),
        ("reporting-endpoints", format!("csp=\"{base}{CSP_REPORT_PATH}\"")),
        (
            "permissions-policy",
            PERMISSIONS.map(|feature| format!("{feature}=()")).join(", "),
        ),
        // Nobody who opened the page in a window of its own keeps a handle on it; within a frame this has no effect.
        ("cross-origin-opener-policy", "same-origin".to_owned()),
        // All that the page loads is its own, so that it also works where the embedding page isolates itself (COEP),
        // which demands both of these of a framed page. 3-D Secure's foreign frames will need the first to go.
        ("cross-origin-embedder-policy", "require-corp".to_owned()),
        (
            "cross-origin-resource-policy",
            if policy.embed_origins.is_empty() {
                "same-origin"
            } else {
                "cross-origin"
            }
            .to_owned(),
        ),
        ("origin-agent-cluster", "?1".to_owned()),
    ]);
    headers
}

/// Headers of a part or a picture: named after its content, so it never changes.
pub fn immutable(content_type: &str) -> Headers {
    let mut headers = common(content_type, "public, max-age=31536000, immutable");
    headers.push(("cross-origin-resource-policy", "same-origin".to_owned()));
    headers
}

/// Headers of what other sites load and check by its integrity value, which needs CORS: a released embed.js.
pub fn for_other_sites(content_type: &str) -> Headers {
    let mut headers = common(content_type, "public, max-age=31536000, immutable");
    headers.extend([
        ("cross-origin-resource-policy", "cross-origin".to_owned()),
        ("access-control-allow-origin", "*".to_owned()),
    ]);
    headers
}

/// Headers of other answers: a missing file, an accepted report.
pub fn bare(content_type: &str) -> Headers {
    let mut headers = common(content_type, "no-store");
    headers.push((
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'".to_owned(),
    ));
    headers
}

/// Whether the browser already has this version (RFC 9110 §13.1.2) and gets a 304.
pub fn is_current(if_none_match: Option<&str>, etag: &str) -> bool {
    if_none_match.is_some_and(|value| {
        value
            .split(',')
            .map(str::trim)
            .any(|known| known == "*" || known.trim_start_matches("W/") == etag)
    })
}

/// Features that neither the page nor anything in it may use.
const PERMISSIONS: [&str; 14] = [
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "screen-wake-lock",
    "usb",
];

fn common(content_type: &str, cache_control: &str) -> Headers {
    [
        ("content-type", content_type),
        ("cache-control", cache_control),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        // Without includeSubDomains: what lies below the operator's host is not ours. Ignored over plain http.
        ("strict-transport-security", "max-age=31536000"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
        headers
            .iter()
            .find_map(|(header, value)| (*header == name).then_some(value.as_str()))
    }

    fn directive(policy: &str, name: &str) -> String {
        let found = policy
            .split("; ")
            .find_map(|directive| directive.strip_prefix(name));
        found
            .unwrap_or_else(|| panic!("no {name}"))
            .trim_start()
            .to_owned()
    }

    #[test]
    fn policy_allows_own_sources_only() {
        let origins = [
            Origin::parse("https://a.example").unwrap(),
            Origin::parse("http://localhost:1").unwrap(),
        ];
        let base = BasePath::of("https://x.example/test").unwrap();
        let policy = Policy {
            embed_origins: &origins,
            style_hash: Some("sha256-abc="),
            base: &base,
        }
        .value();
        for (name, expected) in [
            ("default-src", "'none'"),
            ("script-src", "'self'"),
            ("style-src", "'self' 'sha256-abc='"),
            ("connect-src", "'self'"),
            ("form-action", "'none'"),
            ("base-uri", "'none'"),
            ("frame-ancestors", "https://a.example http://localhost:1"),
            ("report-uri", "/test/widget/csp-report"),
        ] {
            assert_eq!(directive(&policy, name), expected);
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("data:"));
    }

    #[test]
    fn page_without_origins_may_not_be_framed() {
        let policy = Policy {
            embed_origins: &[],
            style_hash: None,
            base: &BasePath::default(),
        };
        assert_eq!(directive(&policy.value(), "frame-ancestors"), "'none'");
        assert_eq!(directive(&policy.value(), "style-src"), "'self'");
        let headers = page(&policy, "en", "\"x\"");
        assert_eq!(
            value(&headers, "cross-origin-resource-policy"),
            Some("same-origin")
        );
    }

    #[test]
    fn page_is_revalidated_and_parts_are_immutable() {
        let policy = Policy {
            embed_origins: &[],
            style_hash: None,
            base: &BasePath::default(),
        };
        assert_eq!(
            value(&page(&policy, "en", "\"x\""), "cache-control"),
            Some("no-cache")
        );
        assert_eq!(
            value(&immutable("image/png"), "cache-control"),
            Some("public, max-age=31536000, immutable")
        );
        assert_eq!(value(&bare("text/plain"), "cache-control"), Some("no-store"));
    }

    #[test]
    fn other_sites_may_load_embed_scripts_alone() {
        let shared = for_other_sites("text/javascript");
        assert_eq!(
            value(&shared, "cross-origin-resource-policy"),
            Some("cross-origin")
        );
        assert_eq!(value(&shared, "access-control-allow-origin"), Some("*"));
        assert_eq!(
            value(&shared, "cache-control"),
            Some("public, max-age=31536000, immutable")
        );
        let own = immutable("text/javascript");
        assert_eq!(value(&own, "cross-origin-resource-policy"), Some("same-origin"));
        assert_eq!(value(&own, "access-control-allow-origin"), None);
    }

    #[test]
    fn every_answer_forbids_sniffing_and_referrers() {
        let policy = Policy {
            embed_origins: &[],
            style_hash: None,
            base: &BasePath::default(),
        };
        for headers in [
            page(&policy, "en", "\"x\""),
            immutable("image/png"),
            for_other_sites("text/javascript"),
            bare("text/plain"),
        ] {
            assert_eq!(value(&headers, "x-content-type-options"), Some("nosniff"));
            assert_eq!(value(&headers, "referrer-policy"), Some("no-referrer"));
            assert!(value(&headers, "strict-transport-security").is_some());
            let mut names: Vec<_> = headers.iter().map(|(name, _)| name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), headers.len(), "each name once");
        }
    }

    #[test]
    fn known_version_is_current() {
        assert!(is_current(Some("\"a\""), "\"a\""));
        assert!(is_current(Some("\"b\", W/\"a\""), "\"a\""));
        assert!(is_current(Some("*"), "\"a\""));
        assert!(!is_current(Some("\"b\""), "\"a\""));
        assert!(!is_current(None, "\"a\""));
    }
}
