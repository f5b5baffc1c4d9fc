//! References lead to files and headings of the repository, and cite no document from outside by number.

use std::collections::{BTreeMap, BTreeSet};

use super::lines::outside_code_blocks;
use super::{Finding, Rule, Source};

/// Citations of documents that the repository does not have. Written with escapes, or this file would be found.
const OUTSIDE: [&str; 4] = [
    "behavior \u{a7}",
    "behaviour \u{a7}",
    "behaviour\u{2e}md",
    "document \u{30}0",
];
/// Endings by which a path without a folder of the root is taken for one of the repository.
const ENDINGS: [&str; 6] = [".rs", ".py", ".js", ".mjs", ".md", ".yaml"];

/// All paths of the repository, and the headings of its documents.
pub(super) struct Tree {
    /// Files and folders.
    paths: BTreeSet<String>,
    /// Folders of the root.
    top: BTreeSet<String>,
    /// Anchors of each Markdown file.
    anchors: BTreeMap<String, BTreeSet<String>>,
}

impl Tree {
    pub(super) fn new(files: Vec<String>, sources: &[Source]) -> Self {
        let mut paths = BTreeSet::new();
        let mut top = BTreeSet::new();
        for file in files {
            for (at, _) in file.match_indices('/') {
                paths.insert(file.split_at(at).0.to_owned());
            }
            if let Some((folder, _)) = file.split_once('/') {
                top.insert(folder.to_owned());
            }
            paths.insert(file);
        }
        let documents = sources.iter().filter(|source| source.ends_with(".md"));
        let anchors = documents.map(|source| (source.path.clone(), anchors(source)));
        Self {
            paths,
            top,
            anchors: anchors.collect(),
        }
    }

    /// Path in the repository of a file or folder that is written as `path` in a file of `folder`.
    fn resolve(&self, folder: &str, path: &str) -> Option<String> {
        let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        let path = parts.join("/");
        (path.is_empty() || self.paths.contains(&path)).then_some(path)
    }

    /// As [`Tree::resolve`], from the folder or any above it: a crate's documents name its files without the crate.
    fn resolve_upwards(&self, folder: &str, path: &str) -> Option<String> {
        let mut folder = folder;
        loop {
            if let Some(path) = self.resolve(folder, path) {
                return Some(path);
            }
            if folder.is_empty() {
                return None;
            }
            folder = parent(folder);
        }
    }

    /// Whether a path is short for a file: `docs/adr/0007`.
    fn has_prefix(&self, path: &str) -> bool {
        let next = self.paths.range(path.to_owned()..).next();
        next.and_then(|next| next.strip_prefix(path))
            .is_some_and(|rest| rest.starts_with(['-', '.']))
    }

    /// Whether some file's path ends with this one.
    fn has_suffix(&self, path: &str) -> bool {
        let below = format!("/{path}");
        self.paths.iter().any(|present| present.ends_with(&below))
    }

    fn lacks_anchor(&self, document: &str, anchor: &str) -> bool {
        !anchor.is_empty()
            && self
                .anchors
                .get(document)
                .is_some_and(|anchors| !anchors.contains(anchor))
    }
}

pub(super) fn check(source: &Source, tree: &Tree, findings: &mut Vec<Finding>) {
    for (number, line) in source.lines() {
        for outside in OUTSIDE.iter().filter(|outside| line.contains(*outside)) {
            let detail = format!("{outside:?} cites a document that the repository does not have");
            findings.push(source.finding(number, Rule::Reference, detail));
        }
    }
    let mut dangling = BTreeSet::new();
    for (number, text) in prose(source) {
        for path in paths(text) {
            if let Some(detail) = dangles(source, tree, path) {
                dangling.insert((number, detail));
            }
        }
    }
    for (number, text) in linking(source) {
        for target in links(text) {
            if let Some(detail) = link_dangles(source, tree, target) {
                dangling.insert((number, detail));
            }
        }
    }
    for (number, detail) in dangling {
        findings.push(source.finding(number, Rule::Reference, detail));
    }
}

/// Lines of documents and comments.
fn prose(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    source.lines().filter(|(_, line)| {
        let line = line.trim_start();
        match source.path.rsplit('.').next() {
            Some("md") => true,
            Some("py" | "toml" | "yaml") => line.starts_with('#'),
            _ => ["//", "*", "/*"].iter().any(|mark| line.starts_with(mark)),
        }
    })
}

/// Lines whose links are followed.
fn linking(source: &Source) -> Vec<(usize, &str)> {
    if source.ends_with(".md") {
        outside_code_blocks(source).collect()
    } else if source.ends_with(".rs") {
        prose(source).collect()
    } else {
        Vec::new()
    }
}

/// A word that may be a path.
#[derive(Clone, Copy)]
struct Word<'a> {
    path: &'a str,
    /// Whether it stands alone between backticks.
    quoted: bool,
    /// Whether a placeholder or a pattern follows.
    is_open: bool,
}

/// Words with a slash.
fn paths(line: &str) -> impl Iterator<Item = Word<'_>> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "_./#-".contains(letter);
    let mut rest = line;
    let mut before = None;
    std::iter::from_fn(move || {
        let start = rest.find(is_part)?;
        before = rest.split_at(start).0.chars().last().or(before);
        let text = rest.split_at(start).1;
        let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
        let (path, after) = text.split_at(end);
        rest = after;
        let word = Word {
            path: path.trim_end_matches(['.', '-', '#']),
            quoted: before == Some('`') && after.starts_with('`'),
            is_open: after.starts_with(['*', '<', '{', '$', '…', '['])
                || before.is_some_and(|mark| "*>}$:@~\\".contains(mark)),
        };
        before = path.chars().last();
        Some(word)
    })
    .filter(|word| word.path.contains('/'))
}

/// Says why a path of the repository leads nowhere.
fn dangles(source: &Source, tree: &Tree, word: Word<'_>) -> Option<String> {
    let (path, anchor) = word.path.split_once('#').unwrap_or((word.path, ""));
    let (first, _) = path.split_once('/')?;
    let is_of_root = tree.top.contains(first);
    let is_file = word.quoted && ENDINGS.iter().any(|ending| path.ends_with(ending));
    if word.is_open || first.is_empty() || first.starts_with('.') || !(is_of_root || is_file) {
        return None;
    }
    let path = path.trim_end_matches('/');
    if let Some(file) = tree.resolve_upwards(parent(&source.path), path) {
        let lacks = tree.lacks_anchor(&file, anchor);
        return lacks.then(|| format!("{file} has no anchor {anchor:?}"));
    }
    let exists = tree.has_prefix(path) || tree.has_suffix(path);
    (!exists).then(|| format!("{path} does not exist"))
}

/// Targets of links that are not addresses, outside of code font.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let line_links = line.match_indices("](").filter_map(|(at, mark)| {
        let (before, rest) = line.split_at(at);
        let in_code = before.matches('`').count() % 2 == 1;
        let target = rest.strip_prefix(mark)?.split(')').next()?;
        let target = target.split(' ').next()?;
        (!in_code).then_some(target)
    });
    line_links.filter(|target| !target.contains(':'))
}

/// Says why a relative link leads nowhere. In Rust a link may name an item, too: rustdoc checks those.
fn link_dangles(source: &Source, tree: &Tree, target: &str) -> Option<String> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    if source.ends_with(".rs") && !path.contains(".md") {
        return None;
    }
    let file = if path.is_empty() {
        source.path.clone()
    } else {
        match tree.resolve(parent(&source.path), path) {
            Some(file) => file,
            None => return Some(format!("the link {target} leads nowhere")),
        }
    };
    let lacks = tree.lacks_anchor(&file, anchor);
    lacks.then(|| format!("{file} has no anchor {anchor:?}"))
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Anchors of a document: of its headings as GitHub makes them, and `id`s written as HTML.
fn anchors(source: &Source) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for (_, line) in outside_code_blocks(source) {
        for attribute in ["id=\"", "name=\""] {
            let ids = line.split(attribute).skip(1);
            anchors.extend(ids.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let anchor = anchor(heading.trim());
        let numbered = (1..).map(|number| format!("{anchor}-{number}"));
        let unused = std::iter::once(anchor.clone())
            .chain(numbered)
            .find(|anchor| !anchors.contains(anchor));
        anchors.extend(unused);
    }
    anchors
}

/// Anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let mut text = String::new();
    let mut rest = heading;
    // Of a link its text.
    while let Some((before, link)) = rest.split_once("](") {
        text.push_str(before);
        rest = link.split_once(')').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let kept = text
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter })
        .flat_map(char::to_lowercase)
        .collect()
}
