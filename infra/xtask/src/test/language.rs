//! Lint for the language of code and documents: doc comments that can be skimmed, short names of tests, short lines in
//! Markdown, and references that resolve. `cargo xtask language` lists the findings.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::TestRun;
use crate::checkout::Checkout;
use crate::console;

mod doc_comments;
mod lines;
mod references;
mod test_names;
#[cfg(test)]
mod tests;

use references::Tree;

/// Endings of the files that people read and write.
const ENDINGS: [&str; 10] = [
    ".rs", ".md", ".py", ".js", ".mjs", ".toml", ".yaml", ".html", ".css", ".java",
];
/// Folders with files that tools make. Hidden ones are left out as well.
const GENERATED: [&str; 4] = ["target", "node_modules", "__pycache__", "dist"];

/// One file of the repository.
struct Source {
    /// Path from the root of the repository, with slashes.
    path: String,
    text: String,
}

/// One violation of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// Counted from 1.
    line: usize,
    rule: Rule,
    detail: String,
}

/// Rules of the lint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    DocOpener,
    TestName,
    LineLength,
    Reference,
}

impl Rule {
    const ALL: [Self; 4] = [Self::DocOpener, Self::TestName, Self::LineLength, Self::Reference];

    /// Name for people.
    const fn name(self) -> &'static str {
        match self {
            Self::DocOpener => "doc opener",
            Self::TestName => "test name",
            Self::LineLength => "line length",
            Self::Reference => "reference",
        }
    }
}

impl Source {
    fn finding(&self, line: usize, rule: Rule, detail: impl Into<String>) -> Finding {
        Finding {
            path: self.path.clone(),
            line,
            rule,
            detail: detail.into(),
        }
    }

    fn ends_with(&self, ending: &str) -> bool {
        self.path.ends_with(ending)
    }

    /// Lines with their numbers, counted from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

/// Fails on any finding.
pub(crate) fn check(run: &TestRun<'_>) -> Result<()> {
    let findings = findings(run.checkout.root())?;
    print_all(&findings);
    if !findings.is_empty() {
        bail!("{} findings in code and documents", findings.len());
    }
    Ok(())
}

/// `cargo xtask language`: prints the findings below the given paths, then the number of findings by folder and rule.
pub(crate) fn show(checkout: &Checkout, paths: &[String]) -> Result<()> {
    let mut findings = findings(checkout.root())?;
    let paths: Vec<_> = paths.iter().map(|path| path.trim_end_matches('/')).collect();
    findings.retain(|finding| paths.is_empty() || paths.iter().any(|path| is_below(&finding.path, path)));
    print_all(&findings);
    console::print(format_args!("{}", table(&findings)));
    Ok(())
}

fn print_all(findings: &[Finding]) {
    for finding in findings {
        console::print(format_args!(
            "{}:{}: {}: {}\n",
            finding.path,
            finding.line,
            finding.rule.name(),
            finding.detail
        ));
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Number of findings by folder and rule.
fn table(findings: &[Finding]) -> String {
    let mut folders: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
    for finding in findings {
        let rules = folders.entry(folder(&finding.path)).or_default();
        rules.push(finding.rule);
    }
    let all: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
    let rows = folders.iter().map(|(folder, rules)| row(folder, rules));
    let rows: String = rows.collect();
    format!("\n{}{rows}{}", header(), row("together", &all))
}

fn header() -> String {
    let columns = Rule::ALL.map(|rule| format!("{:>14}", rule.name()));
    format!("{:<32}{}\n", "", columns.concat())
}

fn row(name: &str, rules: &[Rule]) -> String {
    let number_of = |rule| rules.iter().filter(|broken| **broken == rule).count();
    let columns = Rule::ALL.map(|rule| format!("{:>14}", number_of(rule)));
    format!("{name:<32}{}\n", columns.concat())
}

/// First two folders of a path: those of a crate.
fn folder(path: &str) -> String {
    let folders: Vec<_> = path.split('/').collect();
    match folders.as_slice() {
        [top, below, _, ..] => format!("{top}/{below}"),
        [top, _] => (*top).to_owned(),
        _ => "(root)".to_owned(),
    }
}

/// All findings, by path and line.
fn findings(root: &Path) -> Result<Vec<Finding>> {
    let mut paths = Vec::new();
    list(root, "", &mut paths)?;
    paths.sort();
    let sources = paths
        .iter()
        .filter(|path| ENDINGS.iter().any(|ending| path.ends_with(ending)))
        .map(|path| {
            let text = fs::read_to_string(root.join(path)).with_context(|| format!("can't read {path}"))?;
            Ok(Source {
                path: path.clone(),
                text,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(findings_in(&sources, paths))
}

/// Findings in some files of a repository, of which all paths are given.
fn findings_in(sources: &[Source], paths: Vec<String>) -> Vec<Finding> {
    let tree = Tree::new(paths, sources);
    let mut findings = Vec::new();
    for source in sources {
        doc_comments::check(source, &mut findings);
        test_names::check(source, &mut findings);
        lines::check(source, &mut findings);
        references::check(source, &tree, &mut findings);
    }
    findings
        .sort_by(|one, other| (&one.path, one.line, one.rule).cmp(&(&other.path, other.line, other.rule)));
    findings
}

/// Adds the files below a folder, whose path from the root is `prefix`.
fn list(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("can't list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}{name}");
        if !entry.file_type()?.is_dir() {
            paths.push(path);
        } else if !GENERATED.contains(&name.as_str()) {
            list(&entry.path(), &format!("{path}/"), paths)?;
        }
    }
    Ok(())
}
