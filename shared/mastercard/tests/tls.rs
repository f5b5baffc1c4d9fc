//! Client against TLS servers on loopback: what it sends, which servers it trusts, what it follows, and whether it
//! distinguishes "not sent" from "unknown".

#![expect(clippy::unwrap_used, reason = "a test that can't be set up fails")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{
        Arc, LazyLock, Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use mastercard::{
    ConnectionFailure, NotSent, Unknown,
    gateway::GatewayReason,
    http::{ClientIdentity, HttpClient, HttpSettings, Trust},
    mrs::{
        Dialect, EncryptedPair, EnrollAccount, EnrollRequest, EnrollResponse, FaultCode, MrsClient, MrsError,
        MrsSetupError,
    },
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, crypto::aws_lc_rs, pki_types::PrivateKeyDer,
    server::WebPkiClientVerifier,
};

#[path = "tls/issuers.rs"]
mod issuers;

static ONLY_TLS_1_3: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];
static ONLY_TLS_1_2: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];

type Authority = CertifiedIssuer<'static, KeyPair>;
type Connection = StreamOwned<ServerConnection, TcpStream>;

static CA: LazyLock<Authority> = LazyLock::new(|| authority("Test CA"));
static FOREIGN_CA: LazyLock<Authority> = LazyLock::new(|| authority("Foreign CA"));

const ENROLLED: &str = include_str!("fixtures/answer-enrolled.xml");
const ACCOUNTS: &str = include_str!("fixtures/answer-accounts.xml");
const UPDATED: &str = include_str!("fixtures/answer-updated.xml");
const FAULT: &str = include_str!("fixtures/answer-fault.xml");
const GATEWAY: &str = include_str!("fixtures/gateway-flat.json");

#[tokio::test]
async fn call_presents_the_certificate() {
    let server = Server::start(&Demands::nothing(), |connection| {
        answer(connection, 200, ENROLLED);
    });
    let response = server.client(&settings()).enroll(&request()).await.unwrap();
    assert_eq!(response.reference_id, "036437826104764187330000000001");
    let call = server.seen();
    assert!(call.showed_certificate);
    assert!(
        call.request.starts_with("POST /MRS/CustomerService HTTP/1.1\r\n"),
        "{}",
        call.request
    );
    let headers = call.request.to_ascii_lowercase();
    assert!(headers.contains("\r\nsoapaction: \"http://customer.ws.mcrewards.mastercard.com/enroll\"\r\n"));
    assert!(headers.contains("\r\ncontent-type: text/xml; charset=utf-8\r\n"));
    assert!(
        call.request
            .contains(r#"<cus:bankAccountNumber encrypted="true">{"key":"S2V5","data":"RGF0YQ=="}<"#)
    );
}

#[tokio::test]
async fn each_operation_goes_to_its_service() {
    let server = Server::start(&Demands::nothing(), |connection| {
        answer(connection, 200, ACCOUNTS);
    });
    assert_eq!(
        server
            .client(&settings())
            .customer_accounts("B1")
            .await
            .unwrap()
            .len(),
        2
    );
    assert!(server.seen().request.contains("<common:appID>B1</common:appID>"));

    let server = Server::start(&Demands::nothing(), |connection| answer(connection, 200, UPDATED));
    server.client(&settings()).cancel_account("R1").await.unwrap();
    assert!(server.seen().request.contains("<common:appID>R1</common:appID>"));

    let echo = ACCOUNTS.split("<soapenv:Body>").next().unwrap().to_owned()
        + "<soapenv:Body><d:doEchoResponse xmlns:d='http://diagnostic.ws.mcrewards.mastercard.com/'>hi</d:doEchoResponse></soapenv:Body></soapenv:Envelope>";
    let server = Server::start(&Demands::nothing(), move |connection| {
        answer(connection, 200, &echo);
    });
    assert_eq!(server.client(&settings()).echo("hi").await.unwrap(), "hi");
    assert!(
        server
            .seen()
            .request
            .starts_with("POST /MRS/DiagnosticService HTTP/1.1\r\n")
    );
}

#[tokio::test]
async fn fault_is_reported_with_its_code() {
    let server = Server::start(&Demands::nothing(), |connection| answer(connection, 500, FAULT));
    let Err(MrsError::Fault(fault)) = server.client(&settings()).enroll(&request()).await else {
        panic!("no fault");
    };
    assert_eq!(fault.code, FaultCode::BankAccountNumberAlreadyEnrolled);
}

/// The institution's name may be wrong: the client does not decide what such a code proves.
#[tokio::test]
async fn look_up_fault_is_not_an_empty_list() {
    for code in ["-5", "-85"] {
        let fault = FAULT.replace("-45", code);
        let server = Server::start(&Demands::nothing(), move |connection| {
            answer(connection, 500, &fault);
        });
        let error = server
            .client(&settings())
            .customer_accounts("B1")
            .await
            .unwrap_err();
        let MrsError::Fault(fault) = error else {
            panic!("{error}")
        };
        assert!(fault.code.says_not_enrolled());
        assert_eq!(fault.code.to_string(), code);
    }
}

#[tokio::test]
async fn gateway_refusal_was_not_sent() {
    let server = Server::start(&Demands::nothing(), |connection| answer(connection, 401, GATEWAY));
    let error = enroll(&server, settings()).await.unwrap_err();
    let MrsError::NotSent {
        reason: NotSent::Gateway(gateway),
        ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(gateway.reason, GatewayReason::InvalidClientCert);
}

#[tokio::test]
async fn untrusted_server_receives_nothing() {
    let demands = Demands {
        issuer: &FOREIGN_CA,
        ..Demands::nothing()
    };
    let server = Server::start(&demands, |connection| answer(connection, 200, ENROLLED));
    let error = enroll(&server, settings()).await.unwrap_err();
    assert!(
        not_sent(&error) == Some(&NotSent::Connect(ConnectionFailure::CertificateIssuer)),
        "{error}"
    );
    let mozilla = HttpSettings {
        trust: Trust::Mozilla,
        ..settings()
    };
    let server = Server::start(&Demands::nothing(), |connection| {
        answer(connection, 200, ENROLLED);
    });
    let error = enroll(&server, mozilla).await.unwrap_err();
    assert!(
        not_sent(&error) == Some(&NotSent::Connect(ConnectionFailure::CertificateIssuer)),
        "{error}"
    );
}

#[tokio::test]
async fn refused_connection_was_not_sent() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = client(port, &settings()).enroll(&request()).await.unwrap_err();
    assert!(
        not_sent(&error) == Some(&NotSent::Connect(ConnectionFailure::Refused)),
        "{error}"
    );
    assert!(!error.leaves_outcome_open());
}

#[tokio::test]
async fn unresolved_host_was_not_sent() {
    let http = HttpClient::new(&settings()).unwrap();
    let client = MrsClient::new(http, "https://mrs.invalid/MRS", Dialect::Document, "Demo Bank").unwrap();
    let error = client.enroll(&request()).await.unwrap_err();
    assert!(
        not_sent(&error) == Some(&NotSent::Connect(ConnectionFailure::NameResolution)),
        "{error}"
    );
}

#[tokio::test]
async fn handshake_timeout_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = HttpSettings {
        connect_timeout: Duration::from_millis(200),
        ..settings()
    };
    let error = client(listener.local_addr().unwrap().port(), &settings)
        .enroll(&request())
        .await
        .unwrap_err();
    assert!(
        not_sent(&error) == Some(&NotSent::Connect(ConnectionFailure::Timeout)),
        "{error}"
    );
}

#[tokio::test]
async fn answer_timeout_leaves_the_outcome_open() {
    let settings = HttpSettings {
        total_timeout: Duration::from_millis(500),
        ..settings()
    };
    let server = Server::start(&Demands::nothing(), |_| thread::sleep(Duration::from_secs(2)));
    assert_eq!(
        enroll(&server, settings.clone()).await,
        Err(Unknown::Timeout.into())
    );
    // The limit is for the whole answer, not for its first byte.
    let server = Server::start(&Demands::nothing(), |connection| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<a>");
        let _ = connection.flush();
        thread::sleep(Duration::from_secs(2));
    });
    assert_eq!(enroll(&server, settings).await, Err(Unknown::Timeout.into()));
}

#[tokio::test]
async fn connection_cut_after_the_request_is_unknown() {
    for partial in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<a>",
    ] {
        let server = Server::start(&Demands::nothing(), move |connection| {
            let _ = connection.write_all(partial.as_bytes());
            let _ = connection.flush();
        });
        let error = enroll(&server, settings()).await.unwrap_err();
        assert!(
            unknown(&error) == Some(&Unknown::Connection(ConnectionFailure::Closed)),
            "{partial:?}: {error}"
        );
        assert!(error.leaves_outcome_open());
    }
}

/// TLS's `close_notify` distinguishes a complete answer from a truncated one only where HTTP does not.
#[tokio::test]
async fn complete_answer_is_read_without_close_notify() {
    let [length, chunks, cut_chunks, bare] = framings(ENROLLED);
    for (response, notify, whole) in [
        (&length, false, true),
        (&chunks, false, true),
        (&cut_chunks, false, false),
        (&cut_chunks, true, false),
        (&bare, false, false),
        (&bare, true, true),
    ] {
        let sent = response.clone();
        let server = Server::start(&Demands::nothing(), move |connection| {
            let _ = connection.write_all(sent.as_bytes());
            if notify {
                connection.conn.send_close_notify();
            }
            let _ = connection.flush();
            let _ = connection.sock.shutdown(std::net::Shutdown::Write);
        });
        let outcome = enroll(&server, settings()).await;
        assert_eq!(outcome.is_ok(), whole, "{notify} {response}: {outcome:?}");
        if let Err(error) = outcome {
            assert!(
                matches!(unknown(&error), Some(Unknown::Connection(_))),
                "{notify} {response}: {error}"
            );
        }
    }
    let half = &ENROLLED[..ENROLLED.len() - 10];
    let [length, chunks, _, bare] = framings(half);
    for response in [length, chunks, bare] {
        let server = Server::start(&Demands::nothing(), move |connection| {
            let _ = connection.write_all(response.as_bytes());
            connection.conn.send_close_notify();
            let _ = connection.flush();
        });
        let error = enroll(&server, settings()).await.unwrap_err();
        assert!(matches!(unknown(&error), Some(Unknown::Malformed(_))), "{error}");
    }
}

/// Answers with a length, in chunks, in chunks without the last one, and without any sign of their end.
fn framings(body: &str) -> [String; 4] {
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
    let (first, second) = body.split_at(body.len() / 2);
    let chunk = |part: &str| format!("{:x}\r\n{part}\r\n", part.len());
    let chunks = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n{}{}",
        chunk(first),
        chunk(second)
    );
    [
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()),
        format!("{chunks}0\r\n\r\n"),
        chunks,
        format!("{head}\r\n{body}"),
    ]
}

#[tokio::test]
async fn malformed_header_fields_are_skipped() {
    let server = Server::start(&Demands::nothing(), |connection| {
        let mut response = format!(
            "HTTP/1.1 200 \u{fc}ber\r\nX-Powered-By : ASP\r\nX-Folded: a\r\n\tb\r\n\u{e4}(): odd\r\nContent-Length: {}\r\n\r\n",
            ENROLLED.len()
        );
        response.push_str(ENROLLED);
        let _ = connection.write_all(response.as_bytes());
        let _ = connection.flush();
    });
    let outcome = enroll(&server, settings()).await;
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[tokio::test]
async fn unrequested_compression_is_read() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(ENROLLED.as_bytes()).unwrap();
    let body = encoder.finish().unwrap();
    let server = Server::start(&Demands::nothing(), move |connection| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let _ = connection.write_all(&[head.as_bytes(), &body].concat());
        let _ = connection.flush();
    });
    let response = server.client(&settings()).enroll(&request()).await.unwrap();
    assert_eq!(response.reference_id, "036437826104764187330000000001");
    let request = server.seen().request.to_ascii_lowercase();
    assert!(request.contains("\r\naccept-encoding: identity\r\n"), "{request}");
}

#[tokio::test]
async fn certificate_refused_under_tls_1_3_is_unknown() {
    let foreign = HttpSettings {
        identity: Some(identity(&FOREIGN_CA)),
        ..settings()
    };
    let server = Server::start(&Demands::certificate(ONLY_TLS_1_3), |_| {});
    let error = enroll(&server, foreign.clone()).await.unwrap_err();
    assert!(
        matches!(
            unknown(&error),
            Some(Unknown::Connection(
                ConnectionFailure::Alert(_) | ConnectionFailure::Reset
            ))
        ),
        "{error}"
    );
    // TLS 1.2 finishes the check before the request may be written.
    let server = Server::start(&Demands::certificate(ONLY_TLS_1_2), |_| {});
    let error = enroll(&server, foreign).await.unwrap_err();
    assert!(
        matches!(
            not_sent(&error),
            Some(NotSent::Connect(
                ConnectionFailure::Alert(_) | ConnectionFailure::Reset
            ))
        ),
        "{error}"
    );
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let target = Server::start(&Demands::nothing(), |connection| {
        answer(connection, 200, ENROLLED);
    });
    let location = format!("https://localhost:{}/MRS/CustomerService", target.port);
    let server = Server::start(&Demands::nothing(), move |connection| {
        let head =
            format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let _ = connection.write_all(head.as_bytes());
        let _ = connection.flush();
    });
    assert_eq!(
        enroll(&server, settings()).await,
        Err(Unknown::Status(307).into())
    );
    assert!(target.calls.try_recv().is_err());
}

#[tokio::test]
async fn endless_answer_is_abandoned() {
    let server = Server::start(&Demands::nothing(), |connection| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while connection.write_all(&[b' '; 4096]).is_ok() {}
    });
    assert_eq!(
        enroll(&server, settings()).await,
        Err(Unknown::AnswerTooLong(1024 * 1024).into())
    );
}

#[tokio::test]
async fn log_has_the_outcome_and_no_customer() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter("mastercard=trace")
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let request = EnrollRequest {
        bank_customer_number: "SECRET-number".to_owned(),
        email_address: Some("SECRET@example.test".to_owned()),
        last_name: Some("SECRET name".to_owned()),
        ..request()
    };
    let cut = |_: &mut Connection| {};
    let fault = |connection: &mut Connection| answer(connection, 500, FAULT);
    let enrolled = |connection: &mut Connection| answer(connection, 200, ENROLLED);
    for server in [
        Server::start(&Demands::nothing(), enrolled),
        Server::start(&Demands::nothing(), fault),
        Server::start(&Demands::nothing(), cut),
    ] {
        let _ = server.client(&settings()).enroll(&request).await;
    }
    let _ = client(1, &settings()).cancel_account("SECRET-ranac").await;
    let log = log.text();
    for outcome in ["ok", "fault", "unknown", "not_sent"] {
        assert!(log.contains(&format!(r#""outcome":"{outcome}""#)), "{log}");
    }
    assert!(
        log.contains(r#""code":-45"#)
            && log.contains(r#""operation":"enroll""#)
            && log.contains("duration_ms")
    );
    for secret in [
        "SECRET",
        "S2V5",
        "RGF0",
        "0364378261",
        "52340012",
        "Already Enrolled",
        "PRIVATE",
        "Envelope",
    ] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn only_https_is_accepted() {
    let http = HttpClient::new(&settings()).unwrap();
    for url in [
        "http://localhost/MRS",
        "localhost/MRS",
        "",
        "https://",
        "ftp://localhost",
        "https://localhost/?x=1",
    ] {
        let client = MrsClient::new(http.clone(), url, Dialect::Document, "Demo Bank");
        assert_eq!(client.err(), Some(MrsSetupError::BaseUrl), "{url}");
    }
    let client = MrsClient::new(http, "https://localhost/MRS/", Dialect::Document, "");
    assert_eq!(client.err(), Some(MrsSetupError::InstitutionName));
}

/// A process can't change its own environment without unsafe code, so the call is made in a child process.
#[test]
fn proxy_in_the_environment_is_ignored() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "call_presents_the_certificate"])
        .envs(
            ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, "http://127.0.0.1:9")),
        )
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && report.contains("1 passed"), "{report}");
}

/// Log lines.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

/// Client certificates that a server demands, and its own authority.
struct Demands {
    issuer: &'static Authority,
    versions: &'static [&'static rustls::SupportedProtocolVersion],
    certificate: bool,
}

/// Server that handles its connections one after the other, and reports what each of them sent.
struct Server {
    port: u16,
    calls: Receiver<Call>,
}

struct Call {
    showed_certificate: bool,
    request: String,
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Demands {
    fn nothing() -> Self {
        Self {
            certificate: false,
            ..Self::certificate(rustls::DEFAULT_VERSIONS)
        }
    }

    fn certificate(versions: &'static [&'static rustls::SupportedProtocolVersion]) -> Self {
        Self {
            issuer: &CA,
            versions,
            certificate: true,
        }
    }
}

impl Server {
    fn start(demands: &Demands, respond: impl Fn(&mut Connection) + Send + 'static) -> Self {
        let configuration = Arc::new(server_configuration(demands));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, calls) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&configuration)).unwrap();
                let mut connection = StreamOwned::new(connection, stream.unwrap());
                let Some(request) = read_request(&mut connection) else {
                    continue;
                };
                let showed_certificate = connection.conn.peer_certificates().is_some();
                let _ = sender.send(Call {
                    showed_certificate,
                    request,
                });
                respond(&mut connection);
            }
        });
        Self { port, calls }
    }

    fn client(&self, settings: &HttpSettings) -> MrsClient {
        client(self.port, settings)
    }

    fn seen(&self) -> Call {
        self.calls.recv_timeout(Duration::from_secs(5)).unwrap()
    }
}

fn not_sent(error: &MrsError) -> Option<&NotSent> {
    match error {
        MrsError::NotSent { reason, .. } => Some(reason),
        _ => None,
    }
}

fn unknown(error: &MrsError) -> Option<&Unknown> {
    match error {
        MrsError::Unknown { reason, .. } => Some(reason),
        _ => None,
    }
}

async fn enroll(server: &Server, settings: HttpSettings) -> Result<EnrollResponse, MrsError> {
    server.client(&settings).enroll(&request()).await
}

fn client(port: u16, settings: &HttpSettings) -> MrsClient {
    let http = HttpClient::new(settings).unwrap();
    MrsClient::new(
        http,
        &format!("https://localhost:{port}/MRS"),
        Dialect::Document,
        "Demo Bank",
    )
    .unwrap()
}

fn settings() -> HttpSettings {
    HttpSettings {
        trust: Trust::only_pem(&CA.pem()).unwrap(),
        identity: Some(identity(&CA)),
        ..HttpSettings::default()
    }
}

fn request() -> EnrollRequest {
    EnrollRequest {
        bank_customer_number: "B1".to_owned(),
        member_ica: 1234,
        email_address: None,
        language_code: None,
        first_name: None,
        last_name: None,
        account: EnrollAccount {
            number: EncryptedPair::new("S2V5", "RGF0YQ==").unwrap(),
            bank_product_code: "MRSDEMO".to_owned(),
            program_identifier: "10765".to_owned(),
        },
    }
}

fn authority(name: &str) -> Authority {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

fn identity(issuer: &Authority) -> ClientIdentity {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["client.test".to_owned()])
        .unwrap()
        .signed_by(&key, issuer)
        .unwrap();
    ClientIdentity::from_pem(&certificate.pem(), &key.serialize_pem()).unwrap()
}

/// A server that demands no certificate still asks for one, as the sandbox does, and accepts any of its authority.
fn server_configuration(demands: &Demands) -> ServerConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CA.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = if demands.certificate {
        verifier
    } else {
        verifier.allow_unauthenticated()
    };
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, demands.issuer)
        .unwrap();
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(demands.versions)
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap()
}

/// Reads one request with its body; `None` if the client gave up in the handshake.
fn read_request(connection: &mut Connection) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let length = connection.read(&mut part).ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&part[..length]);
        let request = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = request.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_ascii_lowercase();
        let expected = head
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.lines().next()?.parse().ok());
        if expected.is_none_or(|expected: usize| body.len() >= expected) {
            return Some(request);
        }
    }
}

fn answer(connection: &mut Connection, status: u16, body: &str) {
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = connection.write_all(head.as_bytes());
    let _ = connection.write_all(body.as_bytes());
    connection.conn.send_close_notify();
    let _ = connection.flush();
}
