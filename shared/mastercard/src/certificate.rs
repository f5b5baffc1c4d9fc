use rustls::pki_types::CertificateDer;
use x509_cert::{
    Certificate,
    der::{Decode, Encode},
};

/// When a certificate ends, in UNIX seconds; `None` where it can't be read.
pub(crate) fn not_after(certificate: &CertificateDer<'_>) -> Option<i64> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate
        .tbs_certificate()
        .validity()
        .not_after
        .to_unix_duration();
    i64::try_from(end.as_secs()).ok()
}

/// The subject's public key as `SubjectPublicKeyInfo` DER; `None` where the certificate can't be read.
pub(crate) fn public_key(certificate: &[u8]) -> Option<Vec<u8>> {
    let certificate = Certificate::from_der(certificate).ok()?;
    certificate
        .tbs_certificate()
        .subject_public_key_info()
        .to_der()
        .ok()
}
