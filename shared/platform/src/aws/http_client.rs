//! One HTTPS client for all SDK clients, with roots that are compiled in.
//!
//! By default the SDK builds an HTTP client and reads the system's certificates from disk for every SDK client, before
//! the first request. Here an SDK client costs nothing: the connection pool and its TLS configuration are made once, at
//! the first request.

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

/// Time limit for a TCP connection and its TLS handshake together.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Returns the client for `endpoint`, or for AWS without one. A local AWS speaks plain HTTP, which needs no TLS
/// configuration.
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
    /// Returns one connector for all SDK clients, since their settings are the same.
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

/// Mozilla's roots as PEM, the only form that the trust store accepts.
fn bundled_roots() -> TlsContext {
    let mut pem = String::new();
    for root in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        STANDARD.encode_string(root, &mut pem);
        pem.push_str("\n-----END CERTIFICATE-----\n");
    }
    let store = TrustStore::empty().with_pem_certificate(pem);
    // A context without additional server names can't be invalid.
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_client_accepts_the_bundled_roots() {
        // The trust store checks each certificate when the connector is built, and panics on an unreadable one.
        LazyClient {
            plain: false,
            connector: OnceLock::new(),
        }
        .connect();
    }
}
