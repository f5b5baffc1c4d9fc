//! Faults of lines: place and rule, never a value.

use crate::support::{Folder, HEADER, checked, faults, number};
use std::fmt::Write as _;

fn fault_of(row: &str) -> Vec<String> {
    faults(
        format!("{HEADER},mobileCountryCode,mobilePhoneNumber,firstName,countryCode,languageCode\n{row}\n")
            .as_bytes(),
    )
}

/// Checks that a row has the expected fault, and that no fault repeats a value.
fn assert_faults(cases: &[(String, &str)]) {
    let (card, visa) = (number(5204, 77), number(4111, 77));
    for (row, expected) in cases {
        let found = fault_of(row);
        assert!(
            found.iter().any(|fault| fault.starts_with(expected)),
            "{row}: {found:?}, expected {expected}"
        );
        for fault in found {
            for value in [&card[..], &card[..8], &visa[..8], "5.2", "a@b"] {
                assert!(!fault.contains(value), "{fault}");
            }
        }
    }
}

#[test]
fn rules_of_ids_name_line_and_column() {
    let card = number(5204, 77);
    let rest = format!("{card},1,29,a@b.cz");
    let long = "x".repeat(65);
    let halves = (&card[..8], &card[8..]);
    assert_faults(&[
        (
            format!(",k,{rest}"),
            "line 2, column 1 (externalConsumerId): is empty",
        ),
        (
            format!("c,,{rest}"),
            "line 2, column 2 (externalCardId): is empty",
        ),
        (
            format!("c,{long},{rest}"),
            "line 2, column 2 (externalCardId): is longer than 64 characters",
        ),
        (
            format!("c,k 1,{rest}"),
            "line 2, column 2 (externalCardId): has other characters than A-Z",
        ),
        (
            format!("..,k,{rest}"),
            "line 2, column 1 (externalConsumerId): has other characters than A-Z",
        ),
        (
            format!("c,{card},{rest}"),
            "line 2, column 2 (externalCardId): contains a card number",
        ),
        (
            format!("c,id-{}-{},{rest}", halves.0, halves.1),
            "line 2, column 2 (externalCardId): contains a card number",
        ),
    ]);
}

#[test]
fn rules_of_card_numbers_name_line_and_column() {
    const COLUMN: &str = "line 2, column 3 (primaryAccountNumber): ";
    let (card, visa) = (number(5204, 77), number(4111, 77));
    let cases = [
        (String::new(), "is empty"),
        ("5.20474E+15".to_owned(), "is in scientific notation"),
        ("\"5,20474E+15\"".to_owned(), "is in scientific notation"),
        (format!("{card}x"), "has something else than digits"),
        ("52047400".to_owned(), "does not have 12 to 19 digits"),
        (format!("{card}{card}"), "does not have 12 to 19 digits"),
        (format!("{}0", &card[..14]), "fails the check digit"),
        (visa, "is neither a Mastercard nor a Maestro number"),
    ];
    for (value, rule) in cases {
        assert_faults(&[(format!("c,k,{value},1,29,a@b.cz"), &format!("{COLUMN}{rule}"))]);
    }
}

#[test]
fn rules_of_other_values_name_line_and_column() {
    let card = number(5204, 77);
    let start = format!("c,k,{card}");
    let full = format!("{start},1,29,a@b.cz");
    assert_faults(&[
        (
            format!("{start},0,29,a@b.cz"),
            "line 2, column 4 (panExpirationMonth): is not a month",
        ),
        (
            format!("{start},13,29,a@b.cz"),
            "line 2, column 4 (panExpirationMonth): is not a month",
        ),
        (
            format!("{start},,29,a@b.cz"),
            "line 2, column 4 (panExpirationMonth): is empty",
        ),
        (
            format!("{start},1,1929,a@b.cz"),
            "line 2, column 5 (panExpirationYear): is not a year",
        ),
        (
            format!("{start},1,29,ab.cz"),
            "line 2, column 6 (emailAddress): is not an e-mail address",
        ),
        (
            format!("{start},1,29,a@b@c.cz"),
            "line 2, column 6 (emailAddress): is not an e-mail address",
        ),
        (
            format!("{start},1,29,"),
            "line 2: has neither an e-mail address nor a mobile number",
        ),
        (
            format!("{start},1,29,,420,"),
            "line 2: needs mobileCountryCode and mobilePhoneNumber",
        ),
        (
            format!("{start},1,29,,+420,601"),
            "line 2, column 7 (mobileCountryCode): is not a number of digits alone",
        ),
        (
            format!("{start},1,29,,420,601 1"),
            "line 2, column 8 (mobilePhoneNumber): is not a number of digits alone",
        ),
        (
            format!("{full},,,{}", "ž".repeat(101)),
            "line 2, column 9 (firstName): is longer than 100 characters",
        ),
        (
            format!("{full},,,a\tb"),
            "line 2, column 9 (firstName): contains a line break or another control",
        ),
        (
            format!("{full},,,,cz"),
            "line 2, column 10 (countryCode): is not a country code",
        ),
        (
            format!("{full},,,,CZ,CS"),
            "line 2, column 11 (languageCode): is not a language code",
        ),
        (
            format!("{full},,,,CZ,cs,,{card}"),
            "line 2: has 13 columns, the header 11",
        ),
    ]);
}

#[test]
fn windows_1252_is_refused_by_line() {
    let mut content = format!("{HEADER},firstName\nc,k,{},1,29,a@b.cz,", number(5204, 1)).into_bytes();
    content.extend_from_slice(b"Ren\xe9e\n");
    assert_eq!(
        faults(&content),
        ["line 2, column 7 (firstName): is not UTF-8; save the file as CSV UTF-8"]
    );
}

#[test]
fn consumer_is_the_same_on_all_lines() {
    let card = number(5204, 1);
    let text = format!(
        "{HEADER},firstName\na,1,{card},1,29,a@b.cz,Eva\na,2,{card},1,29,,\na,3,{card},1,29,a@b.cz,Iva\na,4,{card},1,29,b@b.cz,Eva\n"
    );
    assert_eq!(
        faults(text.as_bytes()),
        [
            "line 4, column 7 (firstName): differs from the profile's first line, 2",
            "line 5, column 6 (emailAddress): differs from the profile's first line, 2",
        ]
    );
}

#[test]
fn profile_in_two_places_is_refused_over_windows() {
    let mut text = format!("{HEADER}\n");
    for serial in 0..45_000 {
        let consumer = if serial == 44_000 { 7 } else { serial };
        writeln!(text, "c{consumer},k{serial},5204740009900014,1,29,a@b.cz").unwrap();
    }
    assert_eq!(
        faults(text.as_bytes()),
        [
            "line 44002, column 1 (externalConsumerId): belongs to the profile of line 9; lines of a profile stand together"
        ]
    );
}

#[test]
fn card_id_twice_is_refused_within_a_window() {
    let row = |consumer: &str, card: &str| format!("{consumer},{card},5204740009900014,1,29,a@b.cz\n");
    let text = [
        HEADER,
        "\n",
        &row("a", "1"),
        &row("a", "2"),
        &row("b", "1"),
        &row("c", "2"),
    ]
    .concat();
    assert_eq!(
        faults(text.as_bytes()),
        [
            "line 4, column 2 (externalCardId): is the id of the card in line 2",
            "line 5, column 2 (externalCardId): is the id of the card in line 3",
        ]
    );
}

#[test]
fn card_id_twice_in_the_file_is_refused_on_request() {
    let mut text = format!("{HEADER}\n");
    for serial in 0..45_000 {
        let card = if serial == 44_000 { 7 } else { serial };
        writeln!(text, "c{serial},k{card},5204740009900014,1,29,a@b.cz").unwrap();
    }
    assert!(faults(text.as_bytes()).is_empty());
    let folder = Folder::new();
    let file = folder.file(text.as_bytes());
    let mut options = folder.options();
    options.has_unique_card_ids = true;
    let found = card_file::check(&file, &options, &mut card_file::Window::new(), |_| ());
    let found = found
        .ok()
        .and_then(Result::err)
        .map(|faults| faults.listed()[0].to_string());
    assert_eq!(
        found.as_deref(),
        Some("line 44002, column 2 (externalCardId): is the id of the card in line 9")
    );
}

#[test]
fn profile_of_251_cards_is_refused_once() {
    let mut text = format!("{HEADER}\n");
    for serial in 0..300 {
        writeln!(text, "big,k{serial},5204740009900014,1,29,a@b.cz").unwrap();
    }
    assert_eq!(
        faults(text.as_bytes()),
        ["line 252, column 2 (externalCardId): is the 251st card of its profile; a profile has at most 250"]
    );
}

#[test]
fn profile_too_long_for_a_batch_is_refused() {
    let mut text = format!("{HEADER},addressLine1,addressLine2,addressLine3,addressCity\n");
    let line = "😀".repeat(100);
    for serial in 0..250 {
        writeln!(
            text,
            "big,k{serial},5204740009900014,1,29,a@b.cz,{line},{line},{line},{line}"
        )
        .unwrap();
    }
    let found = faults(text.as_bytes());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("begins beyond 256 KiB of its profile"),
        "{found:?}"
    );
}

#[test]
fn missing_quotation_mark_does_not_fill_the_memory() {
    let mut text = format!("{HEADER}\nc,k,5204740009900014,1,29,\"a@b.cz\n");
    for serial in 0..5000 {
        writeln!(text, "c{serial},k{serial},5204740009900014,1,29,a@b.cz").unwrap();
    }
    assert_eq!(
        faults(text.as_bytes()),
        ["line 2: is longer than 64 KiB; is a quotation mark missing?"]
    );
}

#[test]
fn file_that_is_cut_in_its_last_line_is_refused() {
    let whole = format!("{HEADER}\nc,k,5204740009900014,1,29,a@b.cz\nd,l,5204740009900022,1,29,\"b@c.cz\"");
    assert_eq!(faults(whole.as_bytes()), [""; 0]);
    let open = "line 3: has a quotation mark that is not closed at the end of the file";
    let cut = "line 3: may be cut off";
    for (lost, fault) in [
        (1, open),
        (7, open),
        (8, "line 3: has neither"),
        (9, cut),
        (10, cut),
        (20, cut),
    ] {
        let found = faults(&whole.as_bytes()[..whole.len() - lost]);
        assert!(
            found.iter().any(|found| found.starts_with(fault)),
            "{lost}: {found:?}"
        );
    }
    // An escaped quotation mark closes nothing.
    assert_eq!(faults(format!("{whole}\"").as_bytes()), [open]);
}

#[test]
fn half_of_a_year_at_the_end_is_refused() {
    let header = "externalConsumerId,externalCardId,primaryAccountNumber,emailAddress,panExpirationMonth,panExpirationYear";
    let row = "c,k,5204740009900014,a@b.cz,11,";
    let faults_at_end = |end: &str| faults(format!("{header}\n{row}{end}").as_bytes());
    assert_eq!(
        faults_at_end("20"),
        ["line 2: may be cut off; if it is complete, put a line end after it"]
    );
    for end in ["2031", "2031\n", "20\n", "31\r\n", "31\r"] {
        assert_eq!(faults_at_end(end), [""; 0], "{end:?}");
    }
}

#[test]
fn faults_are_listed_up_to_a_limit_and_counted() {
    let mut text = format!("{HEADER}\n");
    for serial in 0..500 {
        writeln!(text, "c{serial},k{serial},1234,1,29,a@b.cz").unwrap();
    }
    let faults = checked(text.as_bytes()).ok().and_then(Result::err);
    let counts = faults.map(|faults| (faults.listed().len(), faults.count()));
    assert_eq!(counts, Some((100, 500)));
}
