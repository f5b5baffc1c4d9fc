use std::time::{SystemTime, UNIX_EPOCH};

use standardwebhooks::{Webhook, WebhookError};
use webhooks::{
    MessageId, Sender, SigningKeys,
    header::{HeaderMap, HeaderName},
};

use crate::{server::Server, settings};

const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const NEW: &str = "whsec_bmV3ZXIgc2VjcmV0IG9mIHRoaXJ0eS10d28gYnl0ZXM=";
const STRANGER: &str = "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldCwgYWx0b2dldGhlcg==";
const SIGNING_KEY: &str = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=";

#[tokio::test]
async fn signature_is_verified_by_the_reference_library() {
    let mut server = Server::answering("HTTP/1.1 200 OK\r\n");
    let keys = SigningKeys::new(&[NEW.into(), OLD.into()], &[SIGNING_KEY.into()]).unwrap();
    let body = "{\"status\": \"enrolled\", \"name\": \"Zoë\"}";
    let signed = keys.sign(&MessageId::new("msg_1").unwrap(), now(), body.as_bytes());
    let sender = Sender::new(&settings()).unwrap();
    sender
        .post(&server.url("localhost"), &signed.headers(), body.into())
        .await
        .unwrap();

    let request = server.request().await;
    let (head, received) = request.split_once("\r\n\r\n").unwrap();
    let headers: HeaderMap = head
        .lines()
        .skip(1)
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
        .collect();
    let verify = |secret: &str| {
        Webhook::new(secret)
            .unwrap()
            .verify(received.as_bytes(), &headers)
    };
    assert!(verify(NEW).is_ok() && verify(OLD).is_ok());
    assert!(matches!(verify(STRANGER), Err(WebhookError::InvalidSignature)));
}

#[expect(
    clippy::disallowed_methods,
    reason = "the library compares with the machine's clock"
)]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
