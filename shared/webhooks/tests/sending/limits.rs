use std::{
    future::{pending, ready},
    net::{IpAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use webhooks::{
    SendError, SendStage, SenderSettings, Url,
    sender::{Resolve, Resolving},
};

use crate::{
    post, post_to,
    server::{Behavior, Server},
    settings,
};

/// Far above the configured limit and far below the default one, so that a slow machine passes and a lost limit fails.
const GENEROUS: Duration = Duration::from_secs(10);

#[tokio::test]
async fn answer_timeout_has_its_class() {
    let slow = [
        Behavior::Silence,
        Behavior::Dribble("", "\r\n"),
        Behavior::Dribble("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
        Behavior::Dribble("HTTP/1.1 200 O", "K"),
    ];
    for (number, behavior) in slow.into_iter().enumerate() {
        let server = Server::start(behavior);
        let ended = timeout(GENEROUS, post(&server, &limited())).await;
        assert_eq!(ended, Ok(Err(SendError::Timeout(SendStage::Answer))), "{number}");
    }
}

#[tokio::test]
async fn endless_head_counts_by_its_status_line() {
    for status in [200, 410] {
        let line = if status == 200 {
            "HTTP/1.1 200 OK\r\nX: "
        } else {
            "HTTP/1.1 410 Gone\r\nX: "
        };
        let server = Server::start(Behavior::Dribble(line, "x"));
        let answer = timeout(GENEROUS, post(&server, &limited())).await.unwrap();
        assert_eq!(answer.unwrap().status, status);
    }
}

/// A queue of connections that no one accepts fills up, and the next TCP handshake stays unanswered.
#[tokio::test]
async fn connect_timeout_has_its_class() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(connected) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        waiting.push(connected.unwrap());
        assert!(waiting.len() < 100, "the queue takes any number");
    }
    let url = Url::parse(&format!("https://localhost:{}/", address.port())).unwrap();
    let settings = SenderSettings {
        resolver: Arc::new(Loopback),
        ..limited()
    };
    assert_eq!(
        timeout(GENEROUS, post_to(&url, &settings)).await,
        Ok(Err(SendError::Timeout(SendStage::Connect)))
    );
}

#[tokio::test]
async fn handshake_timeout_has_its_class() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
    assert_eq!(
        timeout(GENEROUS, post_to(&url, &limited())).await,
        Ok(Err(SendError::Timeout(SendStage::Tls)))
    );
}

#[tokio::test]
async fn look_up_timeout_has_its_class() {
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
        Ok(Err(SendError::Timeout(SendStage::Lookup)))
    );
}

#[test]
fn default_limit_is_fifteen_seconds() {
    assert_eq!(SenderSettings::default().total_timeout, Duration::from_secs(15));
}

/// IPv4 address only: if `localhost` has both, a refusal by the other one would decide.
struct Loopback;

impl Resolve for Loopback {
    fn resolve(&self, _name: &str) -> Resolving {
        Box::pin(ready(Ok(vec![IpAddr::from([127, 0, 0, 1])])))
    }
}

fn limited() -> SenderSettings {
    SenderSettings {
        total_timeout: Duration::from_millis(300),
        ..settings()
    }
}
