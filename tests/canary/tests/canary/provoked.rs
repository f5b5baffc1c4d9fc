//! Inputs that others could make the product log: faults that quote the request, and reports that anybody can post.

use flows::call;
use flows::card::Card;
use flows::issuer::{Batch, Issuer};
use flows::page::Page;
use flows::person;
use flows::rewards::Faults;
use flows::stack::Stack;
use http::Request;
use serde_json::{Value, json};

/// Shapes of a refusal, each of which quotes in other places.
const SHAPES: [&str; 6] = [
    "soap-1.2",
    "qualified-fault",
    "own-error",
    "no-code",
    "gateway-flat",
    "gateway-list",
];

/// Provokes everything, and returns the encrypted content of a batch.
pub(crate) fn everything() -> String {
    quoted_faults();
    reports();
    trace_header();
    batch()
}

/// A batch with persons in its content, its ids and the address for its confirmation goes to its end, and one of its cards is
/// deleted.
fn batch() -> String {
    let issuer = Issuer::demo();
    let batch = Batch::of(&[&["enrolled"], &["enrolled_second", "pan_ineligible"]]);
    let mut request = batch.request();
    let url = format!("{}?{}", Stack::here().demo.confirmation_url, person::CONFIRMATION);
    request["confirmationUrl"] = url.into();
    let answer = issuer.send(request.to_string().as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.text());
    let told = answer.json();
    let id = told["batchId"].as_str().expect("an id");
    let result = issuer.result(id);
    assert_eq!(result["accepted"], 1, "{result}");
    let card = format!("enrolled_cards/{}", batch.card_id("enrolled"));
    let deleted = issuer.call("D", "DELETE", &card, b"");
    assert_eq!(deleted.status, 202, "{}", deleted.text());
    let content = request["encryptedEnrollmentData"].as_str();
    content.expect("a text").to_owned()
}

/// The customer gives a name and an address, and Mastercard writes both back, with the card's number in every script.
fn quoted_faults() {
    for shape in SHAPES {
        let card = Card::fresh();
        let order = json!({"operation": "enroll", "fault": "code-before", "code": -45, "shape": shape, "quote": true});
        let faults = Faults::about(&card, &[order]);
        let page = Page::new();
        let mut submission = page.submission(&card);
        submission.body["firstName"] = person::FIRST_NAME.into();
        submission.body["lastName"] = person::LAST_NAME.into();
        submission.body["email"] = person::EMAIL.into();
        let answer = page.settle(&submission);
        assert_eq!(faults.unserved(), <[Value; 0]>::default(), "{shape}");
        assert_ne!(answer.json()["status"], Value::Null, "{shape}: {}", answer.text());
    }
}

/// A number and a person in every member that a browser fills in, as both kinds of report.
fn reports() {
    let number = Card::fresh().number;
    let spaced: String = number.chars().flat_map(|digit| [digit, ' ']).collect();
    let secrets = [number.as_str(), spaced.trim(), person::EMAIL, person::LAST_NAME];
    for secret in secrets {
        let old = json!({"csp-report": {
            "document-uri": format!("https://x.example/widget/demo/?{secret}"), "referrer": secret,
            "violated-directive": secret, "effective-directive": secret, "original-policy": secret,
            "blocked-uri": format!("https://{secret}/{secret}"), "source-file": secret, "script-sample": secret,
        }});
        let new = json!([{"type": "csp-violation", "url": secret, "user_agent": secret, "body": {
            "documentURL": secret, "effectiveDirective": format!("img-src {secret}"), "blockedURL": secret,
            "sample": secret, "sourceFile": secret, "originalPolicy": secret,
        }}]);
        for (media_type, report) in [("application/csp-report", old), ("application/reports+json", new)] {
            let address = format!("{}/widget/csp-report", Stack::here().endpoints.api);
            let request = Request::post(address)
                .header("content-type", media_type)
                .body(report.to_string().into_bytes());
            assert_eq!(call::send(request.expect("a request")).status, 204);
        }
    }
}

/// A header that the runtime of a function would log.
fn trace_header() {
    let number = Card::fresh().number;
    let request = Request::get(format!("{}/widget/demo/", Stack::here().endpoints.api))
        .header(
            "x-amzn-trace-id",
            format!("Root=1-5759e988-bd862e3fe1be46a994272793;Card={number};Sampled=1"),
        )
        .header("user-agent", number.as_str())
        .body(Vec::new());
    assert_eq!(call::send(request.expect("a request")).status, 200);
}
