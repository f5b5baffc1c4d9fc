use std::{
    convert::Infallible,
    future::ready,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower::{ServiceExt as _, service_fn};
use url::{Host, Url};

use super::error::{SendError, SendStage, TlsError};

/// Connects by TCP to one of the checked addresses. With addresses of both families, the attempt for the second family
/// starts 300 ms after the first (RFC 8305).
pub(super) async fn tcp(
    uri: &Uri,
    addresses: Vec<IpAddr>,
    deadline: Instant,
) -> Result<TcpStream, SendError> {
    // The connector replaces the port. An address in the URI doesn't meet this resolver: the connector parses it as the
    // caller did, who judged it.
    let addresses = addresses
        .into_iter()
        .map(|address| SocketAddr::new(address, 0))
        .collect::<Vec<_>>();
    let resolver = service_fn(move |_| ready(Ok::<_, Infallible>(addresses.clone().into_iter())));
    let mut connector = HttpConnector::new_with_resolver(resolver);
    connector.enforce_http(false);
    connector.set_nodelay(true);
    match timeout_at(deadline, connector.oneshot(uri.clone())).await {
        Ok(Ok(connected)) => Ok(connected.into_inner()),
        Ok(Err(_)) => Err(SendError::Connect),
        Err(_) => Err(SendError::Timeout(SendStage::Connect)),
    }
}

/// Performs the TLS handshake with the host of the URL.
pub(super) async fn tls(
    configuration: Arc<ClientConfig>,
    url: &Url,
    stream: TcpStream,
    deadline: Instant,
) -> Result<TlsStream<TcpStream>, SendError> {
    let name = server_name(url).ok_or(TlsError::WrongName)?;
    let handshake = TlsConnector::from(configuration).connect(name, stream);
    match timeout_at(deadline, handshake).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(TlsError::of_handshake(&error).into()),
        Err(_) => Err(SendError::Timeout(SendStage::Tls)),
    }
}

fn server_name(url: &Url) -> Option<ServerName<'static>> {
    match url.host()? {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).ok(),
        Host::Ipv4(address) => Some(ServerName::IpAddress(IpAddr::V4(address).into())),
        Host::Ipv6(address) => Some(ServerName::IpAddress(IpAddr::V6(address).into())),
    }
}
