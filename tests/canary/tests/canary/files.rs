//! The files of the run: logs, keys, the state of the local AWS with its objects, pictures, temporary files.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use flows::stack::Stack;
use serde_json::Value;

use crate::tests::Trace;

/// Installed tools, and what they build.
const TOOLS: [&str; 5] = ["venv", "npm", "tools", "fuzz", "node_modules"];
/// Sample card file, for people who try the demo: test cards and made-up persons.
const SAMPLE: &str = "demo/batch.csv";
/// Start of a program: ELF, and its kind. A memory dump is ELF too, and is searched.
const PROGRAM: &[u8] = b"\x7fELF";
const KIND: usize = 16;
const MEMORY_DUMP: u8 = 4;

pub(crate) fn traces() -> Vec<Trace> {
    let mut files = Vec::new();
    list(&Stack::here().file(""), &mut files);
    files
        .iter()
        .filter_map(|file| {
            // Some are gone by now: the local AWS works on.
            let content = fs::read(file).ok().filter(|content| !is_program(content))?;
            if file.ends_with(SAMPLE) {
                return None;
            }
            let is_demo = file.ends_with("demo/demo.json");
            Some(Trace {
                place: file.to_string_lossy().into_owned(),
                content: if is_demo {
                    without_test_cards(&content)
                } else {
                    content
                },
            })
        })
        .collect()
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let is_tool = TOOLS.iter().any(|tool| entry.file_name() == OsStr::new(tool));
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !is_tool => list(&entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}

/// A program was compiled before the run; the stand-in's has the table of its test cards in it.
fn is_program(content: &[u8]) -> bool {
    content.starts_with(PROGRAM) && content.get(KIND) != Some(&MEMORY_DUMP)
}

/// `demo.json` names cards, for people who try the demo.
fn without_test_cards(demo: &[u8]) -> Vec<u8> {
    let mut demo: Value = serde_json::from_slice(demo).expect("demo.json is JSON");
    let field = demo.as_object_mut().and_then(|demo| demo.remove("testCard"));
    assert!(field.is_some(), "demo.json has no test card any more");
    let issuer = demo.get_mut("issuer").and_then(Value::as_object_mut);
    let cards = issuer.and_then(|issuer| issuer.remove("cards"));
    assert!(
        cards.is_some(),
        "demo.json has no test cards of the issuer any more"
    );
    demo.to_string().into_bytes()
}
