//! Texts and keys of an HTML template.

use std::collections::BTreeSet;

/// Attributes whose values customers see or hear.
const VISIBLE: [&str; 6] = [
    "alt",
    "title",
    "placeholder",
    "aria-label",
    "aria-description",
    "aria-roledescription",
];

/// One template.
pub(super) struct Template {
    /// Keys that it prints.
    pub(super) paths: BTreeSet<String>,
    /// Texts without a key, each with its place.
    pub(super) literals: Vec<String>,
}

impl Template {
    pub(super) fn parse(name: &str, html: &str) -> Self {
        let quoted = |rest: &str| Some(rest.strip_prefix('"')?.split_once('"')?.0.to_owned());
        let paths = ["texts.text(", "texts.plain("]
            .iter()
            .flat_map(|call| html.split(call).skip(1))
            .filter_map(quoted)
            .collect();
        let mut literals = Vec::new();
        let markup = without_expressions(html);
        let mut line = 1;
        for (index, part) in markup.split('<').enumerate() {
            let (tag, text) = match (index, part.split_once('>')) {
                (0, _) => ("", part),
                (_, Some((tag, text))) => (tag, text),
                (_, None) => (part, ""),
            };
            for value in VISIBLE.iter().filter_map(|attribute| value(tag, attribute)) {
                note(name, line, value, &mut literals);
            }
            line += lines(tag);
            for (offset, text) in text.split('\n').enumerate() {
                note(name, line + offset, text, &mut literals);
            }
            line += lines(text);
        }
        Self { paths, literals }
    }
}

/// Notes a text that has words.
fn note(name: &str, line: usize, text: &str, literals: &mut Vec<String>) {
    let text = text.trim();
    let without_entities = text
        .split('&')
        .enumerate()
        .map(|(index, part)| match part.split_once(';') {
            Some((_, rest)) if index > 0 => rest,
            _ => part,
        });
    if without_entities
        .collect::<String>()
        .chars()
        .any(char::is_alphabetic)
    {
        literals.push(format!("{name}:{line}: '{text}'"));
    }
}

/// Returns the value of an attribute in a tag.
fn value<'a>(tag: &'a str, attribute: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {attribute}=\""))? + attribute.len() + 3;
    tag[start..].split('"').next()
}

fn lines(text: &str) -> usize {
    text.matches('\n').count()
}

/// Returns the template without expressions, statements, comments and what is between `<style>` or `<script>` and their ends. Line
/// breaks stay. What is printed inside a tag is replaced by nothing, so that an attribute with an expression is empty.
fn without_expressions(html: &str) -> String {
    let mut left = html.to_owned();
    for (start, end) in [
        ("{#", "#}"),
        ("{{", "}}"),
        ("{%", "%}"),
        ("<style>", "</style>"),
        ("<script", "</script>"),
    ] {
        let mut rest = left.as_str();
        let mut kept = String::new();
        while let Some(at) = rest.find(start) {
            kept.push_str(&rest[..at]);
            let until = rest[at..]
                .find(end)
                .map_or(rest.len(), |length| at + length + end.len());
            kept.push_str(&"\n".repeat(lines(&rest[at..until])));
            rest = &rest[until..];
        }
        left = kept + rest;
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(html: &str) -> Vec<String> {
        Template::parse("page.html", html).literals
    }

    #[test]
    fn expressions_and_punctuation_are_no_texts() {
        let html = r#"<!doctype html><title>{{ texts.plain("a.b") }} – {{ c }}</title>
{%- macro icon(name) -%}<svg viewBox="0 0 24 24"><path d="M2 10h19"/></svg>{%- endmacro -%}
{# Becomes visible. #}<style>{{ style|safe }}</style><script src="{{ x }}" integrity="y"></script>
<img alt=""> <a aria-label="{{ document }}">(••••&nbsp;{{ d }})</a>: <p class="title" title="{{ e }}"></p>"#;
        assert_eq!(literals(html), Vec::<String>::new());
        let paths = Template::parse("page.html", html).paths;
        assert_eq!(paths.into_iter().collect::<Vec<_>>(), ["a.b"]);
    }

    #[test]
    fn words_in_text_and_attributes_are_found() {
        let html =
            "<p>\n{{ a }} and\n</p>\n<img alt=\"Logo\"\n src=\"x\"><button aria-label=\"Close\">×</button>";
        assert_eq!(
            literals(html),
            [
                "page.html:2: 'and'",
                "page.html:4: 'Logo'",
                "page.html:5: 'Close'"
            ]
        );
    }
}
