//! A TLS server on loopback with one way to behave.

use std::{
    io,
    net::TcpListener,
    sync::{Arc, LazyLock},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use webhooks::Url;

/// Longer than anything here takes, so that a test which would hang fails instead.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) static CA: LazyLock<Authority> = LazyLock::new(authority);
pub(crate) static FOREIGN_CA: LazyLock<Authority> = LazyLock::new(authority);

/// What a server does once it has read a request.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Answers, and waits for the client to hang up.
    Answer(String),
    /// Hangs up.
    HangUp,
    /// Says nothing.
    Silence,
    /// Begins with the first text, and repeats the second slowly without end.
    Dribble(&'static str, &'static str),
    /// Begins with the text, and sends a body as fast as it can without end.
    Flood(&'static str),
}

pub(crate) struct Server {
    port: u16,
    events: UnboundedReceiver<Event>,
}

/// What a server saw, in this order for each connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Connection,
    Request(String),
    End,
}

impl Server {
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        Self::start_under(&CA, behaviour)
    }

    pub(crate) fn answering(head: &str) -> Self {
        Self::start(Behaviour::Answer(format!("{head}Content-Length: 0\r\n\r\n")))
    }

    pub(crate) fn start_under(issuer: &Authority, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(configuration(issuer)));
        let (sender, events) = unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let _ = sender.send(Event::Connection);
                tokio::spawn(serve(acceptor.clone(), stream, behaviour.clone(), sender.clone()));
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

    /// The next connection's request.
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

async fn serve(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    behaviour: Behaviour,
    events: UnboundedSender<Event>,
) {
    if let Ok(mut stream) = acceptor.accept(stream).await
        && let Ok(request) = read_request(&mut stream).await
    {
        let _ = events.send(Event::Request(request));
        // Ends by an error where the client hangs up.
        let _ = behave(&mut stream, &behaviour).await;
    }
    let _ = events.send(Event::End);
}

async fn behave(stream: &mut TlsStream<TcpStream>, behaviour: &Behaviour) -> io::Result<()> {
    match behaviour {
        Behaviour::Answer(answer) => {
            write(stream, answer).await?;
            stream.read_u8().await?;
        }
        Behaviour::HangUp => {}
        Behaviour::Silence => {
            stream.read_u8().await?;
        }
        Behaviour::Dribble(start, rest) => {
            write(stream, start).await?;
            loop {
                write(stream, rest).await?;
                sleep(Duration::from_millis(20)).await;
            }
        }
        Behaviour::Flood(head) => {
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

fn authority() -> Authority {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

fn configuration(issuer: &Authority) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let names = ["localhost", "partner.test", "127.0.0.1"].map(str::to_owned);
    let certificate = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, issuer)
        .unwrap();
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap()
}
