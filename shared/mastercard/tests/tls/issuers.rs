//! Client of the Issuer Enrollment API: what it sends, byte for byte, and what it makes of connections that fail.

use mastercard::{
    NotSent, RequestSigner, SigningError, Unknown,
    http::{HttpClient, HttpSettings, Method, Url},
    issuer_enrollment::{
        BatchSubmission, CardDeletion, DeletedCard, Dialect, Exchange, FlowId, IssuerEnrollmentClient,
        IssuerEnrollmentError, IssuerEnrollmentSetupError, SubmittedBatch,
    },
};
use zeroize::Zeroizing;

use super::*;

/// Signs by repeating what it was given.
struct Repeats;

impl RequestSigner for Repeats {
    fn authorization(
        &self,
        method: &Method,
        url: &Url,
        body: &[u8],
    ) -> Result<Zeroizing<String>, SigningError> {
        Ok(Zeroizing::new(format!(
            "Test {method} {url} {}",
            hex::encode(body)
        )))
    }
}

/// A key that can't sign.
struct Refuses;

impl RequestSigner for Refuses {
    fn authorization(&self, _: &Method, _: &Url, _: &[u8]) -> Result<Zeroizing<String>, SigningError> {
        Err(SigningError)
    }
}

const ACCEPTED: &str = r#"{"batchId":"SECRET-batch","externalBatchId":"b-1"}"#;
const FLOW: &str = "34F4A04B.B9EF8486-E8C1-44F3-88DC-D4F516A354DC";

fn issuers(
    port: u16,
    settings: &HttpSettings,
    signer: impl RequestSigner + 'static,
) -> IssuerEnrollmentClient {
    let http = HttpClient::new(settings).unwrap();
    let base = format!("https://localhost:{port}/src/api/digital/payments");
    IssuerEnrollmentClient::new(http, &base, Dialect::Legacy, Arc::new(signer)).unwrap()
}

async fn submit(client: &IssuerEnrollmentClient) -> Exchange<SubmittedBatch> {
    let batch = BatchSubmission {
        external_batch_id: "b-1",
        src_client_id: "6aff5cba-3aac-4fe0-b0cd-a52fc948d0c6",
        service_id: "SRC",
        enrollment_data: "SECRET.b.c.d.e",
    };
    client.submit(&batch, None).await
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = request.split("\r\n\r\n").next()?.lines();
    lines.find_map(|line| {
        line.to_ascii_lowercase()
            .starts_with(&format!("{name}: "))
            .then(|| &line[name.len() + 2..])
    })
}

#[tokio::test]
async fn signed_bytes_are_the_sent_ones() {
    let server = Server::start(&Demands::certificate(rustls::DEFAULT_VERSIONS), |connection| {
        let answer = format!(
            "HTTP/1.1 202 X\r\nX-Src-Cx-Flow-Id: {FLOW}\r\nX-Correlation-Id: 624deea6-b709-470c-8c39-4b5511281492\r\n\
             Content-Length: {}\r\n\r\n{ACCEPTED}",
            ACCEPTED.len()
        );
        let _ = connection.write_all(answer.as_bytes());
    });
    let client = issuers(server.port, &settings(), Repeats);
    let exchange = submit(&client).await;
    assert_eq!(exchange.result.unwrap().batch_id, "SECRET-batch");
    assert_eq!(exchange.flow.as_ref().map(FlowId::as_str), Some(FLOW));
    assert!(exchange.correlation.is_some());
    let call = server.seen();
    assert!(call.showed_certificate);
    let (_, body) = call.request.split_once("\r\n\r\n").unwrap();
    let signed = header(&call.request, "authorization").unwrap();
    let url = format!(
        "https://localhost:{}/src/api/digital/payments/cards/batch",
        server.port
    );
    assert_eq!(signed, format!("Test POST {url} {}", hex::encode(body)));
    assert_eq!(header(&call.request, "content-type"), Some("application/json"));
    assert_eq!(header(&call.request, "x-src-cx-flow-id"), None);
}

#[tokio::test]
async fn later_calls_carry_the_flow() {
    let server = Server::start(&Demands::nothing(), |connection| answer(connection, 200, "{}"));
    let client = issuers(server.port, &settings(), Repeats);
    let flow = FlowId::parse(FLOW);
    let _ = client.status("m-1", flow.as_ref()).await;
    let request = server.seen().request;
    assert!(
        request.starts_with("GET /src/api/digital/payments/cards/batch/m-1 HTTP/1.1\r\n"),
        "{request}"
    );
    assert_eq!(header(&request, "x-src-cx-flow-id"), Some(FLOW));
    assert_eq!(
        (
            header(&request, "content-length"),
            header(&request, "content-type")
        ),
        (None, None)
    );
    let deletion = CardDeletion {
        src_digital_card_id: "d-1",
        src_client_id: "6aff5cba-3aac-4fe0-b0cd-a52fc948d0c6",
        service_id: "SRC#1",
        src_correlation_id: "ff97ef9b-4b1e-40c2-b522-42197061dc5a",
    };
    let deleted = client.delete_card(&deletion, flow.as_ref()).await;
    assert_eq!(deleted.result, Ok(DeletedCard::Deleted));
    let request = server.seen().request;
    assert!(
        request.starts_with("DELETE /src/api/digital/payments/cards/d-1?srcClientId=6aff5cba-"),
        "{request}"
    );
    let target = request.split(' ').nth(1).unwrap();
    let signed = header(&request, "authorization").unwrap();
    assert_eq!(
        signed.trim_end(),
        format!("Test DELETE https://localhost:{}{target}", server.port)
    );
}

#[tokio::test]
async fn failed_connections_are_told_apart() {
    let cut = Server::start(&Demands::nothing(), |_| {});
    let error = submit(&issuers(cut.port, &settings(), Repeats))
        .await
        .result
        .unwrap_err();
    assert!(
        matches!(
            error,
            IssuerEnrollmentError::Unknown {
                reason: Unknown::Connection(_),
                ..
            }
        ),
        "{error}"
    );
    assert!(error.leaves_outcome_open());

    let half = Server::start(&Demands::nothing(), |connection| {
        let _ = connection
            .write_all(format!("HTTP/1.1 202 X\r\nContent-Length: 500\r\n\r\n{ACCEPTED}").as_bytes());
        connection.conn.send_close_notify();
        let _ = connection.flush();
    });
    let error = submit(&issuers(half.port, &settings(), Repeats))
        .await
        .result
        .unwrap_err();
    assert!(error.leaves_outcome_open(), "{error}");

    let error = submit(&issuers(1, &settings(), Repeats))
        .await
        .result
        .unwrap_err();
    assert!(
        matches!(error, IssuerEnrollmentError::NotSent(NotSent::Connect(_))),
        "{error}"
    );

    let foreign = Server::start(
        &Demands {
            issuer: &FOREIGN_CA,
            ..Demands::nothing()
        },
        |connection| answer(connection, 202, ACCEPTED),
    );
    let error = submit(&issuers(foreign.port, &settings(), Repeats))
        .await
        .result
        .unwrap_err();
    assert!(matches!(error, IssuerEnrollmentError::NotSent(_)), "{error}");
}

#[tokio::test]
async fn request_without_a_signature_is_not_sent() {
    let server = Server::start(&Demands::nothing(), |connection| {
        answer(connection, 202, ACCEPTED);
    });
    let error = submit(&issuers(server.port, &settings(), Refuses))
        .await
        .result
        .unwrap_err();
    assert_eq!(error.class(), "not_sent");
    assert!(server.calls.try_recv().is_err());
}

#[tokio::test]
async fn unrequested_gzip_is_read() {
    let server = Server::start(&Demands::nothing(), |connection| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(ACCEPTED.as_bytes()).unwrap();
        let body = encoder.finish().unwrap();
        let head = format!(
            "HTTP/1.1 202 X\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let _ = connection.write_all(&[head.as_bytes(), &body].concat());
    });
    assert!(
        submit(&issuers(server.port, &settings(), Repeats))
            .await
            .result
            .is_ok()
    );
}

#[tokio::test(flavor = "current_thread")]
async fn log_has_the_outcome_and_no_secret() {
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || lines.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let refusal = r#"{"status":400,"reason":"INVALID_ARGUMENT","message":"SECRET"}"#;
    let accepts = Server::start(&Demands::nothing(), |connection| {
        answer(connection, 202, ACCEPTED);
    });
    let refuses = Server::start(&Demands::nothing(), move |connection| {
        answer(connection, 400, refusal);
    });
    for port in [accepts.port, refuses.port, 1] {
        let _ = submit(&issuers(port, &settings(), Repeats)).await;
    }
    drop(guard);
    let log = log.text();
    for outcome in ["ok", "refused", "not_sent"] {
        assert!(log.contains(&format!(r#""outcome":"{outcome}""#)), "{log}");
    }
    for secret in ["SECRET", "Test POST", "6aff5cba"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn only_a_plain_https_base_is_accepted() {
    for url in [
        "http://localhost/x",
        "localhost",
        "https://localhost/?x=1",
        "https://localhost/#x",
        "https://a:b@localhost/",
    ] {
        let http = HttpClient::new(&settings()).unwrap();
        let client = IssuerEnrollmentClient::new(http, url, Dialect::Legacy, Arc::new(Repeats));
        assert_eq!(client.err(), Some(IssuerEnrollmentSetupError::BaseUrl), "{url}");
    }
}
