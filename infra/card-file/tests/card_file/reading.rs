//! Card files as spreadsheets and programs write them.

use card_file::{CardFile, CardIdName, Faults, FileError, Layout, Window};
use proptest::prelude::*;
use serde_json::json;
use std::fmt::Write as _;

use crate::support::{Folder, HEADER, LIMITS, cards, checked, faults, list, number, windows};

const COLUMNS: [&str; 6] = [
    "externalConsumerId",
    "externalCardId",
    "primaryAccountNumber",
    "panExpirationMonth",
    "panExpirationYear",
    "firstName",
];

/// The same two lines with a delimiter, a line end, and quotation marks around every field or none.
fn table(delimiter: &str, line_end: &str, quote: &str) -> String {
    let mut text = String::new();
    let rows = [
        [&COLUMNS[..], &["emailAddress"]].concat(),
        vec![
            "anna",
            "anna-1",
            "5204 7400 0990 0014",
            "1",
            "2029",
            "Anna \u{2013} Žofie",
            "a@example.com",
        ],
        vec!["anna", "anna-2", "5204740009900022", "12", "30", "", ""],
    ];
    for row in rows {
        let row: Vec<String> = row.iter().map(|field| format!("{quote}{field}{quote}")).collect();
        text.push_str(&row.join(delimiter));
        text.push_str(line_end);
    }
    text
}

fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(unit).collect()
}

fn contents(content: &[u8]) -> Vec<serde_json::Value> {
    let folder = Folder::new();
    let file = folder.file(content);
    let found = faults(content);
    assert!(found.is_empty(), "{found:?}");
    windows(&file, &Layout::default(), &LIMITS)
        .into_iter()
        .flatten()
        .map(|batch| batch.content)
        .collect()
}

#[test]
fn all_spellings_of_a_table_are_equal() {
    let expected = json!({"consumers": [{
        "externalConsumerId": "anna",
        "consumerIdentity": {"identityType": "EMAIL_ADDRESS", "identityValue": "a@example.com"},
        "firstName": "Anna – Žofie",
        "cards": [
            {"externalCardId": "anna-1", "primaryAccountNumber": "5204740009900014",
             "panExpirationMonth": "01", "panExpirationYear": "2029"},
            {"externalCardId": "anna-2", "primaryAccountNumber": "5204740009900022",
             "panExpirationMonth": "12", "panExpirationYear": "2030"},
        ],
    }]});
    let mut written = vec![
        table(",", "\n", "").into_bytes(),
        table(";", "\r\n", "").into_bytes(),
        table("\t", "\r\n", "").into_bytes(),
        table(",", "\r\n", "\"").into_bytes(),
        format!("\u{feff}{}", table(";", "\r\n", "\"")).into_bytes(),
        format!("sep=;\r\n{}", table(";", "\r\n", "")).into_bytes(),
        format!("\u{feff}sep=,\n{}", table(",", "\n", "")).into_bytes(),
        // Without a line end at the end, and with lines whose cells were emptied.
        table(";", "\n", "").trim_end().as_bytes().to_vec(),
        format!("{};;;;;;\r\n\r\n;;\r\n", table(";", "\r\n", "")).into_bytes(),
        utf_16(&table("\t", "\r\n", ""), u16::to_le_bytes),
        utf_16(&table("\t", "\r\n", ""), u16::to_be_bytes),
        utf_16(&table(",", "\n", "\""), u16::to_le_bytes),
    ];
    let headers = table(",", "\n", "").replacen("externalCardId", "External_Card ID", 1);
    written.push(headers.replacen("firstName", "FIRST-NAME", 1).into_bytes());
    written.push(
        table(",", "\n", "")
            .replacen("externalCardId", "externalCredentialId", 1)
            .into_bytes(),
    );
    for content in written {
        assert_eq!(
            contents(&content),
            std::slice::from_ref(&expected),
            "{}",
            String::from_utf8_lossy(&content)
        );
    }
}

#[test]
fn every_column_has_its_member() {
    let text = "externalConsumerId;externalCardId;primaryAccountNumber;panExpirationMonth;panExpirationYear;cardholderFullName;emailAddress;\
        mobileCountryCode;mobilePhoneNumber;firstName;lastName;countryCode;languageCode;addressLine1;addressLine2;addressLine3;\
        addressCity;addressState;addressPostalCode;addressCountryCode\r\n\
        c1;k1;5204740009900014;07;2031;ZOE O'HARA;o'hara@example.com;420;601123456;\"Zoë \"\"Z\"\"\";O'Hara\\;CZ;cs;Dlouhá 1;2;;Praha;;110 00;CZ\r\n";
    let expected = json!({"consumers": [{
        "externalConsumerId": "c1",
        "consumerIdentity": {"identityType": "EMAIL_ADDRESS", "identityValue": "o'hara@example.com"},
        "mobileNumber": {"countryCode": "420", "phoneNumber": "601123456"},
        "firstName": "Zoë \"Z\"", "lastName": "O'Hara\\", "countryCode": "CZ", "languageCode": "cs",
        "cards": [{"externalCardId": "k1", "primaryAccountNumber": "5204740009900014",
                   "panExpirationMonth": "07", "panExpirationYear": "2031", "cardholderFullName": "ZOE O'HARA",
                   "billingAddress": {"line1": "Dlouhá 1", "line2": "2", "city": "Praha", "zip": "110 00",
                                      "countryCode": "CZ"}}],
    }]});
    assert_eq!(contents(text.as_bytes()), [expected]);
}

#[test]
fn successor_has_its_name_of_a_card_id() {
    let folder = Folder::new();
    let file = folder.file(format!("{HEADER}\nc,k,{},1,29,a@b.cz\n", number(5204, 1)).as_bytes());
    let layout = Layout {
        card_id_name: CardIdName::ExternalCredentialId,
        ..Layout::default()
    };
    let mut file = CardFile::open(&file, &layout).unwrap();
    let (mut window, mut faults) = (Window::new(), Faults::up_to(1));
    assert!(file.next_window(&mut window, &mut faults).unwrap());
    let plans = window.plan(&LIMITS);
    let mut content = card_file::Plaintext::default();
    window.write_content(&plans[0], &mut content);
    let content: serde_json::Value = serde_json::from_slice(&content).unwrap();
    assert_eq!(content["consumers"][0]["cards"][0]["externalCredentialId"], "k");
    assert!(!file.next_window(&mut window, &mut faults).unwrap());
}

#[test]
fn unusable_files_are_refused_by_their_reason() {
    let rows = format!("{HEADER}\nc,k,{},1,29,a@b.cz\n", number(5204, 1));
    let mut broken = utf_16(&rows, u16::to_le_bytes);
    broken.pop();
    let without_mark: Vec<u8> = rows.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(Vec<u8>, &str); 11] = [
        (b"".to_vec(), "is empty"),
        (b"\xef\xbb\xbf".to_vec(), "is empty"),
        (b"\n\r\n".to_vec(), "is empty"),
        (without_mark, "has zero bytes"),
        (broken, "is damaged UTF-16"),
        (b"PK\x03\x04xlsx".to_vec(), "is a spreadsheet"),
        (
            rows.replace('\n', "\r").into_bytes(),
            "has lines that end in CR alone",
        ),
        (
            format!("c,k,{},1,29\n", number(5204, 1)).into_bytes(),
            "has no header",
        ),
        (
            rows.replacen("emailAddress", "e-mail", 1).into_bytes(),
            "has an unknown name in its header, column 6",
        ),
        (
            rows.replacen("panExpirationYear,", "", 1).into_bytes(),
            "has no column panExpirationYear",
        ),
        (
            rows.replacen("emailAddress", "external card id", 1).into_bytes(),
            "has the column externalCardId twice",
        ),
    ];
    for (content, expected) in cases {
        let told = checked(&content).unwrap_err().to_string();
        assert!(told.starts_with(expected), "{told}, expected {expected}");
        assert!(!told.contains("5204"), "{told}");
    }
    let missing = CardFile::open("/nowhere/cards.csv".as_ref(), &Layout::default());
    assert!(matches!(missing.err().unwrap(), FileError::Unreadable(_)));
}

#[test]
fn digest_is_that_of_the_whole_file() {
    let content = table(",", "\n", "");
    let checked = checked(content.as_bytes()).unwrap().unwrap();
    let expected = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content.as_bytes());
    assert_eq!(checked.digest.0, expected.as_ref());
    assert_eq!(
        (checked.cards, checked.profiles, checked.windows.len()),
        (2, 1, 1)
    );
}

#[test]
fn lines_are_those_of_an_editor() {
    // A quoted line break, a blank line, CRLF and LF: the lines of the cards as an editor shows them.
    let folder = Folder::new();
    let card = number(5204, 1);
    let text =
        format!("{HEADER}\r\na,1,{card},1,29,a@b.cz\r\n\r\n\nb,2,{card},1,29,a@b.cz\nc,3,{card},1,29,a@b.cz");
    let file = folder.file(text.as_bytes());
    let all: Vec<u64> = windows(&file, &Layout::default(), &LIMITS)
        .into_iter()
        .flatten()
        .flat_map(|batch| batch.lines)
        .collect();
    assert_eq!(all, [2, 5, 6]);
    let text = format!("{HEADER},firstName\na,1,{card},1,29,a@b.cz,\"x\ny\"\nb,2,{card},13,29,a@b.cz,z\n");
    assert_eq!(
        faults(text.as_bytes()),
        [
            "line 2, column 7 (firstName): contains a line break or another control character",
            "line 4, column 4 (panExpirationMonth): is not a month from 1 to 12",
        ]
    );
}

#[test]
fn pieces_of_any_file_fit_together() {
    // Longer than the read buffer, with fields across its borders; UTF-16 too.
    let mut text = format!("{HEADER},firstName\n");
    for serial in 0..3000 {
        write!(
            text,
            "c{serial},k{serial},{},1,29,a@b.cz,\"Ž–😀 {serial}\"\r\n",
            number(5204, serial)
        )
        .unwrap();
    }
    for content in [text.clone().into_bytes(), utf_16(&text, u16::to_be_bytes)] {
        let folder = Folder::new();
        let file = folder.file(&content);
        let found: Vec<(u64, String)> = windows(&file, &Layout::default(), &LIMITS)
            .iter()
            .flatten()
            .flat_map(|batch| {
                let names = list(&batch.content["consumers"])
                    .iter()
                    .map(|consumer| consumer["firstName"].to_string());
                batch.lines.iter().copied().zip(names).collect::<Vec<_>>()
            })
            .collect();
        let mut sorted = found.clone();
        sorted.sort();
        let expected: Vec<(u64, String)> = (0..3000)
            .map(|serial| (serial + 2, format!("\"Ž–😀 {serial}\"")))
            .collect();
        assert_eq!(sorted, expected);
    }
}

#[test]
fn manifest_has_the_order_of_the_content() {
    let mut text = format!("{HEADER}\n");
    for serial in 0..700 {
        let consumer = serial / 3;
        writeln!(
            text,
            "c{consumer},k{serial},{},1,29,a@b.cz",
            number(52_040_000 + serial % 5, serial)
        )
        .unwrap();
    }
    let folder = Folder::new();
    for batch in windows(&folder.file(text.as_bytes()), &Layout::default(), &LIMITS)
        .iter()
        .flatten()
    {
        let in_manifest: Vec<String> = list(&batch.manifest)
            .iter()
            .flat_map(|profile| list(&profile["cards"]))
            .map(|card| card["externalCardId"].as_str().unwrap().to_owned())
            .collect();
        let in_content: Vec<&str> = cards(batch)
            .iter()
            .map(|card| card["externalCardId"].as_str().unwrap())
            .collect();
        let by_line: Vec<String> = batch.lines.iter().map(|line| format!("k{}", line - 2)).collect();
        assert_eq!(
            (&in_manifest, &in_manifest),
            (&by_line, &in_content.iter().map(ToString::to_string).collect())
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_read_or_refused(
        rows in "(c[0-9]?[,;\t\"]?|k[0-9]?,|5204740009900014,|,|\"|;|\r?\n|\u{feff}|é|\0|1,29,a@b.cz){0,60}",
        cut in any::<proptest::sample::Index>(),
        is_utf_16: bool,
    ) {
        let text = format!("{HEADER}\n{rows}");
        let mut content = if is_utf_16 { utf_16(&text, u16::to_le_bytes) } else { text.into_bytes() };
        content.truncate(cut.index(content.len()) + 1);
        let folder = Folder::new();
        let file = folder.file(&content);
        if let Ok(Ok(checked)) = checked(&content) {
            let found = windows(&file, &Layout::default(), &LIMITS);
            let cards: usize = found.iter().flatten().map(|batch| batch.lines.len()).sum();
            prop_assert_eq!(cards as u64, checked.cards);
        }
    }
}
