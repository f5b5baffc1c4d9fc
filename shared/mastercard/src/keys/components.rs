use x509_cert::{
    der::{Decode, Reader, SliceReader, asn1::UintRef},
    spki::SubjectPublicKeyInfoRef,
};

/// Modulus and public exponent of an RSA key, big-endian without leading zeros.
#[derive(Clone, PartialEq, Eq)]
pub struct Components {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl Components {
    /// Takes big-endian numbers. Leading zeros, which some encoders write for the sign, are dropped.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Self {
        Self {
            modulus: without_leading_zeros(modulus).to_vec(),
            exponent: without_leading_zeros(exponent).to_vec(),
        }
    }

    /// Modulus.
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// Public exponent.
    pub fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    /// Parses `RSAPublicKey` (RFC 8017 appendix A.1.1).
    pub(super) fn from_pkcs1_der(der: &[u8]) -> Option<Self> {
        let mut reader = SliceReader::new(der).ok()?;
        let read = |reader: &mut SliceReader<'_>| {
            let modulus: UintRef<'_> = reader.decode()?;
            let exponent: UintRef<'_> = reader.decode()?;
            Ok::<_, x509_cert::der::Error>(Self::new(modulus.as_bytes(), exponent.as_bytes()))
        };
        let components = reader.sequence(read).ok()?;
        reader.is_finished().then_some(components)
    }

    /// Parses the key in a `SubjectPublicKeyInfo`.
    pub(super) fn from_spki_der(der: &[u8]) -> Option<Self> {
        let spki = SubjectPublicKeyInfoRef::from_der(der).ok()?;
        Self::from_pkcs1_der(spki.subject_public_key.as_bytes()?)
    }
}

impl std::fmt::Debug for Components {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Components")
            .field("modulus_bytes", &self.modulus.len())
            .finish_non_exhaustive()
    }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
