//! Sample events in `events/`: the deployed function of their folder answers each as `events/README.md` says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use flows::local_aws::invoke_with;
use serde_json::Value;

/// Address of the events under a base path, as in their stage variable.
const UNDER_BASE_PATH: &str = "https://cards.example.com/rewards";

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn each_is_answered_as_its_table_says() {
    let described = table();
    let files = files();
    assert_eq!(
        files.iter().collect::<Vec<_>>(),
        described.keys().collect::<Vec<_>>(),
        "the files, and those of the table"
    );
    for (file, expected) in &described {
        assert_answer(file, expected, &answer(file));
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn page_under_a_base_path_names_its_parts_there() {
    let page = answer("widget-page/page-under-base-path.json");
    let html = page["body"].as_str().unwrap();
    for address in [
        "\"/rewards/widget/assets/widget.",
        "\"api\":\"/rewards/widget/api\"",
    ] {
        assert!(html.contains(address), "{address} in {html}");
    }
    assert!(!html.contains("\"/widget/"), "{html}");
    let policy = header(&page, "content-security-policy");
    assert!(
        policy.contains("report-uri /rewards/widget/csp-report"),
        "{policy}"
    );

    // The part that it names is there, under the same base path.
    let script = html
        .split('"')
        .find(|word| {
            let is_script = Path::new(word).extension().is_some_and(|end| end == "js");
            is_script && word.contains("/widget/assets/widget.")
        })
        .unwrap();
    let mut event = event("widget-page/page-under-base-path.json");
    let part = script.strip_prefix("/rewards/widget/").unwrap();
    event["path"] = script.into();
    event["requestContext"]["path"] = script.into();
    event["pathParameters"]["proxy"] = part.into();
    let part = invoke_with("WidgetPage", &event.to_string());
    assert_eq!(part["statusCode"], 200, "{part}");
    assert!(header(&part, "content-type").starts_with("text/javascript"));
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn base_path_leads_to_the_page_there() {
    let opening = answer("widget-init/unknown-client-under-base-path.json");
    let location = header(&opening, "location");
    assert!(
        location.starts_with(&format!("{UNDER_BASE_PATH}/widget/_/#status=ACCESS_DENIED")),
        "{location}"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn parts_of_a_repeated_parameter_are_one_choice() {
    let page = answer("widget-page/page-percent-encoded.json");
    let plain = answer("widget-page/page.json");
    assert_eq!(page["body"], plain["body"], "the first of the two languages");
}

fn assert_answer(file: &str, expected: &str, answer: &Value) {
    if let Some(status) = expected.get(..3).and_then(|digits| digits.parse::<u16>().ok()) {
        assert_eq!(answer["statusCode"], status, "{file}: {answer}");
        if let Some((_, rest)) = expected.split_once("`Enrollment-Status: ") {
            let status = rest.split('`').next().unwrap();
            assert_eq!(header(answer, "enrollment-status"), status, "{file}");
        }
        return;
    }
    let again: Vec<&str> = answer["batchItemFailures"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|failure| failure["itemIdentifier"].as_str())
        .collect();
    let messages: Vec<String> = event(file)["Records"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|record| record["messageId"].as_str().unwrap().to_owned())
        .collect();
    match expected.split([':', ',']).next().unwrap() {
        "`null`" => assert_eq!(*answer, Value::Null, "{file}"),
        "no message is returned to the queue" => assert!(again.is_empty(), "{file}: {answer}"),
        "the message is returned to the queue" => assert_eq!(again, messages, "{file}"),
        "the first message is returned to the queue" => assert_eq!(again, messages[..1], "{file}"),
        other => panic!("{file}: events/README.md says '{other}', which this test does not know"),
    }
}

fn header<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer["headers"][name]
        .as_str()
        .or_else(|| answer["multiValueHeaders"][name][0].as_str())
        .unwrap_or_else(|| panic!("{name} in {answer}"))
}

fn answer(file: &str) -> Value {
    let folder = file.split('/').next().unwrap();
    // `widget-init` is `WidgetInit` in the template.
    let function: String = folder
        .split('-')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect();
    invoke_with(&function, &event(file).to_string())
}

fn event(file: &str) -> Value {
    let text = fs::read_to_string(folder().join(file)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// File and answer of each row: `| `enroll/a.json`, `enroll/b.json` | answer |`.
fn table() -> BTreeMap<String, String> {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let rows = readme.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let files = cells.next()?.to_owned();
        let answer = cells.next()?.trim_end_matches(" |").to_owned();
        Some((files, answer))
    });
    rows.flat_map(|(files, answer)| {
        let names: Vec<_> = files
            .split(", ")
            .map(|name| name.trim_matches('`').to_owned())
            .collect();
        names.into_iter().map(move |name| (name, answer.clone()))
    })
    .collect()
}

fn files() -> Vec<String> {
    let names = |folder: PathBuf| {
        let entries = fs::read_dir(&folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<_>>()
    };
    let mut files: Vec<String> = names(folder())
        .into_iter()
        .filter(|name| folder().join(name).is_dir())
        .flat_map(|function| {
            let events = names(folder().join(&function));
            events.into_iter().map(move |event| format!("{function}/{event}"))
        })
        .collect();
    files.sort();
    files
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events")
}
