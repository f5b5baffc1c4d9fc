//! Lines in Markdown are short, so that changes can be read. Tables count: a cell that needs a paragraph is a section.

use super::{Finding, Rule, Source};

/// Longest line, in characters.
const LONGEST: usize = 140;

pub(super) fn check(source: &Source, findings: &mut Vec<Finding>) {
    if !source.ends_with(".md") {
        return;
    }
    for (number, line) in outside_code_blocks(source) {
        let length = line.chars().count();
        if length > LONGEST && !is_link(line) {
            let detail = format!("{length} characters, {LONGEST} at most");
            findings.push(source.finding(number, Rule::LineLength, detail));
        }
    }
}

/// Lines of a Markdown file without its fenced code blocks.
pub(super) fn outside_code_blocks(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    let mut fence = None;
    source.lines().filter(move |(_, line)| {
        let line = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| line.starts_with(mark));
        match (fence, mark) {
            (None, None) => true,
            (None, Some(mark)) => {
                fence = Some(mark);
                false
            }
            (Some(open), _) => {
                if mark == Some(open) {
                    fence = None;
                }
                false
            }
        }
    })
}

/// Whether a line is nothing but a link, an image or an address, which can't be broken.
fn is_link(line: &str) -> bool {
    let item = line.trim().trim_start_matches(['-', '*', ' ']);
    let is_address = item.starts_with("http") || item.starts_with("<http");
    if is_address && !item.contains(' ') {
        return true;
    }
    let Some(text) = item.strip_prefix('!').unwrap_or(item).strip_prefix('[') else {
        return false;
    };
    match text.split_once("](") {
        Some((_, target)) => target.find(')').is_some_and(|end| end + 1 == target.len()),
        // `[name]: address`
        None => text.contains("]: "),
    }
}
