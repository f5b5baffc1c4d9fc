//! TLS for the two listeners that have it, and the judgment of client certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, ServerConnection, SignatureScheme,
};

use crate::clock::Clock;

/// Judgment of a caller's client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientCertificate {
    /// One of our CA, valid now.
    Accepted,
    /// None at all.
    Missing,
    /// One of another CA, expired, or not for clients.
    Refused,
}

/// Reason for which TLS can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file is absent or is not what its name says.
    #[error("{file}: {source}")]
    Pem {
        /// The file.
        file: PathBuf,
        /// Cause.
        source: rustls::pki_types::pem::Error,
    },
    /// rustls does not take what the files hold.
    #[error("{0}")]
    Rustls(#[from] rustls::Error),
    /// The CA file makes no verifier.
    #[error("ca.pem: {0}")]
    Authority(#[from] rustls::server::VerifierBuilderError),
}

/// Judges client certificates after the handshake.
#[derive(Clone)]
pub(crate) struct ClientCertificates {
    verifier: Arc<dyn ClientCertVerifier>,
    clock: Clock,
}

impl ClientCertificates {
    pub(crate) fn of_authority(pki: &Path, clock: Clock) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&pki.join("ca.pem"))? {
            roots.add(certificate)?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider()).build()?;
        Ok(Self { verifier, clock })
    }

    pub(crate) fn judge(&self, connection: &ServerConnection) -> ClientCertificate {
        let Some((leaf, intermediates)) = connection.peer_certificates().and_then(<[_]>::split_first) else {
            return ClientCertificate::Missing;
        };
        match self
            .verifier
            .verify_client_cert(leaf, intermediates, self.clock.unix_time())
        {
            Ok(_) => ClientCertificate::Accepted,
            Err(_) => ClientCertificate::Refused,
        }
    }
}

/// TLS with the server's certificate, asking nobody for one.
pub(crate) fn server(pki: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let config = builder()?.with_no_client_auth();
    Ok(finish(config.with_single_cert(
        certificates(&pki.join("server.pem"))?,
        server_key(pki)?,
    )?))
}

/// TLS that asks for a client certificate and lets every caller in, so that [`ClientCertificates::judge`] can decide and the
/// application can answer in words: a refused handshake has no room for the JSON of the mutual TLS guide
/// (`docs/sources.md#mutual-tls`).
pub(crate) fn server_asking_for_certificates(
    pki: &Path,
    certificates_of_clients: &ClientCertificates,
) -> Result<Arc<ServerConfig>, TlsError> {
    let verifier = Arc::new(AskOnly(Arc::clone(&certificates_of_clients.verifier)));
    let config = builder()?.with_client_cert_verifier(verifier);
    Ok(finish(config.with_single_cert(
        certificates(&pki.join("server.pem"))?,
        server_key(pki)?,
    )?))
}

/// Accepts whatever is shown, but checks that the caller has its private key.
#[derive(Debug)]
struct AskOnly(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for AskOnly {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

fn builder() -> Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>, TlsError> {
    Ok(ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

fn finish(mut config: ServerConfig) -> Arc<ServerConfig> {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |source| TlsError::Pem {
        file: file.to_owned(),
        source,
    };
    CertificateDer::pem_file_iter(file)
        .map_err(wrong)?
        .collect::<Result<_, _>>()
        .map_err(wrong)
}

fn server_key(pki: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let file = pki.join("server.key.pem");
    PrivateKeyDer::from_pem_file(&file).map_err(|source| TlsError::Pem { file, source })
}
