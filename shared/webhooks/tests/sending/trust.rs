use std::{io::Write, net::TcpListener, thread};

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use webhooks::{SendError, SenderSettings, TlsError, Url, sender::Trust};

use crate::{
    post, post_to,
    server::{
        Authority, Behavior, CA, Event, FOREIGN_CA, Server, authority_parameters, configuration,
        demanding_a_certificate, parameters, presenting, self_signed,
    },
    settings,
};

#[tokio::test]
async fn only_the_added_authority_is_trusted() {
    let server = Server::answering("HTTP/1.1 200 OK\r\n");
    assert!(post(&server, &settings()).await.is_ok());

    let mut foreign = Server::start_under(&FOREIGN_CA, Behavior::Silence);
    assert_eq!(refusal(&foreign).await, TlsError::MissingIntermediate);
    assert_eq!(foreign.next().await, Event::Connection);
    assert_eq!(foreign.next().await, Event::End, "no request was sent");
}

#[tokio::test]
async fn only_mozillas_roots_are_trusted_by_default() {
    let server = Server::answering("HTTP/1.1 200 OK\r\n");
    let settings = SenderSettings {
        trust: Trust::default(),
        ..settings()
    };
    let refused = Err(TlsError::MissingIntermediate.into());
    assert_eq!(post(&server, &settings).await, refused);
}

#[tokio::test]
async fn expired_and_future_certificates_have_classes() {
    for (begin, end, expected) in [
        (2001, 2002, TlsError::Expired),
        (2900, 2901, TlsError::NotYetValid),
    ] {
        let mut certificate = parameters();
        certificate.not_before = date_time_ymd(begin, 1, 1);
        certificate.not_after = date_time_ymd(end, 1, 1);
        assert_eq!(refused(presenting(&certificate, &CA, &[])).await, expected);
    }
}

#[tokio::test]
async fn certificate_for_another_name_has_its_class() {
    let certificate = CertificateParams::new(["partner.example".to_owned()]).unwrap();
    assert_eq!(
        refused(presenting(&certificate, &CA, &[])).await,
        TlsError::WrongName
    );
}

#[tokio::test]
async fn missing_intermediate_differs_from_unknown_issuer() {
    let intermediate = |root: &Authority| {
        let key = KeyPair::generate().unwrap();
        CertifiedIssuer::signed_by(authority_parameters("intermediate"), key, root).unwrap()
    };
    let ours = intermediate(&CA);
    let complete = presenting(&parameters(), &ours, &[ours.der().clone()]);
    let server = Server::start_with(complete, Behavior::Answer("HTTP/1.1 200 OK\r\n\r\n".into()));
    assert!(post(&server, &settings()).await.is_ok());
    assert_eq!(
        refused(presenting(&parameters(), &ours, &[])).await,
        TlsError::MissingIntermediate
    );

    let foreign = intermediate(&FOREIGN_CA);
    let chain = [foreign.der().clone(), FOREIGN_CA.der().clone()];
    assert_eq!(
        refused(presenting(&parameters(), &foreign, &chain)).await,
        TlsError::UnknownIssuer
    );
    assert_eq!(refused(self_signed()).await, TlsError::UnknownIssuer);
}

#[tokio::test]
async fn refused_handshake_has_its_class() {
    assert_eq!(refused(demanding_a_certificate()).await, TlsError::Refused);

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || drop(listener.accept().unwrap()));
    let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
    assert_eq!(post_to(&url, &settings()).await, Err(TlsError::Refused.into()));
}

#[tokio::test]
async fn missing_common_protocol_has_its_class() {
    let mut other = configuration(&CA);
    other.alpn_protocols = vec![b"imap".to_vec()];
    assert_eq!(refused(other).await, TlsError::Protocol);
}

async fn refused(configuration: ServerConfig) -> TlsError {
    refusal(&Server::start_with(configuration, Behavior::Silence)).await
}

async fn refusal(server: &Server) -> TlsError {
    match post(server, &settings()).await {
        Err(SendError::Tls(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn address_missing_in_the_certificate_is_refused() {
    let server = Server::answering("HTTP/1.1 200 OK\r\n");
    let settings = SenderSettings {
        dangerous_private_hosts: vec!["127.0.0.2".parse().unwrap()],
        ..settings()
    };
    let url = Url::parse(&format!("https://127.0.0.2:{}/", server.port())).unwrap();
    // Not every system has all of 127.0.0.0/8 on loopback, so either it isn't reached or it isn't believed.
    let refused = post_to(&url, &settings).await;
    assert!(
        matches!(
            refused,
            Err(SendError::Tls(TlsError::WrongName) | SendError::Connect)
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn server_without_tls_has_its_class() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    });
    let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
    assert_eq!(post_to(&url, &settings()).await, Err(TlsError::Protocol.into()));
}
