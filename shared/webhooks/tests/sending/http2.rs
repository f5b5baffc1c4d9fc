//! Receivers that speak HTTP/2, served by hyper.

use std::{convert::Infallible, future::pending, net::TcpListener, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_rustls::TlsAcceptor;
use webhooks::{Answer, Failure, RetryAfter, Sender, SenderSettings, Stage, TlsFailure, Url};

use crate::{
    server::{CA, configuration},
    settings,
};

#[tokio::test]
async fn a_receiver_of_http_2_alone_is_served() {
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
async fn many_fields_over_http_2_do_not_matter() {
    let answer = (0..500).fold(Response::builder(), |answer, number| {
        answer.header(format!("x-{number}"), "y".repeat(100))
    });
    let mut receiver = Receiver::start(only_http_2(), answer);
    assert_eq!(receiver.post().await.unwrap().status, 200);
    receiver.came.recv().await.unwrap();
    assert!(receiver.came.try_recv().is_err(), "posted once");
}

#[tokio::test]
async fn a_redirect_over_http_2_is_not_followed() {
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
async fn a_receiver_of_http_2_that_takes_too_long_is_told_apart() {
    let receiver = Receiver::start(only_http_2(), Response::builder().header(NEVER, "1"));
    let sender = Sender::new(&SenderSettings {
        total_timeout: Duration::from_millis(500),
        ..settings()
    })
    .unwrap();
    let ended = sender.post(&receiver.url(), &[], b"{}".to_vec()).await;
    assert_eq!(ended, Err(Failure::Timeout(Stage::Answer)));
}

#[tokio::test]
async fn a_foreign_authority_is_not_believed_over_http_2() {
    let mut foreign = configuration(&crate::server::FOREIGN_CA);
    foreign.alpn_protocols = vec![b"h2".to_vec()];
    let mut receiver = Receiver::start(foreign, Response::builder());
    assert_eq!(
        receiver.post().await,
        Err(Failure::Tls(TlsFailure::MissingIntermediate))
    );
    assert!(receiver.came.try_recv().is_err());
}

/// A field of an answer that is never given.
const NEVER: &str = "x-never";

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

    async fn post(&self) -> Result<Answer, Failure> {
        let sender = Sender::new(&settings()).unwrap();
        sender.post(&self.url(), &[], b"{}".to_vec()).await
    }
}

fn only_http_2() -> ServerConfig {
    let mut configuration = configuration(&CA);
    configuration.alpn_protocols = vec![b"h2".to_vec()];
    configuration
}
