//! TLS server on loopback with one behavior.

use std::{
    io,
    net::TcpListener,
    sync::{Arc, LazyLock},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer, KeyPair};
use rustls::{
    ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use webhooks::Url;

/// Time limit of a test, so that one that would hang fails instead.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) static CA: LazyLock<Authority> = LazyLock::new(|| authority("root"));
pub(crate) static FOREIGN_CA: LazyLock<Authority> = LazyLock::new(|| authority("foreign root"));

/// Behavior of a server after it has read a request.
#[derive(Clone)]
pub(crate) enum Behavior {
    /// Answers, and waits for the client to hang up.
    Answer(String),
    /// Answers with these bytes and hangs up without TLS's `close_notify`.
    Cut(Vec<u8>),
    /// Sends nothing.
    Silence,
    /// Sends the first text, then repeats the second slowly without end.
    Dribble(&'static str, &'static str),
    /// Sends the text, then a body as fast as it can without end.
    Flood(&'static str),
}

pub(crate) struct Server {
    port: u16,
    events: UnboundedReceiver<Event>,
}

/// Events of a server, in this order for each connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Connection,
    Request(String),
    End,
}

impl Server {
    pub(crate) fn start(behavior: Behavior) -> Self {
        Self::start_under(&CA, behavior)
    }

    pub(crate) fn answering(head: &str) -> Self {
        Self::start(Behavior::Answer(format!("{head}Content-Length: 0\r\n\r\n")))
    }

    pub(crate) fn start_under(issuer: &Authority, behavior: Behavior) -> Self {
        Self::start_with(configuration(issuer), behavior)
    }

    pub(crate) fn start_with(configuration: ServerConfig, behavior: Behavior) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(configuration));
        let (sender, events) = unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let _ = sender.send(Event::Connection);
                tokio::spawn(serve(acceptor.clone(), stream, behavior.clone(), sender.clone()));
            }
        });
        Self { port, events }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, host: &str) -> Url {
        Url::parse(&format!("https://{host}:{}/hook?a=b", self.port)).unwrap()
    }

    pub(crate) async fn next(&mut self) -> Event {
        timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap()
    }

    /// Request of the next connection.
    pub(crate) async fn request(&mut self) -> String {
        assert_eq!(self.next().await, Event::Connection);
        match self.next().await {
            Event::Request(request) => request,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn saw_nothing(&mut self) {
        assert!(self.events.try_recv().is_err());
    }
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream, behavior: Behavior, events: UnboundedSender<Event>) {
    match acceptor.accept(stream).into_fallible().await {
        Ok(mut stream) => {
            if let Ok(request) = read_request(&mut stream).await {
                let _ = events.send(Event::Request(request));
                // Ends by an error where the client hangs up.
                let _ = behave(&mut stream, &behavior).await;
            }
        }
        // To close with bytes unread would reset the connection, and the alert might be lost.
        Err((_, mut stream)) => {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    }
    let _ = events.send(Event::End);
}

async fn behave(stream: &mut TlsStream<TcpStream>, behavior: &Behavior) -> io::Result<()> {
    match behavior {
        Behavior::Answer(answer) => {
            write(stream, answer).await?;
            stream.read_u8().await?;
        }
        Behavior::Cut(answer) => {
            stream.write_all(answer).await?;
            stream.flush().await?;
        }
        Behavior::Silence => {
            stream.read_u8().await?;
        }
        Behavior::Dribble(start, rest) => {
            write(stream, start).await?;
            loop {
                write(stream, rest).await?;
                sleep(Duration::from_millis(20)).await;
            }
        }
        Behavior::Flood(head) => {
            write(stream, head).await?;
            loop {
                stream.write_all(&[b' '; 16 * 1024]).await?;
            }
        }
    }
    Ok(())
}

async fn write(stream: &mut TlsStream<TcpStream>, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

async fn read_request(stream: &mut TlsStream<TcpStream>) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        bytes.push(stream.read_u8().await?);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let (_, length) = head.split_once("content-length: ").unwrap();
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if body.len() == length {
                return Ok(text.into_owned());
            }
        }
    }
}

fn authority(name: &str) -> Authority {
    CertifiedIssuer::self_signed(authority_parameters(name), KeyPair::generate().unwrap()).unwrap()
}

pub(crate) fn authority_parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

/// Certificate of a server, for the names that the tests use.
pub(crate) fn parameters() -> CertificateParams {
    CertificateParams::new(["localhost", "partner.test", "127.0.0.1"].map(str::to_owned)).unwrap()
}

pub(crate) fn configuration(issuer: &Authority) -> ServerConfig {
    presenting(&parameters(), issuer, &[])
}

/// Server with a certificate and the rest of its chain.
pub(crate) fn presenting(
    certificate: &CertificateParams,
    issuer: &Issuer<'_, KeyPair>,
    rest: &[CertificateDer<'static>],
) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let certificate = certificate.signed_by(&key, issuer).unwrap();
    let mut chain = vec![certificate.der().clone()];
    chain.extend_from_slice(rest);
    builder()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap()
}

/// Server whose certificate is its own issuer.
pub(crate) fn self_signed() -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let certificate = parameters().self_signed(&key).unwrap();
    builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap()
}

/// Server that demands a client certificate.
pub(crate) fn demanding_a_certificate() -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CA.der().clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters().signed_by(&key, &CA).unwrap();
    builder()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap()
}

fn builder() -> ConfigBuilder<ServerConfig, WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
}
