use std::time::Duration;

use tokio::time::timeout;
use webhooks::{Answer, RetryAfter, SendError, Sender, SenderSettings};

use crate::{
    post,
    server::{Behavior, Event, PATIENCE, Server},
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
async fn retry_after_is_read() {
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
async fn redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let mut target = Server::answering("HTTP/1.1 200 OK\r\n");
        let location = target.url("localhost");
        let server = Server::answering(&format!("HTTP/1.1 {status} X\r\nLocation: {location}\r\n"));
        assert_eq!(post(&server, &settings()).await.unwrap().status, status);
        target.saw_nothing();
    }
}

/// The time limit is far away: a sender that reads on would do so until the test's own limit.
#[tokio::test]
async fn body_is_not_read() {
    let unlimited = SenderSettings {
        total_timeout: Duration::from_hours(1),
        ..settings()
    };
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n",
    ] {
        let mut server = Server::start(Behavior::Flood(head));
        let answer = timeout(PATIENCE, post(&server, &unlimited)).await.unwrap();
        assert_eq!(answer.unwrap().status, 200);
        server.request().await;
        assert_eq!(server.next().await, Event::End, "the flood is cut off");
    }
}

#[tokio::test]
async fn each_attempt_has_its_own_connection() {
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
async fn broken_connection_has_its_class() {
    for cut in ["", "HTTP/1.1 200", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let server = Server::start(Behavior::Cut(cut.into()));
        let failed = post(&server, &settings()).await;
        assert_eq!(failed, Err(SendError::Connection), "{cut}");
    }
    for other in [
        "SSH-2.0-OpenSSH_9.9\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 099 X\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "<html>200 OK</html>\r\n\r\n",
    ] {
        let server = Server::start(Behavior::Answer(other.to_owned()));
        let failed = post(&server, &settings()).await;
        assert_eq!(failed, Err(SendError::NotHttp), "{other}");
    }
}

/// Answers as some servers send them, complete.
fn odd_answers() -> Vec<Vec<u8>> {
    let fields = |count| (0..count).fold(String::new(), |all, number| all + &format!("X-{number}: y\r\n"));
    let mut answers: Vec<Vec<u8>> = [
        "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "Content-Length: \r\n\r\n",
        "Content-Length: +2\r\n\r\nab",
        "Content-Length: 18446744073709551616\r\n\r\n",
        "Content-Length: 100\r\n\r\ncut short",
        "Transfer-Encoding: chunked\r\n\r\nno number\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: wrong\r\n\r\n",
        "X-Powered-By : ASP\r\nX-Tab\t: y\r\n\r\n",
        "X-Folded: first\r\n second\r\n\tthird\r\n\r\n",
        " folded before any field\r\n\r\n",
        "no colon at all\r\n: no name\r\nbad name(): y\r\nX-\u{e9}: y\r\n\r\n",
        "X: \u{e9}\u{1}\u{7f}\r\n\r\n",
        "X: cut within the head",
        "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        "X: bare line feeds\n\n",
        "",
    ]
    .map(|rest| format!("HTTP/1.1 200 OK\r\n{rest}").into_bytes())
    .into();
    answers.push(b"HTTP/1.1 200 \xff\r\nX: \xff\xfe\x80\r\n\r\n".to_vec());
    answers.push(b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\0\r\n\r\n".to_vec());
    answers.push(b"HTTP/1.0 200\r\n\r\n".to_vec());
    for count in [120, 500, 3000] {
        answers.push(format!("HTTP/1.1 200 OK\r\n{}\r\n", fields(count)).into_bytes());
    }
    answers.push(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(2_000_000)).into_bytes());
    answers
}

#[tokio::test]
async fn success_is_read_from_the_status_line() {
    for answer in odd_answers() {
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(80)]).into_owned();
        let mut server = Server::start(Behavior::Cut(answer));
        let answer = post(&server, &settings()).await;
        assert_eq!(answer.map(|answer| answer.status), Ok(200), "{shown:?}");
        server.request().await;
    }
}

#[tokio::test]
async fn retry_after_is_read_beside_odd_fields() {
    let fields = (0..500).fold(String::new(), |all, number| all + &format!("X-{number}: y\r\n"));
    for odd in [
        "X-Powered-By : ASP",
        "X: a\r\n folded",
        "bad name(): y",
        fields.trim_end(),
    ] {
        let server = Server::answering(&format!("HTTP/1.1 429 X\r\n{odd}\r\nRetry-After: 120\r\n"));
        let answer = post(&server, &settings()).await.unwrap();
        assert_eq!(answer.retry_after, Some(RetryAfter::Seconds(120)), "{odd:.20}");
    }
}

#[tokio::test]
async fn request_has_the_given_headers_and_user_agent() {
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
async fn header_injection_is_refused() {
    let mut server = Server::answering("HTTP/1.1 200 OK\r\n");
    let sender = Sender::new(&settings()).unwrap();
    for header in [("x", "a\r\nhost: other".to_owned()), ("x y", "a".to_owned())] {
        let refused = sender.post(&server.url("localhost"), &[header], Vec::new()).await;
        assert_eq!(refused, Err(SendError::Request));
    }
    server.saw_nothing();
}
