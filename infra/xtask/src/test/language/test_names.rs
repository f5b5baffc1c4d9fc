//! Names of tests in Rust and Python are short.

use super::{Finding, Rule, Source};

/// Longest name, in characters.
const LONGEST: usize = 60;

pub(super) fn check(source: &Source, findings: &mut Vec<Finding>) {
    let names = if source.ends_with(".rs") {
        rust(source)
    } else if source.ends_with(".py") {
        python(source)
    } else {
        return;
    };
    for (number, name) in names {
        let length = name.chars().count();
        if length > LONGEST {
            let detail = format!("{length} characters, {LONGEST} at most: {name}");
            findings.push(source.finding(number, Rule::TestName, detail));
        }
        for apostrophe in ["_s_", "_t_"] {
            if name.contains(apostrophe) {
                let detail = format!("{apostrophe} stands for an apostrophe: {name}");
                findings.push(source.finding(number, Rule::TestName, detail));
            }
        }
    }
}

/// Functions below an attribute that makes them tests.
fn rust(source: &Source) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    let mut is_test = false;
    for (number, line) in source.lines() {
        let line = line.trim_start();
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(name) = function(line).filter(|_| is_test) {
            names.push((number, name));
            is_test = false;
        }
    }
    names
}

fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ").map(identifier)
}

fn python(source: &Source) -> Vec<(usize, &str)> {
    let tests = source.lines().filter_map(|(number, line)| {
        let line = line.trim_start();
        let line = line.strip_prefix("async ").unwrap_or(line);
        let name = identifier(line.strip_prefix("def ")?);
        name.starts_with("test_").then_some((number, name))
    });
    tests.collect()
}

fn identifier(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    text.split_at(end.unwrap_or(text.len())).0
}
