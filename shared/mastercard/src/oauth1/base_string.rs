use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use url::Url;

/// `oauth_body_hash`: base64 of the SHA-256 of the body's bytes. A request without a body has the hash of no bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyHash(String);

impl BodyHash {
    /// Hashes a body.
    pub fn of(body: &[u8]) -> Self {
        Self(STANDARD.encode(digest(&SHA256, body)))
    }

    /// Returns the hash in base64.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Signature base string (RFC 5849 §3.4.1) of a request with its OAuth parameters except the signature, as name and
/// value.
///
/// Values of OAuth parameters are taken as they are. If any part of the query has percent escapes, each name and value
/// is decoded as a form and encoded anew, otherwise all stay as they are
/// (`docs/adr/0033-signature-base-strings.md`).
pub fn base_string(method: &str, url: &Url, parameters: &[(&str, &str)]) -> String {
    let parameters = parameter_string(url.query(), parameters, QueryRule::default(), Order::default());
    assemble(method, &base_uri(url), &parameters)
}

/// Treatment of the query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum QueryRule {
    /// Encoded anew if any part has escapes.
    #[default]
    Decided,
    /// Left as it is written.
    AsWritten,
    /// Always encoded anew, as RFC 5849 has it.
    Encoded,
    /// As `Decided`, but a plus sign stands for itself.
    LiteralPlus,
    /// Left out.
    Unsigned,
}

/// Order of parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// By name, then by value.
    #[default]
    NameThenValue,
    /// By the joined text `name=value`.
    Joined,
}

/// Joins the parts of a base string.
pub(super) fn assemble(method: &str, base_uri: &str, parameters: &str) -> String {
    format!(
        "{}&{}&{}",
        method.to_uppercase(),
        percent_encode(base_uri.as_bytes()),
        percent_encode(parameters.as_bytes())
    )
}

/// Scheme, host, port unless it is the default one, and path, as they are sent.
pub(super) fn base_uri(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{}://{host}:{port}{}", url.scheme(), url.path()),
        None => format!("{}://{host}{}", url.scheme(), url.path()),
    }
}

/// Parameters of query and header in their order.
pub(super) fn parameter_string(
    query: Option<&str>,
    parameters: &[(&str, &str)],
    rule: QueryRule,
    order: Order,
) -> String {
    let query = query.filter(|_| rule != QueryRule::Unsigned).unwrap_or_default();
    let escaped = has_escapes(query);
    let part = |text: &str| match rule {
        QueryRule::Encoded => percent_encode(&form_decode(text)),
        QueryRule::Decided if escaped => percent_encode(&form_decode(text)),
        QueryRule::LiteralPlus if escaped => percent_encode(percent_decode_bytes(text).as_slice()),
        _ => text.to_owned(),
    };
    let mut all: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (part(name), part(value))
        })
        .collect();
    all.extend(
        parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    if order == Order::NameThenValue {
        all.sort();
    }
    let mut joined: Vec<String> = all
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if order == Order::Joined {
        joined.sort();
    }
    joined.join("&")
}

/// Whether a text has a percent sign followed by two hexadecimal digits.
fn has_escapes(text: &str) -> bool {
    text.as_bytes()
        .windows(3)
        .any(|part| part[0] == b'%' && part[1].is_ascii_hexdigit() && part[2].is_ascii_hexdigit())
}

/// Decodes escapes. A plus sign stays, and so does a percent sign without two digits. Bytes that are no UTF-8 are
/// replaced.
pub(super) fn percent_decode(text: &str) -> String {
    String::from_utf8_lossy(&percent_decode_bytes(text)).into_owned()
}

fn percent_decode_bytes(text: &str) -> Vec<u8> {
    form_decode(&text.replace('+', "%2B"))
}

/// Decodes escapes and `+`, which stands for a space. A percent sign without two digits stays.
fn form_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = text.get(at + 1..at + 3).filter(|_| byte == b'%');
        if let Some(value) = escape.and_then(hex_byte) {
            decoded.push(value);
            at += 3;
        } else {
            decoded.push(if byte == b'+' { b' ' } else { byte });
            at += 1;
        }
    }
    decoded
}

fn hex_byte(digits: &str) -> Option<u8> {
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// Encodes every byte except letters, digits and `-._~` (RFC 3986 §2.3, RFC 5849 §3.6).
pub(super) fn percent_encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(bytes.len() * 3);
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(byte.into());
        } else {
            encoded.push('%');
            encoded.push(DIGITS[usize::from(byte >> 4)].into());
            encoded.push(DIGITS[usize::from(byte & 15)].into());
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// OAuth parameters of the official Python signer's tests.
    const PARAMETERS: [(&str, &str); 6] = [
        ("oauth_consumer_key", "abc-abc-abc!123"),
        ("oauth_nonce", "Wpe3LF09z1e3xQRI"),
        ("oauth_timestamp", "1626728330"),
        ("oauth_signature_method", "RSA-SHA256"),
        ("oauth_version", "1.0"),
        ("oauth_body_hash", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
    ];
    const ENCODED: &str = "oauth_body_hash%3D47DEQpj8HBSa%2B%2FTImW%2B5JCeuQeRkm5NMpJWZG3hSuFU%3D%26\
        oauth_consumer_key%3Dabc-abc-abc%21123%26oauth_nonce%3DWpe3LF09z1e3xQRI%26\
        oauth_signature_method%3DRSA-SHA256%26oauth_timestamp%3D1626728330%26oauth_version%3D1.0";

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn parameters_of(query: &str) -> String {
        parameter_string(Some(query), &[], QueryRule::default(), Order::default())
    }

    #[test]
    fn vectors_of_the_official_signers() {
        for (address, expected) in [
            (
                "https://example.com/?param=token1%3Atoken2",
                "GET&https%3A%2F%2Fexample.com%2F&{O}%26param%3Dtoken1%253Atoken2",
            ),
            (
                "https://example.com/?param=token1:token2",
                "GET&https%3A%2F%2Fexample.com%2F&{O}%26param%3Dtoken1%3Atoken2",
            ),
            (
                "https://example.com/request?colon=%3A&plus=%2B&comma=%2C",
                "GET&https%3A%2F%2Fexample.com%2Frequest&colon%3D%253A%26comma%3D%252C%26{O}%26plus%3D%252B",
            ),
            (
                "https://api.mastercard.com/abc/%123/service?a=123&b=%2a2b3",
                "GET&https%3A%2F%2Fapi.mastercard.com%2Fabc%2F%25123%2Fservice&a%3D123%26b%3D%252A2b3%26{O}",
            ),
            (
                "https://sandbox.api.mastercard.com?param1=plus+value&param2=colon:value",
                "GET&https%3A%2F%2Fsandbox.api.mastercard.com%2F&{O}%26param1%3Dplus%2Bvalue%26param2%3Dcolon%3Avalue",
            ),
        ] {
            let expected = expected.replace("{O}", ENCODED);
            assert_eq!(
                base_string("get", &url(address), &PARAMETERS),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn parameters_of_query_and_header_are_sorted_together() {
        let address =
            url("https://api.mastercard.com/?first_param=value&param2=hello&first_param=othervalue");
        let parameters = [("oauth_nonce", "randomnonce"), ("oauth_body_hash", "body/hash")];
        assert_eq!(
            base_string("POST", &address, &parameters),
            "POST&https%3A%2F%2Fapi.mastercard.com%2F&first_param%3Dothervalue%26first_param%3Dvalue\
             %26oauth_body_hash%3Dbody%2Fhash%26oauth_nonce%3Drandomnonce%26param2%3Dhello"
        );
    }

    #[test]
    fn order_is_by_name_then_value_in_bytes() {
        assert_eq!(
            parameters_of("b=b&A=a&A=A&B=B&a=A&a=a&0=0"),
            "0=0&A=A&A=a&B=B&a=A&a=a&b=b"
        );
        // A name that is the start of another comes first, as in RFC 5849 §3.4.1.3.2.
        assert_eq!(parameters_of("a-b=1&a=2"), "a=2&a-b=1");
        assert_eq!(
            parameter_string(Some("a-b=1&a=2"), &[], QueryRule::default(), Order::Joined),
            "a-b=1&a=2"
        );
    }

    #[test]
    fn query_of_rfc_5849_is_decoded_and_encoded() {
        assert_eq!(
            parameters_of("b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2&a3=2+q"),
            "a2=r%20b&a3=2%20q&a3=a&b5=%3D%253D&c%40=&c2="
        );
    }

    #[test]
    fn odd_queries_keep_every_parameter() {
        for (query, expected) in [
            ("a=1&a=1", "a=1&a=1"),
            ("a=1&&b=2&", "a=1&b=2"),
            ("=1&b", "=1&b="),
            ("a=b%26c=d&e=f", "a=b%26c%3Dd&e=f"),
            ("a=100%&b=%zz", "a=100%&b=%zz"),
            ("a=100%&b=%7e", "a=100%25&b=~"),
            ("a=%ff", "a=%FF"),
            ("a=x+y", "a=x+y"),
            ("a=x+y&b=%2B", "a=x%20y&b=%2B"),
        ] {
            assert_eq!(parameters_of(query), expected, "{query}");
        }
    }

    #[test]
    fn base_uri_has_the_path_as_it_is_sent() {
        for (address, expected) in [
            ("https://www.example.net:8080", "https://www.example.net:8080/"),
            (
                "http://EXAMPLE.COM:80/r%20v/X?id=123",
                "http://example.com/r%20v/X",
            ),
            (
                "https://api.mastercard.com:443/test?query=param",
                "https://api.mastercard.com/test",
            ),
            (
                "https://api.mastercard.com:17443/test?a=1",
                "https://api.mastercard.com:17443/test",
            ),
            (
                "HTTPS://API.MASTERCARD.COM/TEST#part",
                "https://api.mastercard.com/TEST",
            ),
            (
                "https://example.com/test%40test",
                "https://example.com/test%40test",
            ),
            ("https://example.com/r%2540v/X", "https://example.com/r%2540v/X"),
            (
                "https://example.com/foo@bar/test",
                "https://example.com/foo@bar/test",
            ),
            (
                "https://example.com/foo&bar/test",
                "https://example.com/foo&bar/test",
            ),
            (
                "https://example.com/foo(bar/test",
                "https://example.com/foo(bar/test",
            ),
            (
                "https://example.com/foo=bar/test;v=1",
                "https://example.com/foo=bar/test;v=1",
            ),
            ("https://user:word@[::1]:8443/a", "https://[::1]:8443/a"),
        ] {
            assert_eq!(base_uri(&url(address)), expected, "{address}");
        }
    }

    #[test]
    fn body_hash_is_of_the_bytes() {
        for (body, expected) in [
            ("", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
            ("{}", "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="),
            (r#"{"foõ":"bar"}"#, "+Z+PWW2TJDnPvRcTgol+nKO3LT7xm8smnsg+//XMIyI="),
        ] {
            assert_eq!(BodyHash::of(body.as_bytes()).as_str(), expected);
        }
    }

    #[test]
    fn percent_encoding_leaves_unreserved_characters() {
        for (text, expected) in [
            ("Format=XML", "Format%3DXML"),
            ("WhqqH+TU95VgZMItpdq78BWb4cE=", "WhqqH%2BTU95VgZMItpdq78BWb4cE%3D"),
            ("a~b*c d&o", "a~b%2Ac%20d%26o"),
            ("%25£¥a/El Niño/%", "%2525%C2%A3%C2%A5a%2FEl%20Ni%C3%B1o%2F%25"),
        ] {
            assert_eq!(percent_encode(text.as_bytes()), expected);
            assert_eq!(percent_decode(expected), text);
        }
    }

    proptest! {
        #[test]
        fn plain_queries_are_the_same_under_every_rule(pairs in prop::collection::vec(("[a-z0-9]{1,8}", "[A-Za-z0-9._~-]{0,8}"), 0..8)) {
            let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let query = query.join("&");
            let under = |rule| parameter_string(Some(&query), &PARAMETERS, rule, Order::default());
            for rule in [QueryRule::AsWritten, QueryRule::Encoded, QueryRule::LiteralPlus] {
                prop_assert_eq!(under(rule), under(QueryRule::Decided));
            }
        }

        #[test]
        fn encoded_query_is_the_same_in_any_order(
            mut pairs in prop::collection::vec(("\\PC{1,6}", "\\PC{0,6}"), 1..8),
            seed in any::<prop::sample::Index>(),
        ) {
            let text = |pairs: &[(String, String)]| {
                let parts: Vec<String> = pairs
                    .iter()
                    .map(|(name, value)| format!("{}={}", percent_encode(name.as_bytes()), percent_encode(value.as_bytes())))
                    .collect();
                parts.join("&")
            };
            let first = parameters_of(&text(&pairs));
            let middle = seed.index(pairs.len());
            pairs.rotate_left(middle);
            prop_assert_eq!(parameters_of(&text(&pairs)), first);
        }

        #[test]
        fn percent_encoding_is_reversible(text in "\\PC{0,40}") {
            prop_assert_eq!(percent_decode(&percent_encode(text.as_bytes())), text);
        }

        #[test]
        fn any_query_gives_one_line_of_ascii(query in "\\PC{0,60}") {
            let mut address = url("https://api.mastercard.com/a");
            address.set_query(Some(&query));
            let base = base_string("GET", &address, &PARAMETERS);
            prop_assert!(base.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(base.matches('&').count(), 2);
        }
    }
}
