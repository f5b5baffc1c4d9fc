use proptest::prelude::*;
use serde::Deserialize;
use url::Url;

use super::*;
use crate::keys::{PrivateKey, PublicKey};

const SIGNING_KEY: &str = include_str!("../../tests/fixtures/signing.pem");
/// Headers that the official packages made of fixed nonces and times.
const OFFICIAL: &str = include_str!("../../tests/fixtures/oauth-headers.json");

#[derive(Deserialize)]
struct Official {
    signer: String,
    method: String,
    url: String,
    body: String,
    header: String,
}

fn official() -> Vec<Official> {
    serde_json::from_str(OFFICIAL).unwrap()
}

fn key() -> PrivateKey {
    PrivateKey::from_pem(SIGNING_KEY).unwrap()
}

fn signer() -> Signer {
    Signer::new("abc-abc-abc!123", key()).unwrap()
}

fn stamp() -> Stamp {
    Stamp::new("Wpe3LF09z1e3xQRI", 1_626_728_330).unwrap()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn header(text: &str) -> Header {
    Header::parse(text).unwrap()
}

/// Checks a header against the key of the fixtures.
fn check(method: &str, address: &str, body: &[u8], authorization: &str) -> Result<(), VerifyError> {
    verify(
        key().public_key(),
        method,
        &url(address),
        body,
        &header(authorization),
    )
}

mod sign {
    use super::*;

    #[test]
    fn header_is_the_one_of_the_python_package() {
        for case in official().iter().filter(|case| case.signer.starts_with("python")) {
            // Its order of `a-b` and `a` is its own.
            if case.url.contains("a-b") || case.signer.contains("PSS") {
                continue;
            }
            let made = signer()
                .authorization(&case.method, &url(&case.url), case.body.as_bytes(), &stamp())
                .unwrap();
            assert_eq!(made.as_str(), case.header, "{}", case.url);
        }
    }

    #[test]
    fn pss_signature_is_verified_as_such() {
        let made = signer()
            .with_method(SignatureMethod::RsaPss)
            .authorization("POST", &url("https://api.mastercard.com/a"), b"{}", &stamp())
            .unwrap();
        assert!(made.as_str().contains("oauth_signature_method=\"RSA-PSS\""));
        check("POST", "https://api.mastercard.com/a", b"{}", made.as_str()).unwrap();
    }

    #[test]
    fn consumer_key_and_nonce_need_no_encoding() {
        for text in ["", "a b", "a\"b", "a,b", "a&b", "a%21b", "ä"] {
            assert_eq!(
                Signer::new(text, key()).err(),
                Some(SignError::ConsumerKey),
                "{text}"
            );
            assert_eq!(Stamp::new(text, 1).err(), Some(SignError::Nonce), "{text}");
        }
        assert_eq!(Stamp::new(&"a".repeat(65), 1).err(), Some(SignError::Nonce));
    }

    #[test]
    fn nonce_has_sixteen_letters_and_digits() {
        let made = Stamp::from_random(std::array::from_fn(|at| u8::try_from(at * 17).unwrap()), 7);
        assert_eq!((made.nonce().len(), made.timestamp()), (16, 7));
        assert_eq!(Stamp::new(made.nonce(), 7), Ok(made));
    }

    #[test]
    fn debug_omits_header_and_key() {
        let made = signer()
            .authorization("GET", &url("https://api.mastercard.com/"), b"", &stamp())
            .unwrap();
        let shown = format!("{made:?} {:?}", signer());
        assert!(!shown.contains("oauth") && !shown.contains("abc-abc"), "{shown}");
    }
}

mod verification {
    use super::*;

    #[test]
    fn headers_of_official_signers_are_accepted() {
        for case in official() {
            let result = check(&case.method, &case.url, case.body.as_bytes(), &case.header);
            assert_eq!(result, Ok(()), "{} {}", case.signer, case.url);
        }
    }

    #[test]
    fn other_body_is_reported_with_its_hash() {
        let case = &official()[0];
        assert_eq!(
            check(&case.method, &case.url, b"{}", &case.header),
            Err(VerifyError::BodyHash {
                calculated: "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=".to_owned()
            })
        );
    }

    /// Signs `signed`, and checks it as if it had come to `address`.
    fn deviation(method: &str, signed: &str, address: &str) -> Option<Deviation> {
        let made = signer()
            .authorization("POST", &url(signed), b"", &stamp())
            .unwrap();
        match check(method, address, b"", made.as_str()) {
            Err(VerifyError::Signature {
                deviation,
                acceptable,
            }) => {
                assert!(acceptable.starts_with(method));
                deviation
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn error_names_the_difference() {
        const ADDRESS: &str = "https://api.mastercard.com/a/b%2Cc?x=1";
        for (method, signed, expected) in [
            ("PUT", ADDRESS, Some(Deviation::Method("POST"))),
            (
                "POST",
                "http://api.mastercard.com/a/b%2Cc?x=1",
                Some(Deviation::Http),
            ),
            (
                "POST",
                "https://api.mastercard.com/a/b%2Cc/?x=1",
                Some(Deviation::Slash),
            ),
            (
                "POST",
                "https://api.mastercard.com/a/b,c?x=1",
                Some(Deviation::DecodedPath),
            ),
            (
                "POST",
                "https://api.mastercard.com/a/b%2Cc",
                Some(Deviation::QueryUnsigned),
            ),
            ("POST", "https://api.mastercard.com/a/b%2Cc?x=2", None),
        ] {
            assert_eq!(deviation(method, signed, ADDRESS), expected, "{method} {signed}");
        }
        assert_eq!(
            deviation(
                "POST",
                "https://api.mastercard.com/a?x=%3A",
                "https://api.mastercard.com/a?x=:"
            ),
            Some(Deviation::QueryEncoded)
        );
        assert_eq!(
            deviation(
                "POST",
                "https://api.mastercard.com/a?x=%2B&y=%3A",
                "https://api.mastercard.com/a?x=+&y=%3A"
            ),
            Some(Deviation::LiteralPlus)
        );
    }

    #[test]
    fn encoded_header_is_named() {
        let made = signer()
            .authorization("GET", &url("https://api.mastercard.com/"), b"", &stamp())
            .unwrap();
        let encoded = made
            .as_str()
            .replace('!', "%21")
            .replace("+/TImW+5", "%2B%2FTImW%2B5");
        let error = check("GET", "https://api.mastercard.com/", b"", &encoded).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the signature does not match: consumer key or body hash is percent-encoded in the header, \
             but was signed decoded"
        );
        assert_eq!(header(&encoded).consumer_key(), "abc-abc-abc!123");
    }

    /// With the query's parameter in the header, the base string would be the same without the query.
    #[test]
    fn parameter_of_a_query_is_none_of_the_header() {
        let made = signer()
            .authorization("GET", &url("https://api.mastercard.com/x?zeta=1"), b"", &stamp())
            .unwrap();
        assert_eq!(
            check("GET", "https://api.mastercard.com/x?zeta=1", b"", made.as_str()),
            Ok(())
        );
        let moved = format!("{},zeta=\"1\"", made.as_str());
        assert_eq!(Header::parse(&moved), Err(HeaderError::Foreign));
        let hidden = made
            .as_str()
            .replace("oauth_version=\"1.0\"", "oauth_version=\"1.0&zeta=1\"");
        assert_eq!(Header::parse(&hidden), Err(HeaderError::Ampersand));
    }

    #[test]
    fn other_key_has_no_explanation() {
        let other = PublicKey::from_pem(include_str!("../../tests/fixtures/rsa-2048-public.pem")).unwrap();
        let case = &official()[0];
        let result = verify(
            &other,
            &case.method,
            &url(&case.url),
            case.body.as_bytes(),
            &header(&case.header),
        );
        assert!(
            matches!(result, Err(VerifyError::Signature { deviation: None, .. })),
            "{result:?}"
        );
    }

    #[test]
    fn other_methods_and_signatures_are_refused() {
        let case = &official()[0];
        let told = |header: String| check(&case.method, &case.url, case.body.as_bytes(), &header);
        assert_eq!(
            told(case.header.replace("RSA-SHA256", "HMAC-SHA1")),
            Err(VerifyError::Method)
        );
        assert!(matches!(
            told(case.header.replace("RSA-SHA256", "RSA-PSS")),
            Err(VerifyError::Signature { .. })
        ));
        assert_eq!(
            told(case.header.replace("oauth_signature=\"", "oauth_signature=\"!")),
            Err(HeaderError::Unusable("oauth_signature").into())
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn signed_requests_verify_and_changed_ones_do_not(
            method in "GET|POST|PUT|DELETE",
            path in "(/[a-zA-Z0-9._~!$'()*,;=:@-]{0,8}){0,3}",
            query in "[a-zA-Z0-9=&+%:,-]{0,24}",
            body in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut address = url(&format!("https://api.mastercard.com{path}"));
            address.set_query(Some(&query));
            let made = signer().authorization(&method, &address, &body, &stamp()).unwrap();
            let check = |body: &[u8], header: &str| {
                verify(key().public_key(), &method, &address, body, &Header::parse(header).unwrap())
            };
            prop_assert_eq!(check(&body, made.as_str()), Ok(()));
            let mut longer = body.clone();
            longer.push(0);
            prop_assert!(check(&longer, made.as_str()).is_err());
            let other_nonce = made.as_str().replace("Wpe3", "wpe3");
            prop_assert!(check(&body, &other_nonce).is_err());
        }
    }
}

mod headers {
    use super::*;

    const WHOLE: &str = "OAuth oauth_consumer_key=\"a!1\",oauth_nonce=\"n\",oauth_timestamp=\"7\",\
        oauth_signature_method=\"RSA-SHA256\",oauth_version=\"1.0\",oauth_body_hash=\"h=\",oauth_signature=\"s%3D\"";

    #[test]
    fn order_and_white_space_do_not_matter() {
        let mut parts: Vec<&str> = WHOLE["OAuth ".len()..].split(',').collect();
        parts.reverse();
        let parsed = header(&format!("oauth\t realm=\"x\", {} ", parts.join(" ,\n ")));
        assert_eq!(
            (parsed.consumer_key().as_str(), parsed.nonce(), parsed.timestamp()),
            ("a!1", "n", 7)
        );
        assert_eq!(parsed.get("oauth_body_hash"), "h=");
        assert_eq!(parsed.signed_parameters().len(), 6);
    }

    #[test]
    fn each_fault_has_its_error() {
        for (from, to, expected) in [
            ("OAuth ", "Bearer ", HeaderError::Scheme),
            ("OAuth ", "OAuth", HeaderError::Scheme),
            ("\"n\"", "n", HeaderError::Syntax),
            ("oauth_nonce=\"n\"", "oauth_nonce", HeaderError::Syntax),
            ("oauth_nonce=\"n\",", "", HeaderError::Missing("oauth_nonce")),
            (
                "oauth_version",
                "oauth_nonce",
                HeaderError::Repeated("oauth_nonce"),
            ),
            ("oauth_nonce", "zeta=\"1\",oauth_nonce", HeaderError::Foreign),
            ("oauth_version", "oauth_v&zeta", HeaderError::Foreign),
            ("\"n\"", "\"n&zeta=1\"", HeaderError::Ampersand),
            ("\"7\"", "\"-7\"", HeaderError::Unusable("oauth_timestamp")),
            ("\"1.0\"", "\"2.0\"", HeaderError::Unusable("oauth_version")),
        ] {
            assert_eq!(
                Header::parse(&WHOLE.replacen(from, to, 1)).err(),
                Some(expected),
                "{to}"
            );
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_does_not_panic(text in "\\PC{0,80}") {
            let _ = Header::parse(&text);
            let _ = Header::parse(&format!("OAuth {text}"));
        }
    }
}

mod acceptable {
    use super::*;

    const OURS: &str = "GET&https%3A%2F%2Fsandbox.api.mastercard.com%2Frates&date%3D2020-09-01%26\
        oauth_body_hash%3D47DEQpj8HBSa%2B%2FTImW%2B5JCeuQeRkm5NMpJWZG3hSuFU%3D%26oauth_consumer_key%3Dabc%21123%26\
        oauth_nonce%3Dn%26oauth_signature_method%3DRSA-SHA256%26oauth_timestamp%3D1616572266%26oauth_version%3D1.0";

    fn description(base: &str) -> String {
        format!("OAuth signatures did not match. Acceptable signature base string: {base}")
    }

    fn found(text: &str) -> Acceptable {
        Acceptable::find(text).unwrap()
    }

    #[test]
    fn base_string_is_found_in_each_shape() {
        let error = serde_json::json!({"Source": "Gateway", "ReasonCode": "AUTHENTICATION_FAILED",
            "Description": description(OURS), "Recoverable": false, "Details": null});
        for text in [
            OURS.to_owned(),
            format!("  {OURS}\n"),
            description(OURS),
            description(OURS).replace(
                "Acceptable signature base string",
                "acceptable signature base string",
            ),
            description(&OURS.replace('&', "&amp;")),
            format!(
                "OAuth Signature parameter failed verification. Acceptable signature base string: {OURS}. Sorry"
            ),
            serde_json::json!({"Errors": {"Error": [error]}}).to_string(),
            serde_json::json!({"Errors": [{"Error": error}]})
                .to_string()
                .replace('&', "\\u0026"),
            error.to_string(),
        ] {
            let acceptable = found(&text);
            assert_eq!(acceptable.difference(OURS), None, "{text}");
        }
        for text in ["", "{}", "sorry", "Acceptable signature base string: none"] {
            assert_eq!(Acceptable::find(text), None, "{text}");
        }
    }

    #[test]
    fn parameters_are_those_of_an_official_header() {
        for base in [OURS.to_owned(), OURS.replace("abc%21123", "abc%2521123")] {
            let acceptable = found(&base);
            assert_eq!(
                acceptable.parameter("oauth_consumer_key").as_deref(),
                Some("abc!123")
            );
            assert_eq!(
                acceptable.parameter("oauth_timestamp").as_deref(),
                Some("1616572266")
            );
            assert_eq!(acceptable.parameter("oauth"), None);
        }
    }

    #[test]
    fn difference_has_place_and_name() {
        // The header was percent-encoded, so that the gateway encoded it once more.
        let theirs = OURS.replace("%2B%2FTImW%2B5", "%252B%252FTImW%252B5");
        let difference = found(&theirs).difference(OURS).unwrap();
        assert_eq!(difference.part, "oauth_body_hash");
        assert_eq!(&theirs[difference.theirs.clone()], "52B%252FTImW%25");
        assert_eq!(&OURS[difference.ours.clone()], "B%2FTImW%");

        let post = OURS.replacen("GET", "POST", 1);
        assert_eq!(found(&post).difference(OURS).unwrap().part, "method");
        let http = OURS.replacen("https", "http", 1);
        assert_eq!(found(&http).difference(OURS).unwrap().part, "address");
        let shorter = OURS.replace("date%3D2020-09-01%26", "");
        assert_eq!(found(&shorter).difference(OURS).unwrap().part, "date");
        let longer = format!("{OURS}%26page%3D1");
        let difference = found(OURS).difference(&longer).unwrap();
        assert_eq!((difference.part.as_str(), difference.theirs.len()), ("page", 0));
    }

    #[test]
    fn base_string_that_is_cut_is_compared_as_far_as_it_goes() {
        let cut = found(&description(&OURS[..150]));
        assert!(cut.is_cut());
        assert_eq!(cut.difference(OURS), None);
        assert_eq!(
            cut.difference(&OURS.replace("2020", "2021")).unwrap().part,
            "date"
        );
        let late = format!("{OURS}%26page%3D1234");
        assert_eq!(found(&late[..late.len() - 2]).difference(&late), None);
    }

    proptest! {
        #[test]
        fn arbitrary_text_does_not_panic(text in "\\PC{0,80}", ours in "\\PC{0,80}") {
            for text in [text.clone(), format!("GET&https{text}"), format!("Acceptable signature base string: GET&http{text}")] {
                if let Some(acceptable) = Acceptable::find(&text) {
                    let _ = acceptable.difference(&ours);
                }
            }
        }
    }
}
