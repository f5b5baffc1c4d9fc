//! Texts as the template prints them: with the language of those that are not in the page's.

use std::fmt;

use askama::filters::HtmlSafe;
use enrollment::texts::Texts;

/// Texts of one page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wording<'a>(pub(crate) &'a Texts);

impl<'a> Wording<'a> {
    /// Returns a text for the content of an element. A text in another language than the page's is wrapped in a `<span>` with
    /// `lang` and `dir`, for screen readers.
    pub(crate) fn text(self, path: &str) -> Phrase<'a> {
        let language = self.0.language_of(path);
        let is_fallback = language != self.0.language();
        Phrase {
            text: self.0.text(path),
            mark: is_fallback.then(|| (language.to_bcp47(), language.direction().as_str())),
        }
    }

    /// Returns a text for an attribute or for `<title>`, which can't have elements.
    pub(crate) fn plain(self, path: &str) -> &'a str {
        self.0.text(path)
    }
}

/// One text, escaped, with its language where that is not the page's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phrase<'a> {
    text: &'a str,
    /// Values of `lang` and `dir`.
    mark: Option<(String, &'static str)>,
}

impl fmt::Display for Phrase<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = askama::filters::escape(self.text, askama::filters::Html).map_err(|_| fmt::Error)?;
        match &self.mark {
            None => write!(formatter, "{text}"),
            Some((lang, dir)) => write!(formatter, "<span lang=\"{lang}\" dir=\"{dir}\">{text}</span>"),
        }
    }
}

/// The text is escaped above, and a language tag has letters, digits and hyphens only.
impl HtmlSafe for Phrase<'_> {}
