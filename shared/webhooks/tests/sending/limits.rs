use std::{future::pending, net::TcpListener, sync::Arc, time::Duration};

use tokio::time::timeout;
use webhooks::{
    Failure, SenderSettings, Url,
    sender::{Resolve, Resolving},
};

use crate::{
    post, post_to,
    server::{Behaviour, Server},
    settings,
};

/// Far above the limit set here and far below the default one, so that a slow machine passes and a lost limit
/// fails.
const GENEROUS: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_receiver_that_takes_too_long_ends_as_a_timeout() {
    let slow = [
        Behaviour::Silence,
        Behaviour::Dribble("", "H"),
        Behaviour::Dribble("HTTP/1.1 200 OK\r\nX: ", "x"),
        Behaviour::Dribble("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
    ];
    for (number, behaviour) in slow.into_iter().enumerate() {
        let server = Server::start(behaviour);
        let ended = timeout(GENEROUS, post(&server, &limited())).await;
        assert_eq!(ended, Ok(Err(Failure::Timeout)), "{number}");
    }
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_ends_as_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
    assert_eq!(
        timeout(GENEROUS, post_to(&url, &limited())).await,
        Ok(Err(Failure::Timeout))
    );
}

#[tokio::test]
async fn a_look_up_that_takes_too_long_ends_as_a_timeout() {
    struct Hanging;

    impl Resolve for Hanging {
        fn resolve(&self, _name: &str) -> Resolving {
            Box::pin(pending())
        }
    }

    let settings = SenderSettings {
        resolver: Arc::new(Hanging),
        ..limited()
    };
    let url = Url::parse("https://partner.example/").unwrap();
    assert_eq!(
        timeout(GENEROUS, post_to(&url, &settings)).await,
        Ok(Err(Failure::Timeout))
    );
}

#[test]
fn the_limit_is_fifteen_seconds_unless_told_otherwise() {
    assert_eq!(SenderSettings::default().total_timeout, Duration::from_secs(15));
}

fn limited() -> SenderSettings {
    SenderSettings {
        total_timeout: Duration::from_millis(300),
        ..settings()
    }
}
