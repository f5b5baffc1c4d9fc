//! `/widget/…`: the page of a client, its parts and pictures, and what browsers report about them
//! (`docs/contract.md#page`).

use std::sync::Arc;

use enrollment::client::{Client, HomeUrl, Theme};
use enrollment::clock::Clock;
use enrollment::identifiers::Slug;
use enrollment::language::RequestedLanguage;
use enrollment::log::{by_display, error, info};
use enrollment::ports::{Clients, StoreError};
use enrollment::texts::Texts;
use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, RequestExt as _, Response};
use platform::gateway;
use platform::pictures::Pictures;
use platform::public_base_url::{BasePath, PublicBaseUrl};

use crate::csp_report::{Pages, PolicyReports};
use crate::embed_scripts;
use crate::headers::{self, Headers};
use crate::page::{NEUTRAL_SLUG, Page, RenderError, RenderedPage, View};
use crate::parts;

/// Dependencies of [`PageServer::handle`].
pub struct PageServer<'a> {
    /// Clients' set-ups.
    pub clients: &'a dyn Clients,
    /// Logos and backgrounds.
    pub pictures: &'a Pictures,
    /// Address that the service is reached under.
    pub public_base_url: &'a PublicBaseUrl,
    /// Reports of policy violations.
    pub reports: &'a PolicyReports,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// Values of `Sec-Fetch-Dest` of a page that is loaded into another one.
const FRAMES: [&str; 5] = ["iframe", "frame", "fencedframe", "embed", "object"];

/// Refusal or failure of a request.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("not found")]
    Unknown,
    #[error("method not allowed")]
    Method,
    #[error("page can't be rendered: {0}")]
    Render(#[from] RenderError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

by_display!(ServeError);

impl PageServer<'_> {
    /// Answers one request. HEAD has GET's answer without its body (RFC 9110 §9.3.2).
    pub async fn handle(&self, request: &Request) -> Response<Body> {
        let mut response = self
            .serve(request)
            .await
            .unwrap_or_else(|reason| refusal(&reason));
        if request.method() == Method::HEAD {
            *response.body_mut() = Body::Empty;
        }
        response
    }

    async fn serve(&self, request: &Request) -> Result<Response<Body>, ServeError> {
        let route = gateway::route(request);
        let segments: Vec<&str> = route.split('/').filter(|segment| !segment.is_empty()).collect();
        let method = match *request.method() {
            Method::HEAD => &Method::GET,
            ref other => other,
        };
        match (method, segments.as_slice()) {
            (&Method::POST, ["widget", "csp-report"]) => {
                let pages = Pages {
                    public_base_url: self.public_base_url,
                    clients: self.clients,
                };
                self.reports.take(&pages, self.clock, request.body()).await;
                Ok(respond(
                    StatusCode::NO_CONTENT,
                    headers::bare("text/plain"),
                    Body::Empty,
                ))
            }
            (&Method::GET, ["widget", "assets", name]) => part(name),
            (&Method::GET, ["widget", "embed", version, name]) => embed_script(version, name),
            (&Method::GET, ["widget", slug]) => self.page(slug, request).await,
            (&Method::GET, ["widget", slug, "pictures", name]) => self.picture(slug, name).await,
            (&Method::GET, _) => Err(ServeError::Unknown),
            _ => Err(ServeError::Method),
        }
    }

    async fn page(&self, slug: &str, request: &Request) -> Result<Response<Body>, ServeError> {
        let is_framed = is_framed(request);
        let rendered = if slug == NEUTRAL_SLUG {
            let query = request.query_string_parameters();
            let view = view(|name| query.first(name), Theme::default(), is_framed);
            Page::neutral(&Texts::english().named(None), self.public_base_url.path(), view).render()?
        } else {
            let client = self.client(slug).await?;
            let query = request.query_string_parameters();
            client_page(
                &client,
                |name| query.first(name),
                is_framed,
                self.public_base_url.path(),
            )?
        };
        let known = request
            .headers()
            .get(header::IF_NONE_MATCH)
            .and_then(|value| value.to_str().ok());
        if headers::is_current(known, &rendered.etag) {
            return Ok(respond(StatusCode::NOT_MODIFIED, rendered.headers, Body::Empty));
        }
        Ok(respond(
            StatusCode::OK,
            rendered.headers,
            Body::from(rendered.html),
        ))
    }

    /// Serves only pictures that the client's set-up names: the bucket has other clients' pictures too.
    async fn picture(&self, slug: &str, name: &str) -> Result<Response<Body>, ServeError> {
        let client = self.client(slug).await?;
        let hash = name.strip_suffix(".png").ok_or(ServeError::Unknown)?;
        let bytes = if client.has_picture(hash) {
            self.pictures.find(hash).await?
        } else {
            None
        };
        let bytes = bytes.ok_or(ServeError::Unknown)?;
        Ok(respond(
            StatusCode::OK,
            headers::immutable("image/png"),
            Body::from(bytes),
        ))
    }

    async fn client(&self, slug: &str) -> Result<Arc<Client>, ServeError> {
        let slug = Slug::parse(slug).map_err(|_| ServeError::Unknown)?;
        self.clients.by_slug(&slug).await?.ok_or(ServeError::Unknown)
    }
}

/// Renders a client's page for the query of its address. `is_framed` says that the browser loads it into a frame.
///
/// # Errors
/// Those of [`Page::render`].
pub fn client_page<'q>(
    client: &Client,
    query: impl Fn(&str) -> Option<&'q str>,
    is_framed: bool,
    base: &BasePath,
) -> Result<RenderedPage, RenderError> {
    let requested = query("lang").and_then(RequestedLanguage::parse);
    let language = client.language_for(requested.as_ref());
    let page = Page {
        slug: client.slug.as_str(),
        client_name: &client.name,
        home_url: client.home_url.as_ref().map(HomeUrl::as_str),
        texts: &client.texts(&language),
        look: &client.look,
        view: view(&query, client.look.theme, is_framed),
        embed_origins: &client.embed_origins,
        base,
    };
    page.render()
}

/// Theme and frame of a request. Any other value means the default, which for the theme is the client's.
fn view<'q>(query: impl Fn(&str) -> Option<&'q str>, default: Theme, is_framed: bool) -> View {
    View {
        theme: query("theme")
            .and_then(|theme| theme.parse().ok())
            .unwrap_or(default),
        frame: query("frame")
            .and_then(|frame| frame.parse().ok())
            .unwrap_or_default(),
        is_framed,
    }
}

/// Whether the browser says that it loads the page into another one.
fn is_framed(request: &Request) -> bool {
    let destination = request.headers().get("sec-fetch-dest");
    destination.is_some_and(|value| FRAMES.iter().any(|frame| value == frame))
}

fn part(name: &str) -> Result<Response<Body>, ServeError> {
    let part = parts::find(name).ok_or(ServeError::Unknown)?;
    Ok(respond(
        StatusCode::OK,
        headers::immutable(part.content_type),
        Body::from(part.bytes),
    ))
}

fn embed_script(version: &str, name: &str) -> Result<Response<Body>, ServeError> {
    let script = embed_scripts::find(version, name).ok_or(ServeError::Unknown)?;
    Ok(respond(
        StatusCode::OK,
        headers::for_other_sites(script.content_type),
        Body::from(script.bytes),
    ))
}

fn refusal(reason: &ServeError) -> Response<Body> {
    let (status, text) = match reason {
        ServeError::Unknown => (StatusCode::NOT_FOUND, "There is nothing here.\n"),
        ServeError::Method => (StatusCode::METHOD_NOT_ALLOWED, "Use GET or HEAD.\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "Try again in a moment.\n"),
    };
    if status == StatusCode::SERVICE_UNAVAILABLE {
        error!(error = reason, "page not served");
    } else {
        info!(reason, "request refused");
    }
    respond(
        status,
        headers::bare("text/plain; charset=utf-8"),
        Body::from(text),
    )
}

/// Names and values are fixed or checked, so the builder can't fail.
fn respond(status: StatusCode, headers: Headers, body: Body) -> Response<Body> {
    let builder = headers
        .into_iter()
        .fold(Response::builder().status(status), |builder, (name, value)| {
            builder.header(name, value)
        });
    builder.body(body).unwrap_or_else(|_| Response::new(Body::Empty))
}

#[cfg(test)]
mod tests {
    use enrollment::client::Frame;

    use super::*;

    fn asked(query: &[(&str, &'static str)]) -> View {
        let find = |wanted: &str| {
            query
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| *value)
        };
        view(find, Theme::Light, false)
    }

    #[test]
    fn theme_and_frame_are_of_closed_lists() {
        let plain_and_dark = asked(&[("theme", "dark"), ("frame", "plain")]);
        assert_eq!(
            (plain_and_dark.theme, plain_and_dark.frame),
            (Theme::Dark, Frame::Plain)
        );
        assert_eq!(asked(&[("theme", "auto")]).theme, Theme::Auto);
        for word in ["", "DARK", "dark;", "\"><script>", "none"] {
            let other = asked(&[("theme", word), ("frame", word)]);
            assert_eq!((other.theme, other.frame), (Theme::Light, Frame::Card), "{word}");
        }
    }

    #[test]
    fn browser_says_that_the_page_is_framed() {
        let loaded_as = |destination: Option<&str>| {
            let mut request = Request::default();
            if let Some(destination) = destination {
                let value = destination.parse().unwrap();
                request.headers_mut().insert("sec-fetch-dest", value);
            }
            is_framed(&request)
        };
        assert!(loaded_as(Some("iframe")) && loaded_as(Some("object")));
        for destination in [Some("document"), Some("x"), None] {
            assert!(!loaded_as(destination), "{destination:?}");
        }
    }
}
