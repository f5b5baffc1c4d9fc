//! A client's public key, read from any usual file format (`docs/contract.md#public-keys`).

use std::fmt;

use jiff::Timestamp;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use x509_cert::der::{self, Decode, Encode as _, Header, Reader as _, SliceReader, Tag};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::encoding::{self, EncodingError};
use crate::pem::{self, PemError, Section};

/// Accepted lengths of RSA keys, in bits.
const BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Longest public exponent that the signature library accepts, in bits.
const MAX_EXPONENT_BITS: usize = 33;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// Algorithms of keys that are sent by mistake.
const OTHER_ALGORITHMS: [(&str, &str); 9] = [
    ("1.2.840.10045.2.1", "an elliptic-curve"),
    ("1.3.101.112", "an Ed25519"),
    ("1.3.101.113", "an Ed448"),
    ("1.3.101.110", "an X25519"),
    ("1.3.101.111", "an X448"),
    ("1.2.840.10040.4.1", "a DSA"),
    ("1.2.840.10046.2.1", "a Diffie-Hellman"),
    ("1.2.840.113549.1.1.10", "an RSASSA-PSS"),
    ("1.2.840.113549.1.1.7", "an RSAES-OAEP"),
];
/// Formats without DER, by the beginning of their files.
const OTHER_FORMATS: [(&str, &str); 8] = [
    (
        "ssh-",
        "an OpenSSH key ('ssh-keygen -e -m PKCS8 -f FILE' writes it as PEM)",
    ),
    ("ecdsa-sha2-", "an OpenSSH key for elliptic curves"),
    (
        "---- BEGIN SSH2",
        "an SSH2 key ('ssh-keygen -i -f FILE' reads it)",
    ),
    ("PuTTY-User-Key-File", "a private key of PuTTY"),
    ("{", "JSON, perhaps a JWK"),
    ("<", "XML, perhaps a key of .NET"),
    ("eyJ", "a token, not a key"),
    ("PK\u{3}\u{4}", "a ZIP archive"),
];

/// Public key for RS256 signatures, in one form for all file formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// `SubjectPublicKeyInfo` as PEM in lines of 64.
    pub pem: String,
    /// Length of the modulus.
    pub bits: usize,
    /// Dates of the certificate, if the file was one.
    pub validity: Option<Validity>,
}

/// Dates of a certificate; its key is accepted whatever they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Start of the validity.
    pub not_before: Timestamp,
    /// End of the validity.
    pub not_after: Timestamp,
}

/// Failure to read a public key from a file: a sentence for the operator that continues the file's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Neither text nor DER.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// PEM that is incomplete or damaged.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// No PEM, no DER, no base64 of it.
    #[error("contains no public key in PEM or DER ('openssl rsa -pubout' writes one)")]
    Nothing,
    /// DER that is too short, too long or of an unexpected structure.
    #[error("is damaged: its {0} can't be read")]
    Damaged(&'static str),
    /// A private key.
    #[error("is a private key; it must stay with the client, only the public key belongs here")]
    Private,
    /// A private key under a password.
    #[error("is an encrypted private key; it must stay with the client, only the public key belongs here")]
    EncryptedPrivate,
    /// More than one key or certificate.
    #[error("contains {0} keys or certificates; put each into its own file")]
    Several(usize),
    /// A certificate request.
    #[error(
        "is a certificate request (CSR), not a certificate; extract its key with 'openssl req -noout -pubkey'"
    )]
    Request,
    /// PKCS#12 or PKCS#7.
    #[error("is a {0} file; extract the certificate with 'openssl {1}'")]
    Container(&'static str, &'static str),
    /// A PEM section of something else.
    #[error("contains a section {0} instead of one public key or certificate")]
    Section(String),
    /// A key in no form of PEM or DER.
    #[error("is {0}; a public key in PEM or DER is needed")]
    Format(&'static str),
    /// A key that can't check RS256.
    #[error("is {0}; tokens are signed with RS256, which needs a plain RSA key")]
    Algorithm(String),
    /// Too short or too long.
    #[error("has {0} bits; {min} to {max} are accepted", min = BITS.start(), max = BITS.end())]
    Bits(usize),
    /// An exponent that RSA can't have.
    #[error("has a public exponent that is even or below 3")]
    Exponent,
    /// An exponent that the signature library refuses.
    #[error("has a public exponent of {0} bits; at most {MAX_EXPONENT_BITS} are accepted")]
    LongExponent(usize),
    /// A modulus that can't be a product of two primes.
    #[error("has an even modulus: it is damaged")]
    Modulus,
}

impl fmt::Display for Validity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} to {}", self.not_before, self.not_after)
    }
}

impl PublicKey {
    /// Reads the one public key of a file: PEM, DER or base64 of `SubjectPublicKeyInfo`, PKCS#1 or an X.509 certificate.
    pub fn read(file: &[u8]) -> Result<Self, PublicKeyError> {
        // A sequence of more than 127 bytes, and in no encoding a text.
        if matches!(file, [0x30, 0x81..=0x84, ..]) {
            return Self::from_der(file);
        }
        let text = encoding::text(file)?;
        let sections = pem::sections(&text)?;
        if !sections.is_empty() {
            return Self::from_der(&the_one(sections)?.content);
        }
        let text = encoding::trimmed(&text);
        if let Some((_, format)) = OTHER_FORMATS.iter().find(|(start, _)| text.starts_with(start)) {
            return Err(PublicKeyError::Format(format));
        }
        // What `Base64.getEncoder()` makes of a key in Java.
        match pem::base64(text) {
            Some(der) if der.first() == Some(&0x30) => Self::from_der(&der),
            _ => Err(PublicKeyError::Nothing),
        }
    }

    /// Reads DER by its structure, not by its label: tools confuse `PUBLIC KEY` and `RSA PUBLIC KEY`.
    fn from_der(der: &[u8]) -> Result<Self, PublicKeyError> {
        use PublicKeyError::{Container, Damaged, EncryptedPrivate, Private};
        const INTEGER: Tag = Tag::Integer;
        const BITS: Tag = Tag::BitString;
        const OCTETS: Tag = Tag::OctetString;
        const SEQUENCE: Tag = Tag::Sequence;
        let shape = shape(der).ok_or(Damaged("outer structure"))?;
        match shape.as_slice() {
            [SEQUENCE, BITS] => Self::from_spki(der),
            [INTEGER, INTEGER] => Self::from_pkcs1(der, None),
            [SEQUENCE, SEQUENCE, BITS] => Self::from_certificate(der),
            [INTEGER, SEQUENCE, OCTETS, ..] | [INTEGER, OCTETS, ..] | [INTEGER, INTEGER, INTEGER, ..] => {
                Err(Private)
            }
            [SEQUENCE, OCTETS] => Err(EncryptedPrivate),
            [INTEGER, SEQUENCE, ..] => Err(Container("PKCS#12", "pkcs12 -nokeys -clcerts")),
            [Tag::ObjectIdentifier, ..] => Err(Container("PKCS#7", "pkcs7 -print_certs")),
            _ => Err(PublicKeyError::Nothing),
        }
    }

    fn from_spki(der: &[u8]) -> Result<Self, PublicKeyError> {
        const DAMAGED: PublicKeyError = PublicKeyError::Damaged("SubjectPublicKeyInfo");
        let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| DAMAGED)?;
        check_algorithm(info.algorithm.oid)?;
        let key = info.subject_public_key.as_bytes().ok_or(DAMAGED)?;
        Self::from_pkcs1(key, None)
    }

    fn from_certificate(der: &[u8]) -> Result<Self, PublicKeyError> {
        const DAMAGED: PublicKeyError = PublicKeyError::Damaged("certificate");
        // Without the profile of RFC 5280: only the key counts, and serial numbers are long or negative in old ones.
        let Ok(certificate) = CertificateInner::<Raw>::from_der(der) else {
            return Err(if is_request(der) {
                PublicKeyError::Request
            } else {
                DAMAGED
            });
        };
        let content = certificate.tbs_certificate();
        let moment = |time: x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
            Timestamp::from_second(seconds).ok()
        };
        let dates = content.validity();
        let validity = Validity {
            not_before: moment(dates.not_before).ok_or(DAMAGED)?,
            not_after: moment(dates.not_after).ok_or(DAMAGED)?,
        };
        let info = content.subject_public_key_info();
        check_algorithm(info.algorithm.oid)?;
        let key = info.subject_public_key.as_bytes().ok_or(DAMAGED)?;
        Self::from_pkcs1(key, Some(validity))
    }

    /// `RSAPublicKey` of RFC 8017 §A.1.1.
    fn from_pkcs1(der: &[u8], validity: Option<Validity>) -> Result<Self, PublicKeyError> {
        const DAMAGED: PublicKeyError = PublicKeyError::Damaged("RSA key");
        let (modulus, exponent) = numbers(der).map_err(|_| DAMAGED)?;
        let bits = bit_length(modulus);
        if !BITS.contains(&bits) {
            return Err(PublicKeyError::Bits(bits));
        }
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        if !is_odd(modulus) {
            return Err(PublicKeyError::Modulus);
        }
        if !is_odd(exponent) || bit_length(exponent) < 2 {
            return Err(PublicKeyError::Exponent);
        }
        if bit_length(exponent) > MAX_EXPONENT_BITS {
            return Err(PublicKeyError::LongExponent(bit_length(exponent)));
        }
        let info = SubjectPublicKeyInfoRef {
            algorithm: AlgorithmIdentifierRef {
                oid: RSA,
                parameters: Some(AnyRef::NULL),
            },
            subject_public_key: BitStringRef::from_bytes(der).map_err(|_| DAMAGED)?,
        };
        let section = Section {
            label: "PUBLIC KEY".to_owned(),
            headers: Vec::new(),
            content: info.to_der().map_err(|_| DAMAGED)?,
        };
        Ok(Self {
            pem: section.to_pem(),
            bits,
            validity,
        })
    }
}

/// Returns the section of a public key, if it is the only one.
fn the_one(mut sections: Vec<Section>) -> Result<Section, PublicKeyError> {
    if let Some(private) = sections
        .iter()
        .find(|section| section.label.contains("PRIVATE KEY"))
    {
        return Err(
            if private.is_encrypted() || private.label.starts_with("ENCRYPTED") {
                PublicKeyError::EncryptedPrivate
            } else {
                PublicKeyError::Private
            },
        );
    }
    let is_key = |section: &Section| {
        matches!(
            section.label.as_str(),
            "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" | "X509 CERTIFICATE"
        )
    };
    if let Some(other) = sections.iter().find(|section| !is_key(section)) {
        return Err(match other.label.as_str() {
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => PublicKeyError::Request,
            "PKCS7" | "PKCS #7 SIGNED DATA" => PublicKeyError::Container("PKCS#7", "pkcs7 -print_certs"),
            label => PublicKeyError::Section(label.to_owned()),
        });
    }
    match sections.len() {
        1 => Ok(sections.remove(0)),
        count => Err(PublicKeyError::Several(count)),
    }
}

fn check_algorithm(oid: ObjectIdentifier) -> Result<(), PublicKeyError> {
    if oid == RSA {
        return Ok(());
    }
    let text = oid.to_string();
    let name = OTHER_ALGORITHMS.iter().find(|(known, _)| *known == text);
    Err(PublicKeyError::Algorithm(name.map_or_else(
        || format!("a key of algorithm {text}"),
        |(_, name)| format!("{name} key"),
    )))
}

/// Returns the tags of the elements of a sequence that is all of `der`.
fn shape(der: &[u8]) -> Option<Vec<Tag>> {
    let mut tags = Vec::new();
    let mut elements = SliceReader::new(content(der)?).ok()?;
    while !elements.is_finished() {
        tags.push(Tag::peek(&elements).ok()?);
        elements.tlv_bytes().ok()?;
    }
    Some(tags)
}

/// Returns the content of a sequence that is all of `der`.
fn content(der: &[u8]) -> Option<&[u8]> {
    let mut reader = SliceReader::new(der).ok()?;
    let header = Header::decode(&mut reader).ok()?;
    let content = reader.read_slice(header.length()).ok()?;
    (header.tag() == Tag::Sequence && reader.is_finished()).then_some(content)
}

/// `CertificationRequestInfo` of RFC 2986 §4 begins with its version, a name and a key.
fn is_request(der: &[u8]) -> bool {
    let first = || {
        let mut elements = SliceReader::new(content(der)?).ok()?;
        shape(elements.tlv_bytes().ok()?)
    };
    first().is_some_and(|info| {
        info.starts_with(&[Tag::Integer, Tag::Sequence, Tag::Sequence]) && info.len() <= 4
    })
}

/// Modulus and exponent, without leading zeros.
fn numbers(der: &[u8]) -> der::Result<(&[u8], &[u8])> {
    let mut reader = SliceReader::new(der)?;
    let numbers = reader.sequence(|sequence| {
        let modulus = UintRef::decode(sequence)?;
        let exponent = UintRef::decode(sequence)?;
        Ok::<_, der::Error>((modulus.as_bytes(), exponent.as_bytes()))
    })?;
    reader.finish()?;
    Ok(numbers)
}

fn bit_length(number: &[u8]) -> usize {
    let zeros = number.first().map_or(0, |first| first.leading_zeros());
    number.len() * 8 - zeros as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{PRIVATE_KEY_PEM, PUBLIC_KEY_PEM, SHORT_PUBLIC_KEY_PEM};

    const CERTIFICATE: &str = include_str!("../../../mastercard/tests/fixtures/rsa-2048-certificate.pem");
    const OF_CERTIFICATE: &str = include_str!("../../../mastercard/tests/fixtures/rsa-2048-public.pem");
    const ELLIPTIC: &str = include_str!("../../../mastercard/tests/fixtures/p256-public.pem");

    fn refusal(file: &[u8]) -> String {
        PublicKey::read(file).unwrap_err().to_string()
    }

    fn der(pem: &str) -> Vec<u8> {
        pem::sections(pem).unwrap().remove(0).content
    }

    fn pem(label: &str, content: Vec<u8>) -> String {
        Section {
            label: label.into(),
            headers: Vec::new(),
            content,
        }
        .to_pem()
    }

    /// A key of this modulus and exponent, as PKCS#1.
    fn pkcs1(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
        let numbers = [modulus, exponent].map(|number| UintRef::new(number).unwrap().to_der().unwrap());
        sequence(&numbers.concat())
    }

    fn sequence(content: &[u8]) -> Vec<u8> {
        AnyRef::new(Tag::Sequence, content).unwrap().to_der().unwrap()
    }

    #[test]
    fn one_key_has_one_form() {
        let spki = der(PUBLIC_KEY_PEM);
        let pkcs1 = SubjectPublicKeyInfoRef::from_der(&spki)
            .unwrap()
            .subject_public_key
            .raw_bytes()
            .to_vec();
        let base64: String = PUBLIC_KEY_PEM
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        for file in [
            PUBLIC_KEY_PEM.as_bytes(),
            &spki,
            &pkcs1,
            pem("RSA PUBLIC KEY", pkcs1.clone()).as_bytes(),
            pem("PUBLIC KEY", pkcs1.clone()).as_bytes(),
            pem("RSA PUBLIC KEY", spki.clone()).as_bytes(),
            base64.as_bytes(),
            base64
                .trim_end_matches('=')
                .replace('+', "-")
                .replace('/', "_")
                .as_bytes(),
            format!("\u{feff}{base64}\r\n").as_bytes(),
        ] {
            let key = PublicKey::read(file).unwrap();
            assert_eq!(
                (key.pem.as_str(), key.bits, key.validity),
                (PUBLIC_KEY_PEM, 2048, None)
            );
        }
    }

    #[test]
    fn a_certificate_gives_its_key_and_its_dates() {
        let text = format!("Certificate:\n    Data:\n        Version: 3 (0x2)\n{CERTIFICATE}");
        for file in [CERTIFICATE.as_bytes(), &der(CERTIFICATE), text.as_bytes()] {
            let key = PublicKey::read(file).unwrap();
            assert_eq!(key.pem, OF_CERTIFICATE);
            let validity = key.validity.unwrap();
            assert!(validity.not_before < validity.not_after);
        }
    }

    #[test]
    fn each_other_file_is_refused_by_its_name() {
        let twice = format!("{PUBLIC_KEY_PEM}{PUBLIC_KEY_PEM}");
        let with_private = format!("{PUBLIC_KEY_PEM}{PRIVATE_KEY_PEM}");
        let cut = &der(PUBLIC_KEY_PEM)[..200];
        let one = [2, 1, 1];
        let encrypted =
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----";
        let pkcs12 = [
            &[2, 1, 3][..],
            &sequence(&[6, 1, 0x2a, 4, 0x81, 0x80].map(|byte| byte)[..3]),
        ]
        .concat();
        let pkcs12 = sequence(&[pkcs12, vec![0x30, 0x81, 0x80], sequence(&[]).repeat(64)].concat());
        for (file, start) in [
            (PRIVATE_KEY_PEM.as_bytes(), "is a private key"),
            (with_private.as_bytes(), "is a private key"),
            (&der(PRIVATE_KEY_PEM), "is a private key"),
            (
                b"-----BEGIN ENCRYPTED PRIVATE KEY-----AAAA-----END ENCRYPTED PRIVATE KEY-----",
                "is an encrypted",
            ),
            (encrypted.as_bytes(), "is an encrypted"),
            (
                pem(
                    "PUBLIC KEY",
                    sequence(&[&one[..], &sequence(&[]), &[4, 1, 0]].concat()),
                )
                .as_bytes(),
                "is a private key",
            ),
            (twice.as_bytes(), "contains 2 keys"),
            (
                format!("{CERTIFICATE}{CERTIFICATE}{CERTIFICATE}").as_bytes(),
                "contains 3 keys",
            ),
            (ELLIPTIC.as_bytes(), "is an elliptic-curve key"),
            (SHORT_PUBLIC_KEY_PEM.as_bytes(), "has 1024 bits"),
            (&pkcs12, "is a PKCS#12 file"),
            (
                b"-----BEGIN PKCS7-----AAAA-----END PKCS7-----",
                "is a PKCS#7 file",
            ),
            (
                b"-----BEGIN CERTIFICATE REQUEST-----AAAA-----END CERTIFICATE REQUEST-----",
                "is a certificate request",
            ),
            (
                b"-----BEGIN X509 CRL-----AAAA-----END X509 CRL-----",
                "contains a section X509 CRL",
            ),
            (cut, "is damaged"),
            (
                pem("CERTIFICATE", der(CERTIFICATE)[..300].to_vec()).as_bytes(),
                "is damaged",
            ),
            (
                b"-----BEGIN PUBLIC KEY-----\nMIIB",
                "has a section PUBLIC KEY without an end",
            ),
            (b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB maria", "is an OpenSSH key"),
            (b"---- BEGIN SSH2 PUBLIC KEY ----", "is an SSH2 key"),
            (b"{\"kty\":\"RSA\"}", "is JSON"),
            (b"<RSAKeyValue/>", "is XML"),
            (b"", "contains no public key"),
            (b"nonsense", "contains no public key"),
            (b"Gr\xf6\xdfe", "is not UTF-8"),
        ] {
            let told = refusal(file);
            assert!(told.starts_with(start), "{told:?} instead of {start:?}");
        }
    }

    #[test]
    fn only_sound_rsa_keys_are_taken() {
        let odd = |bits: usize| {
            let mut modulus = vec![0xff; bits.div_ceil(8)];
            modulus[0] >>= modulus.len() * 8 - bits;
            modulus
        };
        for (bits, exponent, refused) in [
            (2048, &[3][..], None),
            (8192, &[1, 0, 1], None),
            (2049, &[1, 0xff, 0xff, 0xff, 0xff], None),
            (2047, &[1, 0, 1], Some("has 2047 bits")),
            (8193, &[1, 0, 1], Some("has 8193 bits")),
            (2048, &[1], Some("has a public exponent that is even or below 3")),
            (
                2048,
                &[1, 0, 0],
                Some("has a public exponent that is even or below 3"),
            ),
            (2048, &[2, 0, 0, 0, 1], Some("has a public exponent of 34 bits")),
        ] {
            let read = PublicKey::read(&pkcs1(&odd(bits), exponent));
            match refused {
                None => assert_eq!(read.unwrap().bits, bits),
                Some(start) => assert!(
                    read.unwrap_err().to_string().starts_with(start),
                    "{bits} {exponent:?}"
                ),
            }
        }
        let mut even = odd(2048);
        even[255] = 0xfe;
        assert_eq!(PublicKey::read(&pkcs1(&even, &[3])), Err(PublicKeyError::Modulus));
    }

    #[test]
    fn other_algorithms_are_named() {
        // RFC 8410 §10.1; the same of RSASSA-PSS and of one that has no name here.
        let ed25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----";
        assert!(refusal(ed25519.as_bytes()).starts_with("is an Ed25519 key"));
        let pss = der(PUBLIC_KEY_PEM);
        // The last byte of the identifier: 1 is rsaEncryption, 10 RSASSA-PSS.
        let at = pss
            .windows(9)
            .position(|window| window == [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1])
            .unwrap();
        let with = |last| {
            let mut other = pss.clone();
            other[at + 8] = last;
            refusal(&other)
        };
        assert!(with(10).starts_with("is an RSASSA-PSS key"));
        assert!(
            with(99).starts_with("is a key of algorithm 1.2.840.113549.1.1.99;"),
            "{}",
            with(99)
        );
    }
}
