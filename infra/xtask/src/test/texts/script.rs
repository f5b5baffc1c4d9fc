//! Texts and words of a script of the page.

use std::collections::BTreeSet;

/// Endings of code before a string that customers see.
const SHOWN: [&str; 8] = [
    "textContent =",
    "innerText =",
    "title =",
    "placeholder =",
    "ariaLabel =",
    "announce(",
    "alert(",
    ".append(",
];
/// Endings of code before a string with words that customers don't see.
const HIDDEN: [&str; 2] = ["Error(", ".rel ="];

/// One script.
#[derive(Default)]
pub(super) struct Script {
    /// Identifiers, and words in strings.
    pub(super) words: BTreeSet<String>,
    /// Beginning and end of words that are put together, `card_number_${problem}`.
    pub(super) patterns: Vec<(String, String)>,
    /// Texts without a key, each with its place.
    pub(super) literals: Vec<String>,
}

impl Script {
    pub(super) fn parse(name: &str, code: &str) -> Self {
        let mut script = Self::default();
        let mut line = 1;
        let mut before = String::new();
        for token in tokens(code) {
            match token {
                Token::Code(code) => {
                    script.add_words(code);
                    before.push_str(code);
                }
                Token::Comment(_) => {}
                Token::Text(text) => {
                    if is_visible(&before, text) {
                        script.literals.push(format!("{name}:{line}: '{text}'"));
                    }
                    script.add_text(text);
                    before.push('"');
                }
            }
            line += token.text().matches('\n').count();
        }
        script
    }

    fn add_words(&mut self, code: &str) {
        let words = code.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        self.words
            .extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
    }

    /// Adds the words of a string, and of the expressions in it.
    fn add_text(&mut self, text: &str) {
        if let Some((start, rest)) = text.split_once("${")
            && let Some((expression, end)) = rest.rsplit_once('}')
        {
            let is_part = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            if !expression.contains("${") && is_part(start) && is_part(end) && start.len() + end.len() > 0 {
                self.patterns.push((start.to_owned(), end.to_owned()));
            }
        }
        self.add_words(text);
    }
}

/// Whether customers read a string: one that is shown, or one with two words after another.
fn is_visible(before: &str, text: &str) -> bool {
    let before = before.trim_end();
    let mut outside = String::new();
    for (index, part) in text.split("${").enumerate() {
        outside.push_str(if index == 0 {
            part
        } else {
            part.split_once('}').map_or("", |(_, rest)| rest)
        });
        outside.push('$');
    }
    let is_word = |word: &&str| word.len() > 1 && word.chars().all(char::is_alphabetic);
    let words: Vec<&str> = outside
        .split(' ')
        .map(|word| word.trim_end_matches(['.', ',', '!', '?', '…', '$']))
        .collect();
    let is_sentence = words.windows(2).any(|pair| pair.iter().all(is_word));
    let has_letters = outside.chars().any(char::is_alphabetic);
    !HIDDEN.iter().any(|ending| before.ends_with(ending))
        && (is_sentence || has_letters && SHOWN.iter().any(|ending| before.ends_with(ending)))
}

/// A part of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Code(&'a str),
    Comment(&'a str),
    /// Content of a string, without its quotes.
    Text(&'a str),
}

impl<'a> Token<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Code(text) | Self::Comment(text) | Self::Text(text) => text,
        }
    }
}

/// Cuts a script into comments, strings and the code between.
fn tokens<'a>(code: &'a str) -> Vec<Token<'a>> {
    let mut tokens = Vec::new();
    let (mut start, mut at) = (0, 0);
    let bytes = code.as_bytes();
    while at < bytes.len() {
        let rest = &code[at..];
        let (length, token): (usize, fn(&'a str) -> Token<'a>) = match bytes[at] {
            b'/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), Token::Comment),
            b'/' if rest.starts_with("/*") => {
                (rest.find("*/").map_or(rest.len(), |end| end + 2), Token::Comment)
            }
            b'/' if begins_pattern(&code[..at]) => (end_of(rest, b'/') + 1, Token::Comment),
            quote @ (b'"' | b'\'' | b'`') => (end_of(rest, quote) + 1, |quoted| {
                Token::Text(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default())
            }),
            _ => {
                at += 1;
                continue;
            }
        };
        let end = (at + length).min(code.len());
        tokens.extend([Token::Code(&code[start..at]), token(&code[at..end])]);
        (start, at) = (end, end);
    }
    tokens.push(Token::Code(&code[start..]));
    tokens
}

/// Whether a `/` after this code begins a regular expression, not a division.
fn begins_pattern(before: &str) -> bool {
    let before = before.trim_end();
    before.is_empty()
        || before.ends_with(['(', ',', '=', ':', '[', '!', '&', '|', '?', '{', '}', ';', '>'])
        || before.ends_with("return")
}

/// Index of the end of a string or regular expression that begins with `quote`; escaped quotes and strings within the
/// expressions of a template are part of it.
fn end_of(text: &str, quote: u8) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    let mut is_class = false;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'[' if quote == b'/' => is_class = true,
            b']' if quote == b'/' => is_class = false,
            b'$' if quote == b'`' && bytes.get(at + 1) == Some(&b'{') => {
                at = end_of_expression(text, at + 2);
                continue;
            }
            byte if byte == quote && !is_class => return at,
            _ => {}
        }
        at += 1;
    }
    text.len().saturating_sub(1)
}

/// Index behind the `}` of an expression in a template string.
fn end_of_expression(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (from, 1);
    while at < bytes.len() && depth > 0 {
        match bytes[at] {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            quote @ (b'"' | b'\'' | b'`') => at += end_of(&text[at..], quote),
            _ => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(code: &str) -> Vec<String> {
        Script::parse("a.js", code).literals
    }

    #[test]
    fn names_and_selectors_are_no_texts() {
        let code = r#"
            import { a } from "./a.js";
            select(document, "[data-screen=form] .info", HTMLElement);
            throw new Error(`the page has no ${name}`);
            link.rel = "noopener noreferrer";
            const DIGITS = /['"`]\/ a b/g;
            if (kind === "nothing" && other === "kept") element.textContent = texts.a;
            element.textContent = `${title} – ${name}`;
        "#;
        assert_eq!(literals(code), Vec::<String>::new());
    }

    #[test]
    fn shown_words_and_sentences_are_found() {
        let code = "announce(\"Wait\");\nconst text = 'One moment';\nnote.textContent = `${count} tries`;\nx.title = \"A\"";
        assert_eq!(
            literals(code),
            [
                "a.js:1: 'Wait'",
                "a.js:2: 'One moment'",
                "a.js:3: '${count} tries'",
                "a.js:4: 'A'"
            ]
        );
    }

    #[test]
    fn words_are_those_of_code_and_strings() {
        let script = Script::parse(
            "a.js",
            "// comment\n/* block */ call(`x_${f(`y`)}`, \"z w\", /regex/);",
        );
        for word in ["call", "x_", "f", "y", "z", "w"] {
            assert!(script.words.contains(word), "{word}");
        }
        for word in ["comment", "block", "regex"] {
            assert!(!script.words.contains(word), "{word}");
        }
        assert_eq!(script.patterns, [("x_".to_owned(), String::new())]);
    }
}
