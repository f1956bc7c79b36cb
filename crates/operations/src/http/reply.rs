//! HTTP answers, always in JSON.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use serde_json::Value;

use crate::failure::{Failure, error_json};

/// Property of the results.
pub(crate) const VALUE: &str = "Value";
/// Property of the next page's URL.
pub(crate) const NEXT_LINK: &str = "NextLink";
/// Property of the number of results of all pages.
pub(crate) const TOTAL_COUNT: &str = "TotalCount";
/// Content type of bodies, in both directions.
pub(crate) const JSON: &str = "application/json";

/// Reason why a request was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    status: u16,
    body: Value,
    allow: Option<String>,
}

impl Refused {
    fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self { status, body: error_json(code, message, None), allow: None }
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::new(404, "NotFound", message)
    }

    /// Request that violates HTTP or JSON.
    pub(super) fn malformed(message: &str) -> Self {
        Self::new(400, "Malformed", message)
    }

    pub(super) fn wrong_method(method: &str, path: &str, allowed: &[&str]) -> Self {
        let allow = allowed.join(", ");
        let message = format!("{path} accepts {allow}, not {method}");
        Self { allow: Some(allow), ..Self::new(405, "MethodNotAllowed", &message) }
    }

    pub(super) fn too_slow() -> Self {
        Self::new(408, "TooSlow", "the body did not arrive in time")
    }

    pub(super) fn not_json() -> Self {
        Self::new(415, "NotJson", "the body must be JSON, with Content-Type: application/json")
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = json_reply(self.status, &self.body);
        let headers = response.headers_mut();
        if let Some(allow) = self.allow.and_then(|it| HeaderValue::from_str(&it).ok()) {
            headers.insert(header::ALLOW, allow);
        }
        if self.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { status: failure.status(), body: failure.to_json(), allow: None }
    }
}

/// Lets the program's own routes fail in the same form.
impl IntoResponse for Failure {
    fn into_response(self) -> Response<Body> {
        Refused::from(self).into_response()
    }
}

/// Answer for a caller that has the object with this tag already.
pub(super) fn not_modified() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// JSON answer that must not be cached.
pub(crate) fn json_reply(status: u16, body: &Value) -> Response<Body> {
    text_reply(status, body.to_string())
}

/// The same with JSON that is text already.
pub(super) fn text_reply(status: u16, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
