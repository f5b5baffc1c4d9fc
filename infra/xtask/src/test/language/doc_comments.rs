//! Doc comments open with a noun or a verb.

use super::{Finding, Rule, Source};

/// Words that begin a subordinate clause or a question, which a reader can't skim.
const OPENERS: [&str; 8] = ["What", "Whose", "Whom", "Who", "When", "Where", "How", "Why"];

/// Checks every line of a doc comment. Where no sentence begins with the line, such a word is in lower case.
pub(super) fn check(source: &Source, findings: &mut Vec<Finding>) {
    if !source.ends_with(".rs") {
        return;
    }
    for (number, line) in source.lines() {
        let line = line.trim_start();
        let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            continue;
        };
        let word = text.strip_prefix(' ').unwrap_or(text);
        let word = word.split(|letter: char| !letter.is_alphanumeric()).next();
        if let Some(word) = word.filter(|word| OPENERS.contains(word)) {
            findings.push(source.finding(number, Rule::DocOpener, format!("a doc line opens with {word:?}")));
        }
    }
}
