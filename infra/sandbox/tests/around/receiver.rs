//! The receiver of confirmations, over TLS.

use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::fixture::{Around, CONFIRMATION_SECRET};

const BODY: &str = r#"{"status":"SUCCESS_ENROLLMENT","parentId":"me","bin":"523400","last4":"0123"}"#;

async fn confirm(around: &Around, path: &str, id: &str, at: u64, signature: &str) -> u16 {
    let url = format!("https://localhost:{}{path}", around.at().receiver.port());
    let request = around
        .client(None)
        .post(url)
        .header("webhook-id", id)
        .header("webhook-timestamp", at.to_string());
    request
        .header("webhook-signature", signature)
        .body(BODY)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

fn sign(id: &str, at: u64) -> String {
    Webhook::new(CONFIRMATION_SECRET)
        .unwrap()
        .sign(id, at.try_into().unwrap(), BODY.as_bytes())
        .unwrap()
}

async fn received(around: &Around) -> Value {
    let url = format!("http://{}/received", around.at().partner);
    around
        .client(None)
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_signed_confirmation_is_kept_and_a_repeat_is_counted() {
    let around = Around::start("http://127.0.0.1:9").await;
    let now = sandbox::Clock::system().seconds();
    assert_eq!(
        confirm(&around, "/confirmations", "msg_1", now, &sign("msg_1", now)).await,
        200
    );
    let both = format!("v1,bm90IHRoaXM= v1a,eA== {}", sign("msg_1", now));
    assert_eq!(
        confirm(&around, "/confirmations/id/123", "msg_1", now, &both).await,
        200
    );
    let received = received(&around).await;
    assert_eq!(received.as_array().unwrap().len(), 1);
    assert_eq!(received[0]["id"], "msg_1");
    assert_eq!(received[0]["verified"], true);
    assert_eq!(received[0]["attempts"], 2);
    assert_eq!(received[0]["body"], serde_json::from_str::<Value>(BODY).unwrap());
}

#[tokio::test]
async fn a_bad_signature_is_refused_and_listed_as_such() {
    let around = Around::start("http://127.0.0.1:9").await;
    let now = sandbox::Clock::system().seconds();
    let other = Webhook::from_bytes(vec![1; 24])
        .unwrap()
        .sign("m", now.try_into().unwrap(), BODY.as_bytes())
        .unwrap();
    for (at, signature) in [
        (now, other),
        (now, sign("other", now)),
        (now - 301, sign("m", now - 301)),
        (now + 310, sign("m", now + 310)),
        (now, String::new()),
    ] {
        assert_eq!(confirm(&around, "/confirmations", "m", at, &signature).await, 401);
    }
    let received = received(&around).await;
    assert_eq!(received.as_array().unwrap().len(), 5);
    assert!(
        received
            .as_array()
            .unwrap()
            .iter()
            .all(|c| c["verified"] == false && c["reason"].is_string())
    );
}

#[tokio::test]
async fn faults_can_be_ordered_for_it_too() {
    let around = Around::start("http://127.0.0.1:9").await;
    let order = json!({"operation": "confirmation", "fault": "http500-after"});
    let url = format!("http://{}/faults", around.at().admin);
    assert_eq!(
        around
            .client(None)
            .post(url)
            .json(&order)
            .send()
            .await
            .unwrap()
            .status(),
        201
    );
    let now = sandbox::Clock::system().seconds();
    assert_eq!(
        confirm(&around, "/confirmations", "m", now, &sign("m", now)).await,
        500
    );
    assert_eq!(
        confirm(&around, "/confirmations", "m", now, &sign("m", now)).await,
        200
    );
    assert_eq!(received(&around).await[0]["attempts"], 2);
}
