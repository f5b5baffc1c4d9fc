//! Addresses to which a customer's browser may be sent (`docs/contract.md#ways-on`).

use std::fmt;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::Url;

use super::origin::Origin;

/// Longest address, in characters.
pub const MAX_URL: usize = 2048;

/// Schemes that no target may have: they run a script, show the address's own content, read the device's files, or need an
/// origin. Every scheme that begins with [`REFUSED_PREFIXES`] is refused too.
const REFUSED_SCHEMES: [&str; 25] = [
    "javascript",
    "data",
    "blob",
    "file",
    "filesystem",
    "vbscript",
    "about",
    "http",
    "https",
    "ws",
    "wss",
    "ftp",
    "view-source",
    "content",
    "android-app",
    "jar",
    "resource",
    "mailto",
    "tel",
    "sms",
    "chrome",
    "edge",
    "opera",
    "livescript",
    "mocha",
];

/// Beginnings of the schemes of browsers' extensions.
const REFUSED_PREFIXES: [&str; 4] = ["chrome-", "moz-", "ms-browser-", "safari-"];

/// Target of `return_targets` in a client file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ReturnTarget {
    /// `https://www.bank.example`: every address of this origin.
    Origin(Origin),
    /// `com.bank.app:`: every address of this scheme, which an app has registered.
    Scheme(String),
    /// `intent:com.bank.app`: Android intents for this package alone.
    Package(String),
}

/// Text that is no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReturnTargetError {
    /// Neither of the three forms.
    #[error(
        "must be an origin like https://www.bank.example (http only for localhost), an app's scheme like com.bank.app:, or an \
         Android package like intent:com.bank.app"
    )]
    Form,
    /// A scheme that no target may have.
    #[error("has a scheme that no target may have: it is a browser's own, or could run a script")]
    Scheme,
    /// `intent:` alone.
    #[error("needs a package, like intent:com.bank.app: without one, any app could take the customer")]
    Package,
}

/// Address of a client's own start page, to which a page without a session leads: https, or http on localhost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HomeUrl(Url);

/// Text that is not the address of a start page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an https address of at most {MAX_URL} characters, without a user name (http only for localhost)"
)]
pub struct HomeUrlError;

impl ReturnTarget {
    /// Checks the syntax of a target. An origin is written exactly as browsers serialize it.
    ///
    /// # Errors
    /// On everything that is none of the three forms, and on a scheme that no target may have.
    pub fn parse(text: &str) -> Result<Self, ReturnTargetError> {
        if let Ok(origin) = Origin::registrable(text) {
            return Ok(Self::Origin(origin));
        }
        let (scheme, rest) = text.split_once(':').ok_or(ReturnTargetError::Form)?;
        if scheme == "intent" {
            return match rest {
                "" => Err(ReturnTargetError::Package),
                package if is_package(package) => Ok(Self::Package(package.to_owned())),
                _ => Err(ReturnTargetError::Form),
            };
        }
        if matches!(scheme, "http" | "https") {
            return Err(ReturnTargetError::Form);
        }
        if is_refused(scheme) {
            return Err(ReturnTargetError::Scheme);
        }
        if !is_scheme(scheme) || !rest.is_empty() {
            return Err(ReturnTargetError::Form);
        }
        Ok(Self::Scheme(scheme.to_owned()))
    }

    /// Whether a browser may be sent to `url`.
    fn allows(&self, url: &Url, all: &[Self]) -> bool {
        match self {
            Self::Origin(origin) => is_of(origin, url),
            Self::Scheme(scheme) => url.scheme() == scheme,
            Self::Package(package) => url.scheme() == "intent" && is_intent_for(package, url, all),
        }
    }
}

/// Reads an address, and returns it as a browser normalizes it; `None` where it is none of the `targets`. Blanks and control
/// characters, which browsers drop without a word, are refused.
pub fn read_return_url(text: &str, targets: &[ReturnTarget]) -> Option<Url> {
    if text
        .chars()
        .any(|character| character.is_whitespace() || character.is_control())
    {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_allowed = targets.iter().any(|target| target.allows(&url, targets));
    // Letters beyond ASCII take more room once they are percent-encoded.
    (is_allowed && url.as_str().len() <= MAX_URL).then_some(url)
}

impl HomeUrl {
    /// # Errors
    /// On every other text.
    pub fn parse(text: &str) -> Result<Self, HomeUrlError> {
        let url = Url::parse(text).map_err(|_| HomeUrlError)?;
        let is_registrable = origin_of(&url).is_some_and(|origin| Origin::registrable(&origin).is_ok());
        if is_registrable && url.as_str().len() <= MAX_URL {
            Ok(Self(url))
        } else {
            Err(HomeUrlError)
        }
    }

    /// Returns the address as browsers write it.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn is_of(origin: &Origin, url: &Url) -> bool {
    origin_of(url).is_some_and(|own| own == origin.as_str())
}

/// Origin of an address without a user name; `None` for `blob:https://…`, which has the origin of the address in it.
fn origin_of(url: &Url) -> Option<String> {
    let is_plain =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    is_plain.then(|| url.origin().ascii_serialization())
}

/// RFC 3986 §3.1, in lower case, as an address has it once it is read.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte))
}

fn is_refused(scheme: &str) -> bool {
    REFUSED_SCHEMES.contains(&scheme) || REFUSED_PREFIXES.iter().any(|prefix| scheme.starts_with(prefix))
}

/// Application id of Android: at least two segments, each of which starts with a letter.
fn is_package(text: &str) -> bool {
    let is_segment = |segment: &str| {
        segment.starts_with(|first: char| first.is_ascii_alphabetic())
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    text.len() <= 255 && text.contains('.') && text.split('.').all(is_segment)
}

/// Whether an address `intent://…#Intent;…;end` opens the app `package` and nothing else. Android reads the fragment behind the
/// last `#` (`Intent.parseUri`); the last of two packages would win there, `SEL` and `component` choose an activity by
/// themselves, and a browser opens `S.browser_fallback_url` where the app is missing.
fn is_intent_for(package: &str, url: &Url, targets: &[ReturnTarget]) -> bool {
    let Some(fields) = url
        .fragment()
        .and_then(|fragment| fragment.strip_prefix("Intent;")?.strip_suffix(";end"))
    else {
        return false;
    };
    let mut packages = 0;
    let is_known = |field: &str| {
        let Some((name, value)) = field.split_once('=') else {
            return false;
        };
        match name {
            "package" => {
                packages += 1;
                value == package
            }
            "scheme" => is_scheme(value) && !is_refused_for_app(value),
            "action" | "category" => is_package(value),
            "S.browser_fallback_url" => is_fallback(value, targets),
            _ => is_extra(name),
        }
    };
    !fields.contains('#') && fields.split(';').all(is_known) && packages == 1
}

/// Schemes that an intent's data may have: an app's own, and https, as App Links have it.
fn is_refused_for_app(scheme: &str) -> bool {
    scheme != "https" && is_refused(scheme)
}

/// `S.name`, `i.name`, …: a value for the app.
fn is_extra(name: &str) -> bool {
    name.split_once('.').is_some_and(|(kind, name)| {
        matches!(kind, "S" | "B" | "b" | "c" | "d" | "f" | "i" | "l" | "s")
            && !name.is_empty()
            && !name.starts_with("browser_fallback_url")
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    })
}

fn is_fallback(value: &str, targets: &[ReturnTarget]) -> bool {
    let Some(url) = percent_decode_str(value)
        .decode_utf8()
        .ok()
        .and_then(|text| Url::parse(&text).ok())
    else {
        return false;
    };
    targets
        .iter()
        .any(|target| matches!(target, ReturnTarget::Origin(origin) if is_of(origin, &url)))
}

impl fmt::Display for ReturnTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin(origin) => origin.fmt(formatter),
            Self::Scheme(scheme) => write!(formatter, "{scheme}:"),
            Self::Package(package) => write!(formatter, "intent:{package}"),
        }
    }
}

impl TryFrom<String> for ReturnTarget {
    type Error = ReturnTargetError;

    fn try_from(text: String) -> Result<Self, ReturnTargetError> {
        Self::parse(&text)
    }
}

impl From<ReturnTarget> for String {
    fn from(target: ReturnTarget) -> Self {
        target.to_string()
    }
}

impl TryFrom<String> for HomeUrl {
    type Error = HomeUrlError;

    fn try_from(text: String) -> Result<Self, HomeUrlError> {
        Self::parse(&text)
    }
}

impl From<HomeUrl> for String {
    fn from(home: HomeUrl) -> Self {
        home.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> Vec<ReturnTarget> {
        [
            "https://www.bank.example",
            "https://xn--bcher-kva.example",
            "https://other.example:8443",
            "com.bank.app:",
            "bank-app+test:",
            "intent:com.bank.app",
        ]
        .map(|text| ReturnTarget::parse(text).unwrap())
        .to_vec()
    }

    fn read(text: &str) -> Option<String> {
        read_return_url(text, &targets()).map(Into::into)
    }

    #[test]
    fn target_is_written_in_one_way() {
        for text in [
            "https://www.bank.example",
            "http://localhost:8701",
            "com.bank.app:",
            "bank:",
            "intent:com.bank.app",
        ] {
            assert_eq!(ReturnTarget::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "www.bank.example",
            "https://www.bank.example/",
            "https://www.bank.example/back",
            "https://www.bank.example:443",
            "https://WWW.bank.example",
            "https://user@www.bank.example",
            "https://*.bank.example",
            "https://bücher.example",
            "http://www.bank.example",
            "https:",
            "com.bank.app",
            "com.bank.app://",
            "Com.bank.app:",
            "1bank:",
            "bank app:",
            "intent:com",
            "intent:com..app",
            "intent:com.bank.app;x",
            "intent:*",
        ] {
            assert_eq!(ReturnTarget::parse(text), Err(ReturnTargetError::Form), "{text}");
        }
        for text in [
            "javascript:",
            "data:",
            "blob:",
            "file:",
            "vbscript:",
            "about:",
            "javascript:alert(1)",
            "view-source:",
            "chrome-extension:",
            "android-app:",
        ] {
            assert_eq!(
                ReturnTarget::parse(text),
                Err(ReturnTargetError::Scheme),
                "{text}"
            );
        }
        assert_eq!(ReturnTarget::parse("intent:"), Err(ReturnTargetError::Package));
    }

    #[test]
    fn address_of_a_target_is_normalized() {
        for (text, normal) in [
            ("https://www.bank.example", "https://www.bank.example/"),
            (
                "https://www.bank.example/a?b=c#d",
                "https://www.bank.example/a?b=c#d",
            ),
            ("HTTPS://WWW.BANK.EXAMPLE:443/A", "https://www.bank.example/A"),
            ("https:\\\\www.bank.example\\a", "https://www.bank.example/a"),
            ("https://other.example:8443/", "https://other.example:8443/"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("https://www.bank.example/ü", "https://www.bank.example/%C3%BC"),
            ("com.bank.app://return?id=1", "com.bank.app://return?id=1"),
            ("COM.BANK.APP:return", "com.bank.app:return"),
            ("bank-app+test:", "bank-app+test:"),
        ] {
            assert_eq!(read(text).as_deref(), Some(normal), "{text}");
        }
    }

    #[test]
    fn other_address_is_refused() {
        let long = format!("https://www.bank.example/{}", "ü".repeat(400));
        for text in [
            "",
            "/back",
            "//www.bank.example/",
            "www.bank.example",
            "http://www.bank.example/",
            "https://bank.example/",
            "https://www.bank.example./",
            "https://www.bank.example:8443/",
            "https://other.example/",
            "https://www.bank.example.evil.example/",
            "https://www.bank.example@evil.example/",
            "https://user@www.bank.example/",
            "https://user:pass@www.bank.example/",
            "https://:pass@www.bank.example/",
            "https://evil.example\\@www.bank.example/",
            "https://www.bank.example%2eevil.example/",
            "https://xn--bcher-kvb.example/",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\nscript:alert(1)",
            " https://www.bank.example/",
            "https://www.bank.example/\n",
            "https://www.bank.example/a b",
            "https://www.bank.example/\u{7f}",
            "data:text/html,x",
            "blob:https://www.bank.example/1",
            "filesystem:https://www.bank.example/t/1",
            "view-source:https://www.bank.example/",
            "about:blank",
            "com.bank.apps:x",
            "com.bank:x",
            "https://[::1]/",
            &long,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read_return_url("https://www.bank.example/", &[]), None);
    }

    #[test]
    fn intent_names_its_package_once() {
        for text in [
            "intent://return/#Intent;scheme=bank;package=com.bank.app;end",
            "intent:return#Intent;package=com.bank.app;end",
            "intent://return/#Intent;package=com.bank.app;action=android.intent.action.VIEW;S.id=a%20b;i.n=1;end",
            "intent://x/#Intent;package=com.bank.app;S.browser_fallback_url=https%3A%2F%2Fwww.bank.example%2Fapp;end",
            "intent://www.bank.example/#Intent;scheme=https;package=com.bank.app;end",
        ] {
            assert!(read(text).is_some(), "{text}");
        }
        for text in [
            "intent://return/",
            "intent://return/#Intent;scheme=bank;end",
            "intent://return/#Intent;package=com.evil.app;end",
            "intent://return/#Intent;package=com.bank.app;package=com.evil.app;end",
            "intent://return/#Intent;package=com.evil.app;package=com.bank.app;end",
            "intent://return/#Intent;package=com.bank.app",
            "intent://return/#Intent;package=com.bank.app;end;",
            "intent://return/#Intent;package=com.bank.app;;end",
            "intent://return/#x#Intent;package=com.bank.app;end",
            "intent://return/#Intent;package=com.bank.app;end#Intent;package=com.evil.app;end",
            "intent://return/#Intent;package=com.bank.app;component=com.evil.app/.Main;end",
            "intent://return/#Intent;package=com.bank.app;SEL;package=com.evil.app;end",
            "intent://return/#Intent;package=com.bank.app;scheme=javascript;end",
            "intent://return/#Intent;package=com.bank.app;launchFlags=0x10;end",
            "intent://return/#Intent;package=com%2Ebank.app;end",
            "intent://x/#Intent;package=com.bank.app;S.browser_fallback_url=https%3A%2F%2Fevil.example%2F;end",
            "intent://x/#Intent;package=com.bank.app;S.browser_fallback_url=javascript%3Aalert(1);end",
            "intent://x/#Intent;package=com.bank.app;S.browser_fallback_url=com.bank.app%3Ax;end",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        let without = [ReturnTarget::parse("com.bank.app:").unwrap()];
        let intent = "intent://return/#Intent;package=com.bank.app;end";
        assert_eq!(read_return_url(intent, &without), None);
    }

    #[test]
    fn home_is_https_or_on_localhost() {
        for text in ["https://www.bank.example/cards?a=b", "http://localhost:8701/"] {
            assert_eq!(HomeUrl::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "www.bank.example",
            "http://www.bank.example/",
            "https://user@www.bank.example/",
            "javascript:alert(1)",
            "com.bank.app:home",
            "blob:https://www.bank.example/1",
            &format!("https://www.bank.example/{}", "x".repeat(MAX_URL)),
        ] {
            assert_eq!(HomeUrl::parse(text), Err(HomeUrlError), "{text}");
        }
    }

    #[test]
    fn stored_text_is_checked() {
        let target = |stored: &str| serde_json::from_str::<ReturnTarget>(stored);
        assert!(target(r#""com.bank.app:""#).is_ok());
        assert!(target(r#""javascript:""#).is_err());
        assert!(serde_json::from_str::<HomeUrl>(r#""javascript:alert(1)""#).is_err());
    }
}
