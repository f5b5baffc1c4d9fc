//! Answers of a service, undisturbed and disturbed.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::serve::{AbruptEnd, Cut};

/// Answer of a service when nothing goes wrong.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Whether the connection is closed after it without TLS's own end.
    pub(crate) ends_abruptly: bool,
}

impl Answer {
    pub(crate) fn text(status: StatusCode, content_type: &'static str, body: String) -> Self {
        Self::bytes(status, content_type, body.into_bytes())
    }

    pub(crate) fn bytes(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type,
            headers: HeaderMap::new(),
            body,
            ends_abruptly: false,
        }
    }

    pub(super) fn halved(mut self) -> Self {
        self.body.truncate(self.body.len() / 2);
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let head = [(CONTENT_TYPE, self.content_type)];
        let mut response = (self.status, head, self.body).into_response();
        response.headers_mut().extend(self.headers);
        if self.ends_abruptly {
            response.extensions_mut().insert(AbruptEnd);
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

pub(super) fn cut() -> Response {
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(Cut);
    response
}

/// As from something in front of the service: not SOAP, not JSON.
pub(super) fn server_error() -> Response {
    let body = "<html><body><h1>500 Internal Server Error</h1></body></html>";
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        [(CONTENT_TYPE, "text/html")],
        body,
    )
        .into_response()
}
