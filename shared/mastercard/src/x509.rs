use rustls_pki_types::CertificateDer;
use x509_cert::{
    Certificate,
    der::{Decode, Encode},
};

/// End of a certificate's validity in UNIX seconds; `None` if it can't be parsed.
pub(crate) fn not_after(certificate: &CertificateDer<'_>) -> Option<i64> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate
        .tbs_certificate()
        .validity()
        .not_after
        .to_unix_duration();
    i64::try_from(end.as_secs()).ok()
}

/// Public key of the subject as `SubjectPublicKeyInfo` DER; `None` if the certificate can't be parsed.
pub(crate) fn public_key(certificate: &[u8]) -> Option<Vec<u8>> {
    let certificate = Certificate::from_der(certificate).ok()?;
    certificate
        .tbs_certificate()
        .subject_public_key_info()
        .to_der()
        .ok()
}
