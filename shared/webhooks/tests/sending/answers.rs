use std::time::Duration;

use tokio::time::timeout;
use webhooks::{Answer, Failure, RetryAfter, Sender, SenderSettings};

use crate::{
    post,
    server::{Behaviour, Event, PATIENCE, Server},
    settings,
};

#[tokio::test]
async fn every_status_is_an_answer() {
    for status in [200, 204, 299, 304, 400, 404, 410, 429, 500, 503, 599] {
        let server = Server::answering(&format!("HTTP/1.1 {status} X\r\n"));
        let answer = post(&server, &settings()).await.unwrap();
        assert_eq!(
            answer,
            Answer {
                status,
                retry_after: None
            }
        );
    }
}

#[tokio::test]
async fn the_wish_to_be_asked_later_is_read() {
    for (value, retry_after) in [
        ("120", Some(RetryAfter::Seconds(120))),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(RetryAfter::At(784_111_777))),
        ("tomorrow", None),
        ("\u{e9}", None),
    ] {
        let server = Server::answering(&format!("HTTP/1.1 429 X\r\nRetry-After: {value}\r\n"));
        let answer = post(&server, &settings()).await.unwrap();
        assert_eq!(
            answer,
            Answer {
                status: 429,
                retry_after
            },
            "{value}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let mut target = Server::answering("HTTP/1.1 200 OK\r\n");
        let location = target.url("localhost");
        let server = Server::answering(&format!("HTTP/1.1 {status} X\r\nLocation: {location}\r\n"));
        assert_eq!(post(&server, &settings()).await.unwrap().status, status);
        target.saw_nothing();
    }
}

/// The limit on time is out of the way: a sender that read on would do so until the test's own patience ends.
#[tokio::test]
async fn an_answers_body_is_not_read() {
    let unlimited = SenderSettings {
        total_timeout: Duration::from_hours(1),
        ..settings()
    };
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n",
    ] {
        let mut server = Server::start(Behaviour::Flood(head));
        let answer = timeout(PATIENCE, post(&server, &unlimited)).await.unwrap();
        assert_eq!(answer.unwrap().status, 200);
        server.request().await;
        assert_eq!(server.next().await, Event::End, "the flood is cut off");
    }
}

#[tokio::test]
async fn each_attempt_has_a_connection_of_its_own() {
    let mut server = Server::answering("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n");
    let sender = Sender::new(&settings()).unwrap();
    for _ in 0..2 {
        sender
            .post(&server.url("localhost"), &[], b"{}".to_vec())
            .await
            .unwrap();
        server.request().await;
        assert_eq!(server.next().await, Event::End);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_told_apart() {
    let broken = [
        Behaviour::HangUp,
        Behaviour::Answer("SSH-2.0-OpenSSH_9.9\r\n\r\n".to_owned()),
        Behaviour::Answer("HTTP/1.1 abc\r\n\r\n".to_owned()),
    ];
    for behaviour in broken {
        let server = Server::start(behaviour);
        assert_eq!(post(&server, &settings()).await, Err(Failure::Connection));
    }
}

#[tokio::test]
async fn the_request_holds_what_it_was_given_and_the_senders_name() {
    let mut server = Server::answering("HTTP/1.1 200 OK\r\n");
    let sender = Sender::new(&SenderSettings {
        user_agent: "demo/1".to_owned(),
        ..settings()
    })
    .unwrap();
    let headers = [("content-type", "application/json".to_owned())];
    sender
        .post(&server.url("localhost"), &headers, b"{\"a\": 1}".to_vec())
        .await
        .unwrap();
    let request = server.request().await;
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.lines().collect();
    lines.sort_unstable();
    let host = format!("host: localhost:{}", server.port());
    assert_eq!(
        lines,
        [
            "POST /hook?a=b HTTP/1.1",
            "accept: */*",
            "content-length: 8",
            "content-type: application/json",
            &host,
            "user-agent: demo/1",
        ]
    );
    assert_eq!(body, "{\"a\": 1}");
}

#[tokio::test]
async fn a_header_that_would_add_another_is_refused() {
    let mut server = Server::answering("HTTP/1.1 200 OK\r\n");
    let sender = Sender::new(&settings()).unwrap();
    for header in [("x", "a\r\nhost: other".to_owned()), ("x y", "a".to_owned())] {
        let refused = sender.post(&server.url("localhost"), &[header], Vec::new()).await;
        assert_eq!(refused, Err(Failure::Request));
    }
    server.saw_nothing();
}
