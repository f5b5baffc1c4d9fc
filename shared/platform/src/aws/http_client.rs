//! One HTTPS client for all SDK clients, with roots that are compiled in.
//!
//! The SDK's own default builds a client, and reads the system's certificates from disk, for every SDK client that is
//! made, before anything is asked of it. Here making a client costs nothing; the connection pool and its TLS set-up are
//! made once, at the first request.

use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How long a TCP connection and its TLS handshake may take to come about.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The client for `endpoint`, or for AWS where there is none. A local AWS speaks plain HTTP, which needs no TLS set-up.
pub(super) fn shared(endpoint: Option<&str>) -> SharedHttpClient {
    let plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
    SharedHttpClient::new(LazyClient {
        plain,
        connector: OnceLock::new(),
    })
}

#[derive(Debug)]
struct LazyClient {
    plain: bool,
    connector: OnceLock<SharedHttpConnector>,
}

impl HttpClient for LazyClient {
    /// All SDK clients here have the same settings, so one connector serves them.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.connector
            .get_or_init(|| SharedHttpConnector::new(self.connect()))
            .clone()
    }
}

impl LazyClient {
    fn connect(&self) -> Connector {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .build();
        let builder: ConnectorBuilder = Connector::builder().connector_settings(settings);
        if self.plain {
            return builder.build_http();
        }
        builder
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(bundled_roots())
            .build()
    }
}

/// Mozilla's roots, as text because that is the only form that the trust store takes.
fn bundled_roots() -> TlsContext {
    let mut pem = String::new();
    for root in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        STANDARD.encode_string(root, &mut pem);
        pem.push_str("\n-----END CERTIFICATE-----\n");
    }
    let store = TrustStore::empty().with_pem_certificate(pem);
    // A context without further server names has nothing that could be wrong with it.
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tls_client_takes_the_bundled_roots() {
        // The trust store checks each certificate when the connector is built, and panics on one that it can't read.
        LazyClient {
            plain: false,
            connector: OnceLock::new(),
        }
        .connect();
    }
}
