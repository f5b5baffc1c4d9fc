//! The front of the API, before an upstream made for the test.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request;
use axum::routing::{any, post};
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;

use crate::fixture::Around;

const LIMIT: usize = 10 * 1024 * 1024;

/// Tells what it was asked, as plain text.
async fn upstream() -> SocketAddr {
    let echo = async |request: Request| {
        let (parts, body) = request.into_parts();
        let length = body.collect().await.map_or(0, |body| body.to_bytes().len());
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .unwrap_or("-")
                .to_owned()
        };
        let (host, forwarded, kept) = (header("host"), header("x-forwarded-host"), header("x-kept"));
        format!(
            "{} {} {length} {host} {forwarded} {kept}",
            parts.method, parts.uri
        )
    };
    let moved = async || {
        (
            http::StatusCode::FOUND,
            [
                ("location", "http://elsewhere.invalid/#x"),
                ("enrollment-status", "S"),
            ],
            "",
        )
    };
    let router = Router::new()
        .route("/base/moved", post(moved))
        .fallback(any(echo));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn calls_are_passed_on_as_they_came() {
    let upstream = upstream().await;
    let around = Around::start(&format!("http://{upstream}/base")).await;
    let front = around.at().api;
    let client = around.client(None);
    let answer = client
        .put(format!("http://{front}/a/b%2Fc?x=1&y=%20"))
        .header("x-kept", "yes")
        .body("12345")
        .send()
        .await;
    let text = answer.unwrap().text().await.unwrap();
    assert_eq!(
        text,
        format!("PUT /base/a/b%2Fc?x=1&y=%20 5 {upstream} {front} yes")
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let upstream = upstream().await;
    let around = Around::start(&format!("http://{upstream}/base")).await;
    let answer = around
        .client(None)
        .post(format!("http://{}/moved", around.at().api))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()["location"], "http://elsewhere.invalid/#x");
    assert_eq!(answer.headers()["enrollment-status"], "S");
}

#[tokio::test]
async fn a_file_names_the_upstream_and_a_new_one_counts_at_once() {
    let (one, two) = (upstream().await, upstream().await);
    let around = Around::start("@FOLDER/upstream").await;
    let url = format!("http://{}/x", around.at().api);
    let client = around.client(None);
    assert_eq!(client.get(&url).send().await.unwrap().status(), 502);
    for upstream in [one, two] {
        fs::write(
            around.folder.join("upstream"),
            format!("http://{upstream}/base\n"),
        )
        .unwrap();
        let text = client.get(&url).send().await.unwrap().text().await.unwrap();
        assert!(text.contains(&upstream.to_string()), "{text}");
    }
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let around = Around::start(&format!("http://{}/base", upstream().await)).await;
    let url = format!("http://{}/x", around.at().api);
    let client = around.client(None);
    let fits = client.post(&url).body(vec![0; LIMIT]).send().await.unwrap();
    assert!(fits.text().await.unwrap().contains(&format!(" {LIMIT} ")));
    // The answer comes before the body was read: whether the client sees it or the closed connection is a matter of luck.
    let too_long = client.post(&url).body(vec![0; LIMIT + 1]).send().await;
    assert!(too_long.is_err() || too_long.is_ok_and(|answer| answer.status() == 413));
}

#[tokio::test]
async fn a_body_whose_length_is_not_told_has_the_same_limit() {
    let around = Around::start(&format!("http://{}/base", upstream().await)).await;
    let front = around.at().api;
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(front).unwrap();
        let head = format!(
            "POST /x HTTP/1.1\r\nhost: {front}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let chunk = [b"10000\r\n".as_slice(), &vec![0; 0x10000], b"\r\n"].concat();
        // One chunk more than fits; writing fails once the front has closed.
        for _ in 0..=LIMIT / 0x10000 {
            if stream.write_all(&chunk).is_err() {
                break;
            }
        }
        let _ = stream.write_all(b"0\r\n\r\n");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    });
    let answer = answer.await.unwrap();
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 413"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_upstream_that_is_away_is_a_502_and_health_is_our_own() {
    let around = Around::start("http://127.0.0.1:9/base").await;
    let front = around.at().api;
    let client = around.client(None);
    let answer = client.get(format!("http://{front}/x")).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(
        answer.text().await.unwrap(),
        "front: the upstream does not answer\n"
    );
    let health = [
        format!("http://{front}/_front/health"),
        format!("http://{}/health", around.at().partner),
    ];
    for url in health
        .into_iter()
        .chain([format!("http://{}/health", around.at().admin)])
    {
        assert_eq!(client.get(&url).send().await.unwrap().status(), 200, "{url}");
    }
}
