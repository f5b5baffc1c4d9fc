//! Client certificate, parsed from the form that the secret has.

use enrollment::log::LogText;
use mastercard::http::ClientIdentity;
use secrecy::ExposeSecret as _;

use super::log_text;
use crate::secrets::TlsIdentity;

/// Parses a certificate with its key.
pub(super) fn identity(stored: &TlsIdentity) -> Result<ClientIdentity, LogText> {
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
