//! Page and its parts as served: headers, addresses, integrity.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enrollment::client::Look;
use enrollment::language::Language;
use flows::call::{self, Answer};
use flows::page::Page;
use flows::partner::Partner;
use flows::stack::Stack;
use http::Request;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha384};

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn the_page_allows_nothing_but_its_own_parts() {
    let page = page(&Stack::here().client.slug);
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    let policy = page.header("content-security-policy");
    assert_eq!(directive(policy, "default-src"), ["'none'"]);
    assert_eq!(directive(policy, "script-src"), ["'self'"]);
    assert_eq!(directive(policy, "connect-src"), ["'self'"]);
    assert_eq!(directive(policy, "base-uri"), ["'none'"]);
    assert_eq!(
        directive(policy, "frame-ancestors"),
        Stack::here().client.embed_origins
    );
    for forbidden in ["unsafe-", "*", "data:", "blob:"] {
        assert!(!policy.contains(forbidden), "{policy}");
    }
    assert_common_headers(&page);
    assert!(!page.header("cache-control").contains("immutable"));
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn inline_style_matches_the_policy() {
    let page = page(&Stack::here().client.slug);
    let allowed = directive(page.header("content-security-policy"), "style-src");
    let html = page.text();
    let style = html
        .split_once("<style>")
        .and_then(|(_, rest)| rest.split_once("</style>"));
    let hash = style.map(|(style, _)| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style))));
    let expected: Vec<String> = std::iter::once("'self'".to_owned()).chain(hash).collect();
    assert_eq!(allowed, expected);
    assert_eq!(html.matches("<style").count(), usize::from(style.is_some()));
    assert!(
        !html.contains(" style=\""),
        "no attribute that the policy would block"
    );
    assert!(!html.contains(" onclick") && !html.contains(" onload"));
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn parts_are_immutable_and_match_their_integrity() {
    let html = page(&Stack::here().client.slug);
    let parts = elements_with_integrity(html.text());
    assert_eq!(parts.len(), 2, "one script, one stylesheet: {parts:?}");
    for (address, integrity) in parts {
        assert!(address.starts_with("/widget/assets/"), "first-party: {address}");
        let part = call::get(&format!("{}{address}", Stack::here().endpoints.api));
        assert_eq!(part.status, 200, "{address}");
        assert_eq!(
            integrity,
            format!("sha384-{}", STANDARD.encode(Sha384::digest(&part.bytes))),
            "{address}"
        );
        assert_eq!(
            part.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_common_headers(&part);
        let expected = if is_script(&address) {
            "text/javascript"
        } else {
            "text/css"
        };
        assert!(part.header("content-type").starts_with(expected), "{address}");
    }
    assert_eq!(
        html.text().matches("<script").count(),
        2,
        "the script and its block of data"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn released_embed_scripts_are_for_every_site() {
    let released: Value = serde_json::from_str(include_str!(
        "../../../../functions/widget-page/embed/released.json"
    ))
    .unwrap();
    for (version, files) in released.as_object().unwrap() {
        for (name, integrity) in files.as_object().unwrap() {
            let script = get(&format!("/widget/embed/{version}/{name}"));
            assert_eq!(script.status, 200, "{version}/{name}");
            let served = format!("sha384-{}", STANDARD.encode(Sha384::digest(&script.bytes)));
            assert_eq!(*integrity, served, "{version}/{name}");
            assert_eq!(script.header("access-control-allow-origin"), "*");
            assert_eq!(script.header("cross-origin-resource-policy"), "cross-origin");
            assert_eq!(
                script.header("cache-control"),
                "public, max-age=31536000, immutable"
            );
            assert_common_headers(&script);
        }
    }
    for unknown in ["0.0.0/embed.js", "1.0.0/embed.mjs", "latest/embed.js", "1.0.0/"] {
        let answer = get(&format!("/widget/embed/{unknown}"));
        assert_eq!(answer.status, 404, "{unknown}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn part_of_another_name_is_not_found() {
    let html = page(&Stack::here().client.slug);
    let (script, _) = elements_with_integrity(html.text())
        .into_iter()
        .find(|(part, _)| is_script(part))
        .unwrap();
    let known = script.rsplit('/').next().unwrap();
    let hash = known.split('.').nth(1).unwrap();
    let other = known.replace(hash, &"0".repeat(hash.len()));
    for name in [
        &*other,
        "widget.js",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/page.html",
        "",
    ] {
        let answer = get(&format!("/widget/assets/{name}"));
        assert!([403, 404].contains(&answer.status), "{name}: {}", answer.status);
        let kept = answer.optional_header("cache-control").unwrap_or("no-store");
        assert!(!kept.contains("immutable"), "{name}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn head_has_the_headers_of_get_and_no_body() {
    let slug = &Stack::here().client.slug;
    for (path, status) in [
        (format!("/widget/{slug}/"), 200),
        ("/widget/nobody-here/".to_owned(), 404),
    ] {
        let address = format!("{}{path}", Stack::here().endpoints.api);
        let head = call::send(Request::head(&address).body(Vec::new()).unwrap());
        let got = call::get(&address);
        assert_eq!((head.status, got.status), (status, status));
        assert!(head.bytes.is_empty());
        for name in ["content-type", "content-security-policy", "cache-control", "etag"] {
            assert_eq!(head.optional_header(name), got.optional_header(name), "{name}");
        }
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn an_unknown_client_has_no_page() {
    for slug in [
        "nobody-here",
        "Demo",
        "demo..",
        "%3Cscript%3E",
        "x".repeat(500).as_str(),
    ] {
        let answer = page(slug);
        assert_eq!(answer.status, 404, "{slug}");
        assert!(
            !answer.text().contains("script>"),
            "{slug}: nothing of the address in the answer"
        );
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn neutral_page_is_never_framed() {
    let page = page("_");
    assert_eq!(page.status, 200);
    assert_eq!(
        directive(page.header("content-security-policy"), "frame-ancestors"),
        ["'none'"]
    );
    assert_common_headers(&page);
    assert!(!page.text().contains(&Stack::here().client.embed_origins[0]));
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn page_without_origins_is_never_framed() {
    let partner = Partner::like_demo_but(|client| client.embed_origins.clear());
    let page = page(&partner.client);
    assert_eq!(page.status, 200);
    assert_eq!(
        directive(page.header("content-security-policy"), "frame-ancestors"),
        ["'none'"]
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn the_page_is_there_with_and_without_the_slash() {
    let slug = &Stack::here().client.slug;
    let with = page(slug);
    let without = get(&format!("/widget/{slug}"));
    assert_eq!((with.status, without.status), (200, 200));
    assert_eq!(with.bytes, without.bytes);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn fetching_the_page_has_no_side_effect() {
    let redirect = Partner::demo().open(&json!({}));
    let session = redirect.session();
    let address = redirect.location.split('#').next().unwrap();
    let first = call::get(address);
    let second = call::get(address);
    assert_eq!(first.bytes, second.bytes, "the same for everyone");
    assert!(!first.text().contains(session));
    assert_eq!(first.optional_header("set-cookie"), None);
    assert_eq!(Page::of(&redirect).form()["attemptsLeft"], 5);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn cached_page_is_not_sent_again() {
    let slug = &Stack::here().client.slug;
    let address = format!("{}/widget/{slug}/", Stack::here().endpoints.api);
    let etag = page(slug).header("etag").to_owned();
    let again = |etag: &str| {
        call::send(
            Request::get(&address)
                .header("if-none-match", etag)
                .body(Vec::new())
                .unwrap(),
        )
    };
    let known = again(&etag);
    assert_eq!((known.status, known.bytes.len()), (304, 0));
    assert!(known.optional_header("content-security-policy").is_some());
    assert_eq!(again("\"another\"").status, 200);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn the_page_speaks_the_language_of_its_address() {
    let partner = Partner::like_demo_but(|client| {
        client.default_language = Language::parse("pl").unwrap();
        client.languages = Some(["en", "de"].map(|tag| Language::parse(tag).unwrap()).to_vec());
        client.translations.insert(
            Language::parse("pl").unwrap(),
            json!({"register": {"tittle": "Rejestracja"}}),
        );
        client.translations.insert(
            Language::parse("ar").unwrap(),
            json!({"register": {"tittle": "التسجيل"}}),
        );
    });
    for (query, language, title) in [
        ("", "pl", "Rejestracja"),
        ("?lang=pl_PL", "pl", "Rejestracja"),
        ("?lang=ar", "ar", "التسجيل"),
        ("?lang=ar-EG-u-nu-latn", "ar", "التسجيل"),
        ("?lang=ar_EG.UTF-8", "ar", "التسجيل"),
        ("?lang=fr_FR", "pl", "Rejestracja"),
        ("?lang=en_GB", "en", "One moment"),
        ("?lang=de_AT", "de", "Einen Moment"),
        ("?lang=%3Cscript%3E", "pl", "Rejestracja"),
    ] {
        let page = get(&format!("/widget/{}/{query}", partner.client));
        let html = page.text();
        assert_eq!(page.status, 200, "{query}");
        let tag = html
            .split_once("<html lang=\"")
            .and_then(|(_, rest)| rest.split('"').next());
        assert_eq!(tag, Some(language), "{query}");
        assert_eq!(page.header("content-language"), language, "{query}");
        assert!(html.contains(title), "{query}");
        assert_eq!(html.contains("dir=\"rtl\""), language == "ar", "{query}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn pictures_are_served_under_their_hash() {
    let html = page(&Stack::here().client.slug);
    let pictures: Vec<&str> = html
        .text()
        .split("src=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|address| address.contains("/pictures/"))
        .collect();
    assert_eq!(pictures.len(), 2, "logo and background of the demo client");
    for address in pictures {
        let picture = get(address);
        assert_eq!(
            (picture.status, picture.header("content-type")),
            (200, "image/png"),
            "{address}"
        );
        assert!(picture.bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "{address}");
        assert!(
            address.ends_with(&format!("{}.png", hex::encode(Sha256::digest(&picture.bytes)))),
            "{address}"
        );
        assert_eq!(
            picture.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_common_headers(&picture);
    }
    let slug = &Stack::here().client.slug;
    assert_eq!(
        get(&format!("/widget/{slug}/pictures/{}.png", "0".repeat(64))).status,
        404
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn picture_belongs_to_its_client() {
    let partner = Partner::like_demo_but(|client| {
        client.look = Look::default();
    });
    let demo = page(&Stack::here().client.slug);
    let (_, rest) = demo
        .text()
        .split_once("/pictures/")
        .expect("the demo client has a picture");
    let hash = rest.split('.').next().unwrap();
    assert_eq!(
        get(&format!("/widget/{}/pictures/{hash}.png", partner.client)).status,
        404
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_report_of_a_violation_is_taken() {
    let address = format!("{}/widget/csp-report", Stack::here().endpoints.api);
    let report =
        json!({"csp-report": {"document-uri": "https://x.example/", "violated-directive": "script-src"}});
    for (media_type, body) in [
        ("application/csp-report", report.to_string()),
        ("application/reports+json", Value::Array(vec![report]).to_string()),
        ("application/csp-report", "not JSON".into()),
        ("application/csp-report", String::new()),
    ] {
        let request = Request::post(&address)
            .header("content-type", media_type)
            .body(body.clone().into_bytes());
        let answer = call::send(request.unwrap());
        assert_eq!((answer.status, answer.bytes.len()), (204, 0), "{body}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn page_calls_the_own_address() {
    let page = page(&Stack::here().client.slug);
    let (_, rest) = page.text().split_once("id=\"configuration\">").unwrap();
    let configuration: Value = serde_json::from_str(rest.split("</script>").next().unwrap()).unwrap();
    assert_eq!(configuration["api"], "/widget/api");
    assert_eq!(
        configuration["origins"],
        json!(Stack::here().client.embed_origins)
    );
}

fn page(slug: &str) -> Answer {
    get(&format!("/widget/{slug}/"))
}

fn get(path: &str) -> Answer {
    call::get(&format!("{}{path}", Stack::here().endpoints.api))
}

fn assert_common_headers(answer: &Answer) {
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
}

fn is_script(address: &str) -> bool {
    address.rsplit('.').next() == Some("js")
}

/// Sources of a directive.
fn directive(policy: &str, name: &str) -> Vec<String> {
    let mut directives = policy.split(';').map(|directive| directive.split_whitespace());
    directives
        .find_map(|mut words| (words.next() == Some(name)).then(|| words.map(str::to_owned).collect()))
        .unwrap_or_else(|| panic!("no {name} in {policy}"))
}

/// `(address, integrity)` of each element with an integrity.
fn elements_with_integrity(html: &str) -> Vec<(String, String)> {
    let attribute = |element: &str, name: &str| {
        let (_, rest) = element.split_once(&format!(" {name}=\""))?;
        rest.split('"').next().map(str::to_owned)
    };
    html.split('<')
        .filter_map(|element| {
            let integrity = attribute(element, "integrity")?;
            Some((
                attribute(element, "src").or_else(|| attribute(element, "href"))?,
                integrity,
            ))
        })
        .collect()
}
