//! Sender against TLS servers on loopback, which it may reach as a dangerous private host.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't be set up fails"
)]

mod answers;
mod http2;
mod limits;
mod private_hosts;
mod proxy;
mod server;
mod signatures;
mod trust;

use webhooks::{Answer, SendError, Sender, SenderSettings, Url, sender::Trust};

use self::server::{CA, Server};

/// Sender that trusts the tests' authority and may connect to `localhost`.
fn settings() -> SenderSettings {
    SenderSettings {
        dangerous_private_hosts: vec!["localhost".parse().unwrap()],
        trust: Trust::mozilla_and_pem(&CA.pem()).unwrap(),
        ..SenderSettings::default()
    }
}

async fn post(server: &Server, settings: &SenderSettings) -> Result<Answer, SendError> {
    post_to(&server.url("localhost"), settings).await
}

async fn post_to(url: &Url, settings: &SenderSettings) -> Result<Answer, SendError> {
    let sender = Sender::new(settings).unwrap();
    sender.post(url, &[], b"{}".to_vec()).await
}
