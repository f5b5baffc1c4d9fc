use std::{
    future::ready,
    io,
    net::{IpAddr, TcpListener},
    sync::{Arc, Mutex},
};

use webhooks::{
    BlockedUrl, SendError, SenderSettings, Url,
    sender::{Resolve, Resolving},
};

use crate::{post_to, server::Server, settings};

#[tokio::test]
async fn private_host_allows_only_itself() {
    let mut server = Server::answering("HTTP/1.1 200 OK\r\n");
    let mut other = Server::answering("HTTP/1.1 200 OK\r\n");
    let settings = private(&format!("localhost:{}", server.port()));

    assert!(post_to(&server.url("localhost"), &settings).await.is_ok());
    server.request().await;
    for url in [
        other.url("localhost"),
        other.url("127.0.0.1"),
        server.url("127.0.0.1"),
        server.url("127.1"),
    ] {
        assert_eq!(
            post_to(&url, &settings).await,
            Err(BlockedUrl::Address.into()),
            "{url}"
        );
    }
    other.saw_nothing();

    let url = Url::parse(&format!("http://localhost:{}/", server.port())).unwrap();
    assert_eq!(post_to(&url, &settings).await, Err(BlockedUrl::Scheme.into()));
}

#[tokio::test]
async fn private_address_is_refused_by_default() {
    let mut server = Server::answering("HTTP/1.1 200 OK\r\n");
    let settings = SenderSettings {
        dangerous_private_hosts: Vec::new(),
        ..settings()
    };
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(
            post_to(&server.url(host), &settings).await,
            Err(BlockedUrl::Address.into())
        );
    }
    server.saw_nothing();
}

#[tokio::test]
async fn private_address_may_be_configured() {
    let server = Server::answering("HTTP/1.1 200 OK\r\n");
    assert!(
        post_to(&server.url("127.0.0.1"), &private("127.0.0.1"))
            .await
            .is_ok()
    );
}

/// The resolver has only one answer: a second look-up would fail.
#[tokio::test]
async fn attempt_connects_to_its_single_look_up() {
    let mut server = Server::answering("HTTP/1.1 200 OK\r\n");
    let settings = SenderSettings {
        resolver: Arc::new(Once(Mutex::new(Some(vec![IpAddr::from([127, 0, 0, 1])])))),
        ..private("partner.test")
    };
    let url = server.url("partner.test");
    assert!(post_to(&url, &settings).await.is_ok());
    assert!(
        server
            .request()
            .await
            .contains(&format!("\r\nhost: partner.test:{}\r\n", server.port()))
    );
    assert_eq!(post_to(&url, &settings).await, Err(SendError::Lookup));
}

#[tokio::test]
async fn failed_look_up_differs_from_refused_port() {
    let nowhere = SenderSettings {
        resolver: Arc::new(Once(Mutex::new(Some(Vec::new())))),
        ..settings()
    };
    let url = Url::parse("https://partner.example/").unwrap();
    assert_eq!(post_to(&url, &nowhere).await, Err(SendError::Lookup));

    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
    assert_eq!(post_to(&url, &settings()).await, Err(SendError::Connect));
}

struct Once(Mutex<Option<Vec<IpAddr>>>);

impl Resolve for Once {
    fn resolve(&self, _name: &str) -> Resolving {
        let answer = self.0.lock().unwrap().take();
        Box::pin(ready(answer.ok_or(io::ErrorKind::NotFound.into())))
    }
}

fn private(host: &str) -> SenderSettings {
    SenderSettings {
        dangerous_private_hosts: vec![host.parse().unwrap()],
        ..settings()
    }
}
