//! Receivers that speak HTTP/2, served by hyper.

use std::{convert::Infallible, future::pending, net::TcpListener, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};
use tokio_rustls::TlsAcceptor;
use webhooks::{Answer, RetryAfter, SendError, SendStage, Sender, SenderSettings, TlsError, Url};

use crate::{
    server::{CA, configuration},
    settings,
};

#[tokio::test]
async fn http_2_only_receiver_is_served() {
    let mut receiver = Receiver::start(only_http_2(), Response::builder().status(204));
    let sender = Sender::new(&SenderSettings {
        user_agent: "demo/1".to_owned(),
        ..settings()
    })
    .unwrap();
    let headers = [("content-type", "application/json".to_owned())];
    let url = receiver.url();
    let answer = sender.post(&url, &headers, b"{\"a\": 1}".to_vec()).await;
    assert_eq!(answer.unwrap().status, 204);
    let (head, body) = receiver.came.recv().await.unwrap();
    assert_eq!(head.uri, url.as_str().parse::<http::Uri>().unwrap());
    let mut fields: Vec<_> = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "accept: */*",
            "content-length: 8",
            "content-type: application/json",
            "user-agent: demo/1",
        ]
    );
    assert_eq!(body, "{\"a\": 1}");
}

#[tokio::test]
async fn many_header_fields_are_accepted() {
    let answer = (0..500).fold(Response::builder(), |answer, number| {
        answer.header(format!("x-{number}"), "y".repeat(100))
    });
    let mut receiver = Receiver::start(only_http_2(), answer);
    assert_eq!(receiver.post().await.unwrap().status, 200);
    receiver.came.recv().await.unwrap();
    assert!(receiver.came.try_recv().is_err(), "posted once");
}

#[tokio::test]
async fn redirect_over_http_2_is_not_followed() {
    let answer = Response::builder()
        .status(307)
        .header("location", "https://localhost/")
        .header("retry-after", "60");
    let receiver = Receiver::start(only_http_2(), answer);
    let expected = Answer {
        status: 307,
        retry_after: Some(RetryAfter::Seconds(60)),
    };
    assert_eq!(receiver.post().await, Ok(expected));
}

#[tokio::test]
async fn answer_timeout_has_its_class() {
    let receiver = Receiver::start(only_http_2(), Response::builder().header(NEVER, "1"));
    let sender = Sender::new(&SenderSettings {
        total_timeout: Duration::from_millis(500),
        ..settings()
    })
    .unwrap();
    let ended = sender.post(&receiver.url(), &[], b"{}".to_vec()).await;
    assert_eq!(ended, Err(SendError::Timeout(SendStage::Answer)));
}

#[tokio::test]
async fn untrusted_authority_is_refused() {
    let mut foreign = configuration(&crate::server::FOREIGN_CA);
    foreign.alpn_protocols = vec![b"h2".to_vec()];
    let mut receiver = Receiver::start(foreign, Response::builder());
    assert_eq!(
        receiver.post().await,
        Err(SendError::Tls(TlsError::MissingIntermediate))
    );
    assert!(receiver.came.try_recv().is_err());
}

/// Header field of an answer that is never sent.
const NEVER: &str = "x-never";

/// As some proxies do, which pass on a field of HTTP/1.1.
#[tokio::test]
async fn protocol_error_falls_back_to_http_1() {
    for (frame, expected) in [
        (headers(b"connection", b"close"), 2),
        (headers(b"Upper-Case", b"x"), 2),
        (headers(b"x-fine", b"x"), 1),
        // RST_STREAM with HTTP_1_1_REQUIRED.
        (vec![0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 13], 2),
        // RST_STREAM with INTERNAL_ERROR says nothing against HTTP/2.
        (vec![0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 2], 1),
    ] {
        let (url, mut connections) = raw(frame.clone());
        let sender = Sender::new(&settings()).unwrap();
        let answer = sender.post(&url, &[], b"{}".to_vec()).await;
        if frame.ends_with(&[2]) {
            assert_eq!(answer, Err(SendError::Connection));
        } else {
            assert_eq!(answer.map(|answer| answer.status), Ok(200));
        }
        let mut seen = 0;
        while connections.try_recv().is_ok() {
            seen += 1;
        }
        assert_eq!(seen, expected, "{frame:?}");
    }
}

/// Frame HEADERS that ends stream 1: `:status: 200` and a literal field (RFC 7541 §6.2.2).
fn headers(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut block = vec![0x88, 0x00];
    for text in [name, value] {
        block.push(u8::try_from(text.len()).unwrap());
        block.extend_from_slice(text);
    }
    let length = u8::try_from(block.len()).unwrap();
    [&[0, 0, length, 1, 0x05, 0, 0, 0, 1], &block[..]].concat()
}

/// Server that answers with one frame over HTTP/2, and with 200 over HTTP/1.1.
fn raw(frame: Vec<u8>) -> (Url, UnboundedReceiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let mut tls = configuration(&CA);
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let (sender, connections) = unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            let _ = sender.send(());
            let answer = if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                // Empty SETTINGS, and the acknowledgement of the client's.
                [
                    &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0][..],
                    &frame,
                ]
                .concat()
            } else {
                b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()
            };
            let mut request = [0; 16 * 1024];
            let mut read = 0;
            while !request[..read].ends_with(b"{}") {
                read += stream.read(&mut request[read..]).await.unwrap();
            }
            stream.write_all(&answer).await.unwrap();
            stream.flush().await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let url = format!("https://localhost:{port}/");
    (Url::parse(&url).unwrap(), connections)
}

struct Receiver {
    port: u16,
    came: UnboundedReceiver<(http::request::Parts, String)>,
}

impl Receiver {
    fn start(configuration: ServerConfig, answer: http::response::Builder) -> Self {
        let answer = answer.body(()).unwrap().into_parts().0;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(configuration));
        let (sender, came) = unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let (sender, answer) = (sender.clone(), answer.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (sender, answer) = (sender.clone(), answer.clone());
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.unwrap().to_bytes();
                        let _ = sender.send((head, String::from_utf8(body.to_vec()).unwrap()));
                        if answer.headers.contains_key(NEVER) {
                            pending::<()>().await;
                        }
                        Ok::<_, Infallible>(Response::from_parts(answer, Full::<Bytes>::default()))
                    }
                });
                let connection =
                    http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Self { port, came }
    }

    fn url(&self) -> Url {
        Url::parse(&format!("https://localhost:{}/hook?a=b", self.port)).unwrap()
    }

    async fn post(&self) -> Result<Answer, SendError> {
        let sender = Sender::new(&settings()).unwrap();
        sender.post(&self.url(), &[], b"{}".to_vec()).await
    }
}

fn only_http_2() -> ServerConfig {
    let mut configuration = configuration(&CA);
    configuration.alpn_protocols = vec![b"h2".to_vec()];
    configuration
}
