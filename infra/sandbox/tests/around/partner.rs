//! The demo partner's site, before a product made for the test.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::Json;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::fixture::Around;
use sandbox::Clock;

/// Redirects to an address that repeats the token's claims.
async fn product() -> SocketAddr {
    let initialize = async |Json(body): Json<Value>| {
        let claims = body["initializeWebsiteToken"]
            .as_str()
            .unwrap_or_default()
            .split('.')
            .nth(1)
            .unwrap_or_default()
            .to_owned();
        let location = format!("http://localhost/widget/demo/?lang=en_US#{claims}");
        (
            StatusCode::FOUND,
            [
                ("location", location),
                ("enrollment-status", "SUCCESS".to_owned()),
            ],
        )
    };
    let router = Router::new().route("/company/non_auth_initialize", post(initialize));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn start() -> Around {
    let product = product().await;
    Around::start_with(
        "http://127.0.0.1:9",
        &format!("http://{product}"),
        Clock::standing_at(1_000),
    )
    .await
}

async fn json_of(around: &Around, path: &str, body: Value) -> Value {
    let url = format!("http://{}{path}", around.at().partner);
    around
        .client(None)
        .post(url)
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

fn claims(text: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

async fn form(around: &Around, mode: &str) -> reqwest::Response {
    form_of(
        around,
        &format!("customer=me&language=pl_PL&action=N&last4=&mode={mode}"),
    )
    .await
}

async fn form_of(around: &Around, form: &str) -> reqwest::Response {
    let url = format!("http://{}/start", around.at().partner);
    let request = around
        .client(None)
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded");
    request.body(form.to_owned()).send().await.unwrap()
}

#[tokio::test]
async fn token_has_the_demo_claims_and_the_changes() {
    let around = start().await;
    let answer = json_of(
        &around,
        "/token",
        json!({"sub": "me", "confirmationUrl": null, "exp": 1_060}),
    )
    .await;
    let token = answer["token"].as_str().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(claims(parts[0])["alg"], "RS256");
    let expected = json!({"iss": "demo", "sub": "me", "actionCode": "N", "programId": "10765", "iat": 1_000, "exp": 1_060});
    assert_eq!(claims(parts[1]), expected);
}

#[tokio::test]
async fn a_token_may_ask_to_replace_a_card_or_to_take_it_out() {
    let around = start().await;
    for action in ["R", "C"] {
        let wish = json!({"sub": "me", "actionCode": action, "last4": "0123"});
        let answer = json_of(&around, "/token", wish.clone()).await;
        let signed = claims(answer["token"].as_str().unwrap().split('.').nth(1).unwrap());
        let opened = json_of(&around, "/open", wish).await;
        let told = claims(opened["location"].as_str().unwrap().split_once('#').unwrap().1);
        let page = form_of(
            &around,
            &format!("customer=me&language=&action={action}&last4=0123&mode=page"),
        )
        .await;
        let location = page.headers()["location"].to_str().unwrap();
        let asked = claims(location.split_once('#').unwrap().1);
        for claims in [signed, told, asked] {
            assert_eq!(
                (&claims["actionCode"], &claims["last4"]),
                (&json!(action), &json!("0123"))
            );
        }
    }
    let page = form(&around, "page").await;
    let location = page.headers()["location"].to_str().unwrap();
    assert!(claims(location.split_once('#').unwrap().1).get("last4").is_none());
}

#[tokio::test]
async fn opening_gives_the_answer_of_the_product() {
    let around = start().await;
    let opened = json_of(&around, "/open", json!({"sub": "me"})).await;
    assert_eq!(opened["status"], 302);
    assert_eq!(opened["enrollmentStatus"], "SUCCESS");
    let location = opened["location"].as_str().unwrap();
    assert_eq!(claims(location.split_once('#').unwrap().1)["sub"], "me");
    let with_own = json_of(&around, "/open", json!({"token": "a.eyJ4IjoxfQ.c"})).await;
    assert!(with_own["location"].as_str().unwrap().ends_with("#eyJ4IjoxfQ"));
}

#[tokio::test]
async fn site_opens_the_widget_in_every_way() {
    let around = start().await;
    let page = form(&around, "page").await;
    assert_eq!(page.status(), 303);
    let location = page.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(claims(location.split_once('#').unwrap().1)["language"], "pl_PL");
    for (mode, mark, code) in [
        (
            "modal",
            "<button class=\"primary\" type=\"button\" id=\"add-card\"",
            "addEventListener(&#34;click&#34;",
        ),
        ("inline", "<div class=\"embed\" id=\"card\"", "await opening"),
        (
            "iframe",
            "<iframe id=\"widget\"",
            "source !== frame.contentWindow",
        ),
        ("webview", "data-fixed-height></iframe>", "WKScriptMessageHandler"),
    ] {
        let answer = form(&around, mode).await;
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let html = answer.text().await.unwrap();
        for part in [mark, code, "SUCCESS"] {
            assert!(html.contains(part), "{mode}: {part} in {html}");
        }
    }
}

#[tokio::test]
async fn embed_script_is_loaded_from_the_product() {
    let around = start().await;
    for mode in ["modal", "inline"] {
        let answer = form(&around, mode).await;
        let policy = answer.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        let html = answer.text().await.unwrap();
        let (_, script) = html.split_once("<script src=\"").unwrap();
        let (address, rest) = script.split_once('"').unwrap();
        let (origin, path) = address.split_once("/widget/embed/").unwrap();
        assert!(
            policy.contains(&format!("script-src 'self' {origin};")),
            "{policy}"
        );
        assert!(path.ends_with("/embed.js"), "{path}");
        assert!(
            rest.starts_with(" crossorigin=\"anonymous\" integrity=\"sha384-"),
            "{rest}"
        );
    }
}

#[tokio::test]
async fn pages_run_the_code_that_they_show() {
    let around = start().await;
    for (mode, name) in [("modal", "modal"), ("inline", "inline"), ("iframe", "by-hand")] {
        let html = form(&around, mode).await.text().await.unwrap();
        let asset = format!("/assets/examples/{name}.js");
        assert!(html.contains(&format!("src=\"{asset}\"")), "{html}");
        let url = format!("http://{}{asset}", around.at().partner);
        let run = around
            .client(None)
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let shown = html
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#60;", "<")
            .replace("&#62;", ">")
            .replace("&#38;", "&");
        assert!(shown.contains(&run), "{shown}");
    }
}

#[tokio::test]
async fn return_page_shows_the_status_as_text() {
    let around = start().await;
    let page = async |query: &str| {
        let url = format!("http://{}/return{query}", around.at().partner);
        let answer = around.client(None).get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    };
    assert!(
        page("?status=SUCCESS_ENROLLMENT")
            .await
            .contains("<code id=\"status\">SUCCESS_ENROLLMENT</code>")
    );
    assert!(page("").await.contains("no status"));
    let hostile = page("?status=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(!hostile.contains("<script>alert"), "{hostile}");
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere() {
    let around = start().await;
    let client = around.client(None);
    let answer = client
        .get(format!("http://{}/", around.at().partner))
        .send()
        .await
        .unwrap();
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let html = answer.text().await.unwrap();
    assert!(html.contains("5234 0000 0009 0123") && html.contains("customer-"));
    for choice in ["value=\"R\"", "value=\"C\"", "name=\"last4\""] {
        assert!(html.contains(choice), "{choice}");
    }
    for elsewhere in ["src=\"http", "src=\"//", "href=\"http", "href=\"//"] {
        assert!(!html.contains(elsewhere), "{html}");
    }
    for asset in [
        "partner.css",
        "start.js",
        "frame.js",
        "confirmations.js",
        "examples/modal.js",
    ] {
        let answer = client
            .get(format!("http://{}/assets/{asset}", around.at().partner))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{asset}");
    }
}

#[tokio::test]
async fn what_is_missing_is_said_and_looked_for_again() {
    let around = start().await;
    let demo = around.folder.join("demo.json");
    let content = std::fs::read(&demo).unwrap();
    std::fs::remove_file(&demo).unwrap();
    let answer = json_of(&around, "/token", json!({})).await;
    assert!(answer["error"].as_str().unwrap().contains("demo.json"));
    std::fs::write(&demo, content).unwrap();
    assert!(json_of(&around, "/token", json!({})).await["token"].is_string());
}

#[tokio::test]
async fn a_product_that_is_away_is_told_on_a_page() {
    let around = Around::start("http://127.0.0.1:9").await;
    let answer = form(&around, "iframe").await;
    assert_eq!(answer.status(), 502);
    assert!(
        answer
            .text()
            .await
            .unwrap()
            .contains("the product does not answer")
    );
}
