use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const NUMBER: &str = "5234000000000015";

/// A way to write a text that holds a number, or the number in it.
type Writing = (&'static str, fn(&[u8]) -> Vec<u8>);

const WRITINGS: [Writing; 22] = [
    ("base64", |bytes| STANDARD.encode(bytes).into()),
    ("base64 without padding", |bytes| {
        STANDARD_NO_PAD.encode(bytes).into()
    }),
    ("base64 for URLs", |bytes| URL_SAFE.encode(bytes).into()),
    ("base64 for URLs without padding", |bytes| {
        URL_SAFE_NO_PAD.encode(bytes).into()
    }),
    ("base64 in lines", |bytes| {
        in_lines(&STANDARD.encode(bytes), "\r\n")
    }),
    ("base64 in lines in JSON", |bytes| {
        in_lines(&STANDARD.encode(bytes), "\\n")
    }),
    ("base64 in JSON with escaped slashes", |bytes| {
        STANDARD.encode(bytes).replace('/', "\\/").into()
    }),
    ("base64 in a URL", |bytes| {
        escaped(STANDARD.encode(bytes).as_bytes(), |byte| {
            (!byte.is_ascii_alphanumeric()).then(|| format!("%{byte:02X}"))
        })
    }),
    ("hexadecimal", |bytes| hex::encode(bytes).into()),
    ("HEXADECIMAL", |bytes| hex::encode_upper(bytes).into()),
    ("hexadecimal with blanks", |bytes| {
        listed(bytes, " ", |byte| format!("{byte:02x}"))
    }),
    ("hexadecimal with colons", |bytes| {
        listed(bytes, ":", |byte| format!("{byte:02X}"))
    }),
    ("a list in hexadecimal", |bytes| {
        listed(bytes, ", ", |byte| format!("0x{byte:02x}"))
    }),
    ("a list in decimal", |bytes| format!("{bytes:?}").into()),
    ("a list in decimal in lines", |bytes| format!("{bytes:#?}").into()),
    ("%35", |bytes| escaped(bytes, |byte| Some(format!("%{byte:02x}")))),
    ("\\x35", |bytes| {
        escaped(bytes, |byte| Some(format!("\\x{byte:02X}")))
    }),
    ("\\u0035", |bytes| {
        escaped(bytes, |byte| Some(format!("\\u{byte:04x}")))
    }),
    ("&#53;", |bytes| escaped(bytes, |byte| Some(format!("&#{byte};")))),
    ("&#x35;", |bytes| {
        escaped(bytes, |byte| Some(format!("&#x{byte:x};")))
    }),
    ("gzip", |bytes| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }),
    ("zlib", |bytes| {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }),
];

#[test]
fn number_is_found_as_people_and_forms_write_it() {
    for text in [
        "5234000000000015",
        "5234 0000 0000 0015",
        "5234-0000-0000-0015",
        "5234+0000+0000+0015",
        "5234\u{a0}0000\u{a0}0000\u{a0}0015",
        "5234\u{202f}0000\u{202f}0000\u{202f}0015",
        "5234%200000%200000%200015",
        "5234%C2%A00000%C2%A00000%C2%A00015",
        "5 2 3 4 0 0 0 0 0 0 0 0 0 0 1 5",
        "5234.0000.0000.0015",
        "5234\u{2011}0000\u{2011}0000\u{2011}0015",
        "5234\u{2009}0000\u{2009}0000\u{2009}0015",
        "5412340000000001",
        "5555555555554444",
        "card_5234000000000015_",
        "x5234000000000015x",
        "no. 5234000000000015.",
        "1234 5234000000000015 1234",
        "52340%3000000%300015",
    ] {
        let found = find(text.as_bytes());
        assert_eq!(found.len(), 1, "{text}: {found:?}");
    }
    assert_eq!(find(b"5234\xa00000\xa00000\xa00015").len(), 1, "in Latin-1");
}

#[test]
fn number_is_found_in_the_digits_of_every_script() {
    let zeros = (0..=u32::from(char::MAX))
        .filter_map(char::from_u32)
        .filter(|zero| !zero.is_ascii() && enrollment::digits::value(*zero) == Some(0));
    let mut scripts = 0;
    for zero in zeros {
        scripts += 1;
        let digit = |digit: u8| char::from_u32(u32::from(zero) + u32::from(digit - b'0')).unwrap();
        let number: String = NUMBER.bytes().map(digit).collect();
        for text in [
            number.clone(),
            grouped(&number, " "),
            grouped(&number, "-"),
            grouped(&number, "\u{a0}"),
        ] {
            let found = find(format!("card {text}.").as_bytes());
            assert!(!found.is_empty(), "{text}");
        }
    }
    assert!(scripts > 70, "{scripts}");
    let mixed = "5234 ００００ ٠٠٠٠ 0015";
    assert!(!find(mixed.as_bytes()).is_empty());
}

fn grouped(number: &str, separator: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(separator)
}

#[test]
fn person_is_found_in_every_writing() {
    for text in [
        "Zoë-Kanarienvogel",
        "Value 'O\u{27}Brien-Šimićević' is not facet-valid",
        "ZOE.KANARIE@example.com",
        "no account of customer-0123456789abcdef0123",
        "POST https://localhost:8702/batches?zoe-kanarie-confirmation",
        "card 0123456789abcdef012345000000000000US was deleted",
    ] {
        let found = find_persons(text.as_bytes());
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(!text.contains(&found[0].masked));
        for (name, write) in WRITINGS {
            assert!(
                !find_persons(&write(text.as_bytes())).is_empty(),
                "{text}: {name}"
            );
        }
    }
    for text in [
        "customer-id-7",
        "customer-0123",
        "customer#demo#10765",
        "zoe@example.com",
        "the customer",
        "000000000000US",
        "0123456789abcdef-12345000000000000US",
    ] {
        assert_eq!(find_persons(text.as_bytes()), [], "{text}");
    }
}

#[test]
fn lookalikes_are_not_found() {
    for (text, why) in [
        ("5234000000000016", "fails Luhn"),
        ("52340000000000150", "a digit after it"),
        ("15234000000000015", "a digit before it"),
        ("0.5234000000000015", "a fraction"),
        ("4111111111111111", "no card of the tests"),
        ("5235000000000014", "beside the range"),
        ("523400******0015", "masked"),
        ("523400 0000000015", "not in fours"),
    ] {
        assert_eq!(find(text.as_bytes()), [], "{why}");
    }
}

#[test]
fn utf_16_is_read_in_both_byte_orders_at_any_offset() {
    for before in ["", "a", "€", "€a"] {
        for after in ["", "b", "€"] {
            let units: Vec<u16> = format!("{before}{NUMBER}{after}").encode_utf16().collect();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            for odd in [&b""[..], b"x"] {
                assert_eq!(find(&[odd, &little].concat()).len(), 1, "{before:?} {after:?}");
                assert_eq!(find(&[odd, &big].concat()).len(), 1, "{before:?} {after:?}");
            }
        }
    }
}

#[test]
fn finding_names_place_and_layers_but_masks_the_number() {
    let inner = STANDARD.encode(format!("{{\"n\":\"{NUMBER}\"}}"));
    let text = format!("line: {}", hex::encode(inner));
    let found = find(text.as_bytes());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0].to_string(),
        "523400******0015 at byte 6 in hexadecimal in base64"
    );
    assert!(!format!("{found:?}").contains(NUMBER));
}

#[test]
fn compressed_data_is_found_at_any_offset_and_truncated() {
    for (name, write) in WRITINGS
        .iter()
        .filter(|(name, _)| ["gzip", "zlib"].contains(name))
    {
        let mut text = NUMBER.to_owned();
        text.push_str(&" and so on".repeat(100));
        let packed = write(text.as_bytes());
        let cut = &packed[..packed.len() - 6];
        assert_eq!(find(&[b"PNG", cut, b"IEND"].concat()).len(), 1, "{name}");
    }
}

proptest! {
    #[test]
    fn number_is_found_in_every_encoding_at_any_offset(
        number in number(),
        before in "[ -~]{0,9}[ -/:-~]",
        after in "[ -/:-~][ -~]{0,9}",
        outside in "([a-z/=\"{]{0,5}[ \"=:])?",
        (name, write) in select(&WRITINGS[..]),
    ) {
        // A digit and a dot before it would make it a fraction.
        let before = before.replace('.', ",");
        let written = write(format!("{before}{number}{after}").as_bytes());
        let text = [outside.as_bytes(), &written, b"\"}"].concat();
        prop_assert!(!find(&text).is_empty(), "{name}: {}", String::from_utf8_lossy(&text));
        let alone = write(number.as_bytes());
        prop_assert!(!find(&alone).is_empty(), "{name} alone");
    }

    #[test]
    fn number_is_found_in_one_encoding_inside_another(
        number in number(),
        before in "[a-z \"{:]{0,5}",
        after in "([ \"}][a-z \"{:]{0,4})?",
        (inner_name, inner) in select(&WRITINGS[..]),
        (outer_name, outer) in select(&WRITINGS[..]),
    ) {
        let inside = [before.as_bytes(), b" ", &inner(number.as_bytes()), after.as_bytes()].concat();
        prop_assert!(!find(&outer(&inside)).is_empty(), "{inner_name} in {outer_name}: {before:?} {after:?}");
    }

    #[test]
    fn base64_is_read_at_every_alignment(
        number in number(),
        before in "[A-Za-z/_+-]{0,7}",
        inside in vec(any::<u8>(), 0..4),
        outside in "[A-Za-z0-9/_+-]{0,7}",
    ) {
        let text = format!("{before}x{number}");
        let written = STANDARD.encode([&inside, b"x".as_slice(), text.as_bytes()].concat());
        let text = [outside, written].concat();
        prop_assert!(!find(text.as_bytes()).is_empty(), "{}", text);
    }

    #[test]
    fn random_bytes_have_no_number_in_any_encoding(
        bytes in vec(any::<u8>(), 0..400),
        (name, write) in select(&WRITINGS[..]),
    ) {
        prop_assert_eq!(find(&write(&bytes)), [], "{}", name);
    }

    #[test]
    fn text_with_other_numbers_has_none(words in vec("[a-z]{1,8}|[0-9]{1,15}x|[0-9]{17,30}x|[a-f0-9]{8}-[a-f0-9]{4}", 0..40)) {
        let text = words.join(" ").replace(' ', "; ");
        prop_assert_eq!(find(text.as_bytes()), []);
        prop_assert_eq!(find(STANDARD.encode(text).as_bytes()), []);
    }
}

/// Any that a card of the tests could have.
fn number() -> impl Strategy<Value = String> {
    let bin = prop_oneof![523_400_u32..=523_499, Just(541_234)];
    (bin, 0..1_000_000_000_u64).prop_map(|(bin, middle)| {
        (0..10)
            .map(|check| format!("{bin}{middle:09}{check}"))
            .find(|number| !find(number.as_bytes()).is_empty())
            .expect("one of ten digits makes the sum right")
    })
}

fn in_lines(text: &str, end: &str) -> Vec<u8> {
    let lines: Vec<&[u8]> = text.as_bytes().chunks(13).collect();
    lines.join(end.as_bytes())
}

fn listed(bytes: &[u8], separator: &str, write: impl Fn(u8) -> String) -> Vec<u8> {
    let words: Vec<String> = bytes.iter().copied().map(write).collect();
    words.join(separator).into()
}

fn escaped(bytes: &[u8], escape: impl Fn(u8) -> Option<String>) -> Vec<u8> {
    let write = |byte: &u8| escape(*byte).map_or_else(|| vec![*byte], String::into_bytes);
    bytes.iter().flat_map(write).collect()
}
