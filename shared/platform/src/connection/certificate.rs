//! Client certificate, parsed from the form that the secret has, and the client that presents it.

use enrollment::log::LogText;
use mastercard::http::{ClientIdentity, HttpClient, HttpSettings, Trust};
use secrecy::ExposeSecret as _;

use super::{Connected, log_text};
use crate::secrets::TlsIdentity;

/// Parses a certificate with its key.
pub(crate) fn identity(stored: &TlsIdentity) -> Result<ClientIdentity, LogText> {
    match stored {
        TlsIdentity::Pem {
            certificate,
            private_key,
        } => ClientIdentity::from_pem(certificate, private_key.expose_secret()),
        TlsIdentity::Pkcs12 { file, password } => {
            ClientIdentity::from_pkcs12(file.expose_secret(), password.expose_secret())
        }
    }
    .map_err(log_text)
}

/// Makes an HTTP client that presents `identity` to servers of `trust`.
pub(crate) fn http_client(
    trust: Trust,
    identity: Option<ClientIdentity>,
) -> Result<Connected<HttpClient>, LogText> {
    let certificate_ends = identity.as_ref().map(ClientIdentity::not_after);
    let settings = HttpSettings {
        trust,
        identity,
        ..HttpSettings::default()
    };
    Ok(Connected {
        client: HttpClient::new(&settings).map_err(log_text)?,
        certificate_ends,
    })
}
