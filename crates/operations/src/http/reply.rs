//! What goes back: JSON always, errors too.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use serde_json::Value;

use crate::failure::{Failure, error_json};

/// The property with the results.
pub(crate) const VALUE: &str = "Value";
/// The property with the address of the next page.
pub(crate) const NEXT_LINK: &str = "NextLink";
/// What bodies are, both ways.
pub(crate) const JSON: &str = "application/json";

/// Why a request was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    status: u16,
    code: &'static str,
    message: String,
    advice: Option<String>,
    allow: Option<String>,
}

impl Refused {
    fn new(status: u16, code: &'static str, message: String) -> Self {
        Self { status, code, message, advice: None, allow: None }
    }

    pub(super) fn not_found(message: String) -> Self {
        Self::new(404, "NotFound", message)
    }

    /// Not HTTP or JSON as it should be.
    pub(super) fn malformed(message: String) -> Self {
        Self::new(400, "Malformed", message)
    }

    pub(super) fn wrong_method(method: &str, path: &str, allowed: &[&str]) -> Self {
        let allow = allowed.join(", ");
        let message = format!("{path} does not take {method}, but {allow}");
        Self { allow: Some(allow), ..Self::new(405, "MethodNotAllowed", message) }
    }

    pub(super) fn too_slow() -> Self {
        Self::new(408, "TooSlow", "the body did not arrive in time".to_owned())
    }

    pub(super) fn not_json() -> Self {
        Self::new(415, "NotJson", "the body must be JSON, with Content-Type: application/json".to_owned())
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let body = error_json(self.code, &self.message, self.advice.as_deref());
        let mut response = json_reply(self.status, &body);
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
        let Failure { kind, message, advice } = failure;
        Self { advice, ..Self::new(kind.status(), kind.code(), message) }
    }
}

/// For the program's own routes, so that they fail in the same form.
impl IntoResponse for Failure {
    fn into_response(self) -> Response<Body> {
        Refused::from(self).into_response()
    }
}

/// JSON that nobody is to keep.
pub(crate) fn json_reply(status: u16, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
