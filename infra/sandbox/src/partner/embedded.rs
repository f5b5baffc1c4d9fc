//! Pages that embed the widget, with the code beside it that embeds it there.

use std::sync::LazyLock;

use askama::Template;
use axum::Router;
use serde_json::Value;

use super::Partner;
use super::initialize::InitializeResponse;
use super::pages::{Row, script};
use std::sync::Arc;

const MODAL: &str = include_str!("../../assets/examples/modal.js");
const INLINE: &str = include_str!("../../assets/examples/inline.js");
const BY_HAND: &str = include_str!("../../assets/examples/by-hand.js");
const REACT: &str = include_str!("../../../../docs/examples/react/AddCard.tsx");
const REACT_NATIVE: &str = include_str!("../../../../docs/examples/react-native/CardEnrollment.tsx");
const ANDROID: &str = include_str!("../../../../docs/examples/android/CardEnrollment.kt");
const IOS: &str = include_str!("../../../../docs/examples/ios/CardEnrollment.swift");
const FLUTTER: &str = include_str!("../../../../docs/examples/flutter/card_enrollment.dart");

/// Versions of embed.js and their integrity values, as the product releases them.
const RELEASED: &str = include_str!("../../../../functions/widget-page/embed/released.json");

/// The scripts of the pages, which are the code that they show.
pub(super) fn router() -> Router<Arc<Partner>> {
    Router::new()
        .route("/assets/frame.js", script(include_str!("../../assets/frame.js")))
        .route("/assets/examples/modal.js", script(MODAL))
        .route("/assets/examples/inline.js", script(INLINE))
        .route("/assets/examples/by-hand.js", script(BY_HAND))
}

/// Way of embedding the widget.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By embed.js.
    Modal,
    /// By embed.js.
    Inline,
    ByHand,
    /// A frame in the shape of a phone.
    Phone,
}

/// Source code that a partner would copy.
struct Code {
    title: &'static str,
    text: String,
}

/// The latest embed.js.
struct EmbedScript {
    address: String,
    integrity: &'static str,
}

#[derive(Template)]
#[template(path = "embedded.html")]
pub(super) struct EmbeddedPage {
    way: Way,
    location: String,
    origin: String,
    outcome: String,
    script: EmbedScript,
    codes: Vec<Code>,
    cards: Vec<Row>,
}

impl EmbeddedPage {
    pub(super) fn new(
        way: Way,
        opened: InitializeResponse,
        location: String,
        partner: &Partner,
        cards: Vec<Row>,
    ) -> Self {
        let script = EmbedScript::latest(partner.initializer.base());
        Self {
            way,
            location,
            origin: partner.initializer.origin(),
            outcome: opened.enrollment_status.unwrap_or_default(),
            codes: way.codes(&script),
            script,
            cards,
        }
    }
}

impl Way {
    fn title(self) -> &'static str {
        match self {
            Self::Modal => "In a modal",
            Self::Inline => "In the page",
            Self::ByHand => "In an iframe",
            Self::Phone => "Like a WebView",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Modal => "embed.js opens the widget above the page. The promise has the outcome.",
            Self::Inline => "embed.js puts the widget into an element of the page and sizes it.",
            Self::ByHand => "A frame and its messages, without embed.js.",
            Self::Phone => {
                "A narrow iframe that looks like a phone. A real WebView would also have native bridges, which no page can \
                 imitate across origins."
            }
        }
    }

    fn uses_embed_script(self) -> bool {
        matches!(self, Self::Modal | Self::Inline)
    }

    /// Name and content of the script that embeds the widget.
    fn example(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Modal => Some(("modal.js", MODAL)),
            Self::Inline => Some(("inline.js", INLINE)),
            Self::ByHand => Some(("by-hand.js", BY_HAND)),
            Self::Phone => None,
        }
    }

    fn codes(self, embed: &EmbedScript) -> Vec<Code> {
        let code = |title, text: &str| Code {
            title,
            text: text.to_owned(),
        };
        let element = match self {
            Self::Modal => "<button id=\"add-card\" data-url=\"…the address…\">Add a card</button>",
            Self::Inline => "<div id=\"card\" data-url=\"…the address…\"></div>",
            Self::ByHand => {
                "<iframe id=\"widget\" title=\"Card enrollment\" data-src=\"…the address…\"\n        \
                 referrerpolicy=\"no-referrer\"></iframe>"
            }
            Self::Phone => {
                return vec![
                    code("React Native", REACT_NATIVE),
                    code("Android: WebView and Custom Tab", ANDROID),
                    code("iOS: WKWebView and the system’s browser", IOS),
                    code("Flutter", FLUTTER),
                ];
            }
        };
        let head = if self.uses_embed_script() {
            embed.element()
        } else {
            String::new()
        };
        let (_, example) = self.example().unwrap_or_default();
        let mut codes = vec![Code {
            title: "This page’s code",
            text: format!("{head}{element}\n<script type=\"module\">\n{example}</script>"),
        }];
        if self.uses_embed_script() {
            codes.push(code("The same in React", REACT));
        }
        codes
    }
}

impl EmbedScript {
    /// `base`: the product's address, without a slash at its end.
    fn latest(base: &str) -> Self {
        static LATEST: LazyLock<(String, String)> = LazyLock::new(|| latest_of(RELEASED).unwrap_or_default());
        let (version, integrity) = &*LATEST;
        Self {
            address: format!("{base}/widget/embed/{version}/embed.js"),
            integrity,
        }
    }

    fn element(&self) -> String {
        format!(
            "<script src=\"{}\" crossorigin=\"anonymous\"\n        integrity=\"{}\"></script>\n",
            self.address, self.integrity
        )
    }
}

/// The highest version and its integrity value.
fn latest_of(released: &str) -> Option<(String, String)> {
    let released: Value = serde_json::from_str(released).ok()?;
    let numbers =
        |version: &String| -> Vec<u32> { version.split('.').map(|part| part.parse().unwrap_or(0)).collect() };
    let (version, files) = released
        .as_object()?
        .iter()
        .max_by_key(|(version, _)| numbers(version))?;
    Some((version.clone(), files["embed.js"].as_str()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latest_version_is_the_highest_by_number() {
        let released =
            r#"{"1.10.0": {"embed.js": "b"}, "1.2.0": {"embed.js": "a"}, "1.9.3": {"embed.js": "c"}}"#;
        assert_eq!(latest_of(released), Some(("1.10.0".to_owned(), "b".to_owned())));
    }

    #[test]
    fn product_has_a_released_version() {
        let (version, integrity) = latest_of(RELEASED).unwrap();
        assert!(!version.is_empty() && integrity.starts_with("sha384-"));
    }
}
