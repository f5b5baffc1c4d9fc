//! Listeners: HTTP/1.1, plain or TLS, that end gracefully and can cut a connection in a handler's name.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::tls::{ClientCertificate, ClientCertificates};

/// Time for calls under way to finish at the end.
const GRACE: Duration = Duration::from_secs(3);
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEADERS: Duration = Duration::from_secs(30);

/// In a response's extensions: don't send this, cut the connection.
#[derive(Clone, Copy)]
pub(crate) struct Cut;

/// In a response's extensions: after it, close the connection without TLS's `close_notify`.
#[derive(Clone, Copy)]
pub(crate) struct AbruptEnd;

/// In a request's extensions: who called.
#[derive(Clone, Copy)]
pub(crate) struct Caller(pub(crate) SocketAddr);

/// Transport of a listener, below HTTP.
#[derive(Clone)]
pub(crate) enum Transport {
    Plain,
    Tls(Arc<ServerConfig>),
    /// TLS whose callers are judged by their certificate; the judgment is in the request's extensions.
    MutualTls(Arc<ServerConfig>, ClientCertificates),
}

/// Answers calls until `end` turns true, then finishes those under way.
pub(crate) async fn serve(
    listener: TcpListener,
    transport: Transport,
    router: Router,
    mut end: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let for_connections = end.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, caller)) => {
                    connections.spawn(connection(stream, caller, transport.clone(), router.clone(), for_connections.clone()));
                }
                Err(error) => {
                    // Too many open files and the like pass; spinning on them does not help.
                    tracing::warn!(%error, "a connection can't be accepted");
                    sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = ended(&mut end) => break,
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    if timeout(GRACE, finish).await.is_err() {
        connections.shutdown().await;
    }
}

/// The guard that `wait_for` gives is not for holding across an await.
async fn ended(end: &mut watch::Receiver<bool>) {
    let _ = end.wait_for(|end| *end).await;
}

async fn connection(
    stream: TcpStream,
    caller: SocketAddr,
    transport: Transport,
    router: Router,
    end: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    match transport {
        Transport::Plain => http(stream, caller, None, router, end).await,
        Transport::Tls(config) => {
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await {
                http(stream, caller, None, router, end).await;
            }
        }
        Transport::MutualTls(config, certificates) => {
            match timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await {
                Ok(Ok(stream)) => {
                    let certificate = certificates.judge(stream.get_ref().1);
                    http(stream, caller, Some(certificate), router, end).await;
                }
                Ok(Err(error)) => tracing::info!(%error, "a TLS handshake failed"),
                Err(_) => tracing::info!("a TLS handshake took too long"),
            }
        }
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    caller: SocketAddr,
    certificate: Option<ClientCertificate>,
    router: Router,
    mut end: watch::Receiver<bool>,
) {
    let abrupt = Arc::new(AtomicBool::new(false));
    let stream = Ending {
        stream,
        abrupt: Arc::clone(&abrupt),
    };
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Caller(caller));
        if let Some(certificate) = certificate {
            request.extensions_mut().insert(certificate);
        }
        let (router, abrupt) = (router.clone(), Arc::clone(&abrupt));
        async move {
            let response = answer(router, request).await?;
            if response.extensions().get::<AbruptEnd>().is_some() {
                abrupt.store(true, Ordering::SeqCst);
            }
            Ok::<_, io::Error>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // An error here is the caller's going away, or a cut that was asked for.
        _ = connection.as_mut() => return,
        () = ended(&mut end) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// A stream whose end can be left out: hyper shuts a connection down after its last answer, and TLS writes `close_notify`
/// when it is shut down.
struct Ending<S> {
    stream: S,
    abrupt: Arc<AtomicBool>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Ending<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Ending<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.abrupt.load(Ordering::SeqCst) {
            return Pin::new(&mut self.stream).poll_flush(context);
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

async fn answer(router: Router, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let Ok(response) = router.oneshot(request.map(Body::new)).await;
    if response.extensions().get::<Cut>().is_some() {
        // hyper drops a connection whose service fails.
        return Err(io::Error::other("cut on demand"));
    }
    Ok(response)
}
