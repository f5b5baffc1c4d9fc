//! The page of one client in one language.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use enrollment::client::{Frame, Look, Origin, Theme};
use enrollment::language::Direction;
use enrollment::texts::Texts;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::headers::{self, Headers, Policy};
use crate::parts::{self, Part};
use crate::pictures::{BACKDROP_SIZES, Image, LOGO_SIZES};
use crate::style::PageStyle;
use crate::wording::Wording;
use platform::public_base_url::BasePath;

/// The slug of the page that belongs to no client: it shows failures of tokens whose client is unknown.
pub const NEUTRAL_SLUG: &str = "_";

/// Content of a page and its partners in communication. It knows no session: the page is the same for everyone.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// The client's name in addresses; `_` for the neutral page.
    pub slug: &'a str,
    /// The client's name for people; may be empty.
    pub client_name: &'a str,
    /// Start page of the client, to which a page without a session leads.
    pub home_url: Option<&'a str>,
    /// Texts in the language of the page, with the names of client and program.
    pub texts: &'a Texts,
    /// The client's.
    pub look: &'a Look,
    /// Choices of the request.
    pub view: View,
    /// Origins that may frame the page and receive its events.
    pub embed_origins: &'a [Origin],
    /// Base path of the service.
    pub base: &'a BasePath,
}

/// Choices of one request, each of a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct View {
    /// Surroundings of the page.
    pub theme: Theme,
    /// Whether the page brings its own sheet.
    pub frame: Frame,
    /// Whether the browser says that it loads the page into a frame. The script finds out too.
    pub is_framed: bool,
}

/// Look of a page that belongs to no client.
static NEUTRAL_LOOK: LazyLock<Look> = LazyLock::new(Look::default);

/// Page with its headers, ready to be sent.
#[derive(Debug, Clone)]
pub struct RenderedPage {
    /// The body.
    pub html: String,
    /// The version, in quotes, as in the header of that name.
    pub etag: String,
    /// All headers, `etag` among them; they go with a 304 as well.
    pub headers: Headers,
}

/// The page could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A slug or picture name that cannot stand in an address.
    #[error("the slug or a picture's name has characters that it must not have")]
    UnusableName,
    /// The template failed.
    #[error("the template could not be rendered")]
    Template(#[from] askama::Error),
}

impl<'a> Page<'a> {
    /// The page for failures without a known client: a neutral look, and never framed.
    pub fn neutral(texts: &'a Texts, base: &'a BasePath, view: View) -> Self {
        Self {
            slug: NEUTRAL_SLUG,
            client_name: "",
            home_url: None,
            texts,
            look: &NEUTRAL_LOOK,
            view,
            embed_origins: &[],
            base,
        }
    }

    /// Renders the page and the headers that belong to it.
    ///
    /// # Errors
    /// On a slug or picture name that can't stand in an address, and on a failure of the template.
    pub fn render(&self) -> Result<RenderedPage, RenderError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let mut names = std::iter::once(self.slug).chain(self.look.pictures());
        if names.any(|name| name.is_empty() || !name.bytes().all(plain)) {
            return Err(RenderError::UnusableName);
        }

        let style = PageStyle::of(self.look, self.view.theme);
        let style_hash = style
            .css()
            .map(|style| format!("sha256-{}", STANDARD.encode(Sha256::digest(style))));
        let language = self.texts.language().to_bcp47();
        let html = Markup {
            language: &language,
            direction: self.texts.language().direction(),
            client_name: self.client_name,
            texts: Wording(self.texts),
            view: self.view,
            style: style.css(),
            header: Header::of(self, &style),
            backdrop: self.backdrop(),
            favicon: self.look.favicon.as_deref().map(|hash| self.image(hash, 0).src),
            base: self.base.as_str(),
            configuration: self.configuration(),
            script_part: parts::SCRIPT,
            style_part: parts::STYLE,
            icon_part: parts::ICON,
        }
        .render()?;

        // The policy is no function of the HTML alone, hence its place in the version.
        let policy = Policy {
            embed_origins: self.embed_origins,
            style_hash: style_hash.as_deref(),
            base: self.base,
        };
        let version = Sha256::new()
            .chain_update(&html)
            .chain_update(policy.value())
            .finalize();
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&version[..16]));
        let headers = headers::page(&policy, &language, &etag);
        Ok(RenderedPage { html, etag, headers })
    }

    /// A frame has the background of the page around it.
    fn backdrop(&self) -> Option<Image> {
        let is_shown = self.view.frame == Frame::Card && !self.view.is_framed;
        let hash = self.look.background.as_deref().filter(|_| is_shown)?;
        Some(self.image(hash, 1280))
    }

    fn image(&self, hash: &str, fallback: u32) -> Image {
        let folder = format!("{}/widget/{}/pictures", self.base.as_str(), self.slug);
        Image::of(self.look, hash, &folder, fallback)
    }

    /// The data block that the script reads (`page/src/configuration.js`).
    fn configuration(&self) -> String {
        let fallbacks = self.texts.fallbacks().into_iter().map(|(language, texts)| {
            json!({"lang": language.to_bcp47(), "dir": language.direction().as_str(), "texts": texts})
        });
        let mut configuration = json!({
            "api": format!("{}/widget/api", self.base.as_str()),
            "client": self.client_name,
            "origins": self.embed_origins,
            "language": self.texts.language().to_bcp47(),
            "texts": self.texts.as_json(),
            "fallbacks": fallbacks.collect::<Vec<_>>(),
        });
        if let Some(home_url) = self.home_url {
            configuration["homeUrl"] = home_url.into();
        }
        // A `<` could end the element, or begin a comment in it.
        configuration.to_string().replace('<', "\\u003c")
    }
}

/// Pictures of the header.
#[derive(Debug, Clone)]
struct Header {
    logo: Option<Image>,
    /// Logo in dark surroundings, where the browser chooses the theme.
    dark_logo: Option<Image>,
    /// Whether the logo needs a light plate in dark surroundings: it was drawn for light ones.
    is_plated: bool,
    has_mastercard: bool,
}

impl Header {
    fn of(page: &Page<'_>, style: &PageStyle) -> Self {
        let Page { look, view, .. } = page;
        let is_shown = view.frame == Frame::Card;
        let logo = |hash: &Option<String>| {
            let hash = hash.as_deref().filter(|_| is_shown)?;
            Some(page.image(hash, 280))
        };
        let (light, dark) = (logo(&look.logo), logo(&look.logo_dark));
        let is_plated = dark.is_none() && !style.has_one_palette();
        let (logo, dark_logo) = match view.theme {
            Theme::Auto => (
                light.clone().or_else(|| dark.clone()),
                dark.filter(|_| light.is_some()),
            ),
            Theme::Light => (light, None),
            Theme::Dark => (dark.or(light), None),
        };
        Self {
            logo,
            dark_logo,
            is_plated,
            has_mastercard: !look.hides_mastercard,
        }
    }
}

#[derive(Template)]
#[template(path = "page.html")]
struct Markup<'a> {
    language: &'a str,
    direction: Direction,
    client_name: &'a str,
    texts: Wording<'a>,
    view: View,
    style: Option<&'a str>,
    header: Header,
    backdrop: Option<Image>,
    favicon: Option<String>,
    base: &'a str,
    configuration: String,
    script_part: Part,
    style_part: Part,
    icon_part: Part,
}

impl Markup<'_> {
    fn address(&self, part: &Part) -> String {
        format!("{}/widget/assets/{}", self.base, part.name)
    }

    /// Value of `<meta name="color-scheme">`: canvas and controls before the stylesheet is there.
    fn color_scheme(&self) -> &'static str {
        match self.view.theme {
            Theme::Auto => "light dark",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

#[cfg(test)]
mod tests {
    use enrollment::client::Palette;
    use enrollment::language::Language;
    use enrollment::texts::Layer;
    use serde_json::Value;

    use super::*;

    const HASH: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";

    struct Fixture {
        texts: Texts,
        base: BasePath,
        origins: Vec<Origin>,
        look: Look,
    }

    impl Fixture {
        fn new() -> Self {
            Self {
                texts: Texts::merged(&Language::parse("en_US").unwrap(), &[]),
                base: BasePath::of("https://enroll.example/test").unwrap(),
                origins: vec![Origin::parse("https://bank.example").unwrap()],
                look: Look {
                    logo: Some(HASH.into()),
                    background: Some(HASH.into()),
                    colors: Palette::parse([("accent", "#cf4500")]).unwrap(),
                    ..Look::default()
                },
            }
        }

        fn page(&self) -> Page<'_> {
            Page {
                slug: "demo",
                client_name: "Demo Bank",
                home_url: Some("https://bank.example/cards"),
                texts: &self.texts,
                look: &self.look,
                view: View::default(),
                embed_origins: &self.origins,
                base: &self.base,
            }
        }
    }

    fn header<'a>(rendered: &'a RenderedPage, name: &str) -> &'a str {
        rendered
            .headers
            .iter()
            .find(|(header, _)| *header == name)
            .map(|(_, value)| value.as_str())
            .unwrap()
    }

    fn configuration(html: &str) -> Value {
        let (_, block) = html.split_once("id=\"configuration\">").unwrap();
        serde_json::from_str(block.split_once("</script>").unwrap().0).unwrap()
    }

    #[test]
    fn page_has_look_of_client_and_parts_with_integrity() {
        let html = Fixture::new().page().render().unwrap().html;
        for expected in [
            "<html lang=\"en-US\" dir=\"ltr\" data-theme=\"auto\" data-frame=\"card\">",
            "<meta name=\"color-scheme\" content=\"light dark\">",
            "<style>:root:root:root{--enroll-accent:#cf4500;}@media (prefers-color-scheme:dark){",
            &format!("<img class=\"logo plated\" src=\"/test/widget/demo/pictures/{HASH}.png\" alt=\"\""),
            "– Demo Bank</title>",
            "<p class=\"client\">Demo Bank</p>",
            &format!("<img class=\"backdrop\" src=\"/test/widget/demo/pictures/{HASH}.png\" alt=\"\""),
            &format!(
                "<script src=\"/test/widget/assets/{}\" integrity=\"{}\"></script>",
                parts::SCRIPT.name,
                parts::SCRIPT.integrity
            ),
            &format!(
                "<link rel=\"stylesheet\" href=\"/test/widget/assets/{}\" integrity=\"{}\">",
                parts::STYLE.name,
                parts::STYLE.integrity
            ),
            "<noscript>",
        ] {
            assert!(html.contains(expected), "{expected}\nin\n{html}");
        }
    }

    #[test]
    fn the_policy_allows_the_very_style_that_the_page_has() {
        let rendered = Fixture::new().page().render().unwrap();
        let (_, rest) = rendered.html.split_once("<style>").unwrap();
        let style = rest.split_once("</style>").unwrap().0;
        let hash = STANDARD.encode(Sha256::digest(style));
        assert!(
            header(&rendered, "content-security-policy")
                .contains(&format!("style-src 'self' 'sha256-{hash}'"))
        );
    }

    #[test]
    fn nothing_in_the_page_needs_an_inline_script_or_style() {
        let html = Fixture::new().page().render().unwrap().html;
        assert!(!html.contains(" style=\""));
        let attributes = html.split("=\"").filter_map(|before| before.rsplit(' ').next());
        assert!(
            !attributes.into_iter().any(|name| name.starts_with("on")),
            "no event handlers"
        );
        assert_eq!(
            html.matches("<script").count(),
            2,
            "the script and the data block"
        );
        assert_eq!(html.matches("<style").count(), 1);
    }

    #[test]
    fn a_translation_cannot_break_out_of_the_page() {
        let hostile = "</script><img src=x onerror=alert(1)>\"'&<!--";
        let own = json!({"register": {"tittle": hostile, "confirm": hostile}});
        let english = Language::english();
        for language in ["en", "sw"] {
            let mut fixture = Fixture::new();
            let own = [Layer::of_client(&english, &own)];
            fixture.texts = Texts::merged(&Language::parse(language).unwrap(), &own);
            let page = Page {
                client_name: hostile,
                ..fixture.page()
            };
            let html = page.render().unwrap().html;
            assert!(!html.contains("<img src=x"));
            assert_eq!(configuration(&html)["texts"]["register"]["tittle"], hostile);
        }
    }

    #[test]
    fn texts_in_another_language_say_so() {
        let mut fixture = Fixture::new();
        let own = json!({"register": {"confirm": "أضف"}});
        let arabic = Language::parse("ar").unwrap();
        fixture.texts = Texts::merged(
            &Language::parse("sw").unwrap(),
            &[Layer::of_client(&arabic, &own)],
        );
        let html = fixture.page().render().unwrap().html;
        for expected in [
            "<span lang=\"ar\" dir=\"rtl\">أضف</span>",
            "<h1 tabindex=\"-1\"><span lang=\"en\" dir=\"ltr\">One moment…</span></h1>",
        ] {
            assert!(html.contains(expected), "{expected}\nin\n{html}");
        }
        assert!(
            !html.contains("=\"<span") && !html.contains("<title><span"),
            "{html}"
        );
        let configuration = configuration(&html);
        assert_eq!(configuration["language"], "sw");
        let marked = json!({"lang": "ar", "dir": "rtl", "texts": ["register.confirm"]});
        assert_eq!(configuration["fallbacks"][0], marked);
        assert_eq!(configuration["fallbacks"][1]["lang"], "en");
    }

    #[test]
    fn texts_in_the_language_of_the_page_are_not_marked() {
        let html = Fixture::new().page().render().unwrap().html;
        assert!(!html.contains("<span lang="));
        assert_eq!(configuration(&html)["fallbacks"], json!([]));
    }

    #[test]
    fn the_script_is_told_where_to_call_whom_to_tell_and_the_texts() {
        let fixture = Fixture::new();
        let configuration = configuration(&fixture.page().render().unwrap().html);
        assert_eq!(configuration["api"], "/test/widget/api");
        assert_eq!(configuration["origins"], json!(["https://bank.example"]));
        assert_eq!(&configuration["texts"], fixture.texts.as_json());
        assert_eq!(configuration["client"], "Demo Bank");
        assert_eq!(configuration["homeUrl"], "https://bank.example/cards");
    }

    #[test]
    fn every_text_of_the_template_exists() {
        let english = Texts::english();
        let template = include_str!("../templates/page.html");
        let paths: Vec<_> = template
            .split(['(', ')'])
            .filter_map(|argument| argument.strip_prefix('"')?.strip_suffix('"'))
            .filter(|path| path.contains('.') || *path == "read_more")
            .collect();
        assert!(paths.len() > 20);
        for path in paths {
            assert!(!english.text(path).is_empty(), "{path}");
        }
    }

    #[test]
    fn a_right_to_left_language_is_written_so() {
        let mut fixture = Fixture::new();
        fixture.texts = Texts::merged(&Language::parse("ar").unwrap(), &[]);
        let html = fixture.page().render().unwrap().html;
        assert!(html.contains("<html lang=\"ar\" dir=\"rtl\" "));
    }

    #[test]
    fn the_neutral_page_has_no_client_and_no_frame() {
        let fixture = Fixture::new();
        let rendered = Page::neutral(&fixture.texts, &fixture.base, View::default())
            .render()
            .unwrap();
        assert!(header(&rendered, "content-security-policy").contains("frame-ancestors 'none'"));
        for absent in [
            "<style",
            "class=\"logo\"",
            "class=\"client\"",
            "class=\"backdrop\"",
        ] {
            assert!(!rendered.html.contains(absent), "{absent}");
        }
        assert_eq!(configuration(&rendered.html)["origins"], json!([]));
        assert_eq!(configuration(&rendered.html).get("homeUrl"), None);
    }

    #[test]
    fn the_version_changes_with_the_page_and_with_its_policy_only() {
        let fixture = Fixture::new();
        let version = |page: Page<'_>| page.render().unwrap().etag;
        let first = version(fixture.page());
        assert_eq!(first, version(fixture.page()));
        assert_ne!(
            first,
            version(Page {
                client_name: "Other",
                ..fixture.page()
            })
        );
        assert_ne!(
            first,
            version(Page {
                embed_origins: &[],
                ..fixture.page()
            })
        );
    }

    #[test]
    fn unusable_name_is_refused() {
        let fixture = Fixture::new();
        for slug in ["", "a/b", "a\"b", "..", "a b"] {
            assert!(
                matches!(
                    Page {
                        slug,
                        ..fixture.page()
                    }
                    .render(),
                    Err(RenderError::UnusableName)
                ),
                "{slug}"
            );
        }
        assert!(
            Page {
                look: &Look {
                    logo: Some("../x".into()),
                    ..Look::default()
                },
                ..fixture.page()
            }
            .render()
            .is_err()
        );
    }

    #[test]
    fn view_is_in_the_document() {
        let fixture = Fixture::new();
        let render = |view: View| {
            Page {
                view,
                ..fixture.page()
            }
            .render()
            .unwrap()
        };
        let dark = render(View {
            theme: Theme::Dark,
            ..View::default()
        });
        assert!(dark.html.contains("data-theme=\"dark\""));
        assert!(
            dark.html
                .contains("<meta name=\"color-scheme\" content=\"dark\">")
        );
        assert!(!dark.html.contains("prefers-color-scheme"), "the page chose");
        let framed = render(View {
            is_framed: true,
            ..View::default()
        });
        assert!(!framed.html.contains("class=\"backdrop\"") && framed.html.contains("class=\"logo"));
        let plain = render(View {
            frame: Frame::Plain,
            ..View::default()
        });
        assert!(plain.html.contains("data-frame=\"plain\""));
        for absent in ["class=\"backdrop\"", "class=\"logo"] {
            assert!(!plain.html.contains(absent), "{absent}");
        }
        let etags = [&dark, &framed, &plain].map(|rendered| rendered.etag.clone());
        assert!(etags[0] != etags[1] && etags[1] != etags[2] && etags[0] != etags[2]);
        for rendered in [&dark, &framed, &plain] {
            let style = rendered.html.split_once("<style>").unwrap().1;
            let hash = STANDARD.encode(Sha256::digest(style.split_once("</style>").unwrap().0));
            assert!(header(rendered, "content-security-policy").contains(&format!("'sha256-{hash}'")));
        }
    }

    #[test]
    fn logo_follows_the_theme() {
        let dark_hash = HASH.replace('0', "f");
        let mut fixture = Fixture::new();
        fixture.look.logo_dark = Some(dark_hash.clone());
        let html = |theme| {
            Page {
                view: View {
                    theme,
                    ..View::default()
                },
                ..fixture.page()
            }
            .render()
            .unwrap()
            .html
        };
        let image = |hash: &str| format!("<img class=\"logo\" src=\"/test/widget/demo/pictures/{hash}.png\"");
        let auto = html(Theme::Auto);
        let source = format!(
            "<source media=\"(prefers-color-scheme:dark)\" srcset=\"/test/widget/demo/pictures/{dark_hash}.png\""
        );
        assert!(auto.contains(&image(HASH)) && auto.contains(&source), "{auto}");
        assert!(html(Theme::Light).contains(&image(HASH)) && !html(Theme::Light).contains(&dark_hash));
        assert!(html(Theme::Dark).contains(&image(&dark_hash)) && !html(Theme::Dark).contains("<source"));
    }

    #[test]
    fn mastercard_mark_may_be_left_out() {
        let mut fixture = Fixture::new();
        assert!(fixture.page().render().unwrap().html.contains("<header>"));
        fixture.look.hides_mastercard = true;
        let html = fixture.page().render().unwrap().html;
        assert!(html.contains("<header class=\"unmarked\">"), "{html}");
    }

    #[test]
    fn own_icon_replaces_the_plain_one() {
        let mut fixture = Fixture::new();
        let plain = fixture.page().render().unwrap().html;
        assert!(plain.contains("<link rel=\"icon\" type=\"image/svg+xml\""));
        fixture.look.favicon = Some(HASH.into());
        let own = fixture.page().render().unwrap().html;
        let link =
            format!("<link rel=\"icon\" type=\"image/png\" href=\"/test/widget/demo/pictures/{HASH}.png\">");
        assert!(own.contains(&link) && !own.contains("image/svg+xml"), "{own}");
    }
}
