use flows::local_aws::{self, FunctionCopy};
use flows::page::Page;
use flows::partner::Partner;
use flows::time::{eventually, now_in_milliseconds};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Event of API Gateway for `GET` of a page's form.
fn form_of(path: &str, session: &str) -> Value {
    let headers = json!({"Authorization": format!("Bearer {session}")});
    let context =
        json!({"resourcePath": path, "httpMethod": "GET", "path": format!("/live{path}"), "stage": "live"});
    json!({
        "resource": path, "path": path, "httpMethod": "GET", "headers": headers, "multiValueHeaders": null,
        "queryStringParameters": null, "multiValueQueryStringParameters": null, "pathParameters": null,
        "stageVariables": null, "requestContext": context, "body": null, "isBase64Encoded": false,
    })
}

fn metric_lines(from: i64) -> Vec<Value> {
    let lines = local_aws::log_lines(from).into_iter();
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    lines
        .filter(|line| line.get("CardKeyRefused").is_some())
        .collect()
}

/// Secret with another key than the deployment allows, as if somebody had changed the secret.
#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn disallowed_key_reaches_no_page() {
    let from = now_in_milliseconds();
    let page = Page::of(&Partner::demo().open(&json!({})));
    let event = form_of("/widget/api/enroll", &page.session);
    let other = FunctionCopy::of("Enroll", &[("CARD_KEY_FINGERPRINTS", &"ab".repeat(32))]);
    let answer = other.call(&event);
    assert_eq!(answer["statusCode"], 503, "{answer}");
    assert!(!answer.to_string().contains("spki"), "{answer}");

    // It is written before the answer; the log comes after it.
    let lines = eventually("a metric", SignedDuration::from_secs(20), || {
        Some(metric_lines(from)).filter(|lines| !lines.is_empty())
    });
    let metric = &lines[0]["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(metric["Dimensions"], json!([["Stack"]]));
    assert_eq!(
        metric["Metrics"],
        json!([{"Name": "CardKeyRefused", "Unit": "Count"}])
    );

    // The deployed function allows the key, and gives it to the same session.
    assert!(page.form()["encryptionKey"]["spki"].is_string());
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn while_a_key_is_rotated_both_are_allowed() {
    let page = Page::of(&Partner::demo().open(&json!({})));
    let fingerprint = page.form()["encryptionKey"]["fingerprint"].clone();
    let allowed = format!("{},{}", "ab".repeat(32), fingerprint.as_str().unwrap());
    let both = FunctionCopy::of("Enroll", &[("CARD_KEY_FINGERPRINTS", &allowed)]);
    let answer = both.call(&form_of("/widget/api/enroll", &page.session));
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert!(
        answer["body"]
            .as_str()
            .unwrap()
            .contains(fingerprint.as_str().unwrap())
    );
}
