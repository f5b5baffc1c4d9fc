use std::{io::Write, net::TcpListener, thread};

use webhooks::{Failure, SenderSettings, Url, sender::Trust};

use crate::{
    post, post_to,
    server::{Behaviour, Event, FOREIGN_CA, Server},
    settings,
};

#[tokio::test]
async fn an_added_authority_is_believed_and_no_other() {
    let server = Server::answering("HTTP/1.1 200 OK\r\n");
    assert!(post(&server, &settings()).await.is_ok());

    let mut foreign = Server::start_under(&FOREIGN_CA, Behaviour::Silence);
    assert_eq!(post(&foreign, &settings()).await, Err(Failure::Tls));
    assert_eq!(foreign.next().await, Event::Connection);
    assert_eq!(foreign.next().await, Event::End, "no request was sent");
}

#[tokio::test]
async fn without_an_added_authority_mozillas_alone_are_believed() {
    let server = Server::answering("HTTP/1.1 200 OK\r\n");
    let settings = SenderSettings {
        trust: Trust::default(),
        ..settings()
    };
    assert_eq!(post(&server, &settings).await, Err(Failure::Tls));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_believed() {
    let server = Server::answering("HTTP/1.1 200 OK\r\n");
    let settings = SenderSettings {
        dangerous_private_hosts: vec!["127.0.0.2".parse().unwrap()],
        ..settings()
    };
    let url = Url::parse(&format!("https://127.0.0.2:{}/", server.port())).unwrap();
    // Not every system has all of 127.0.0.0/8 on loopback, so either it isn't reached or it isn't believed.
    let refused = post_to(&url, &settings).await;
    assert!(
        matches!(refused, Err(Failure::Tls | Failure::Connect)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    });
    let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
    assert_eq!(post_to(&url, &settings()).await, Err(Failure::Tls));
}
