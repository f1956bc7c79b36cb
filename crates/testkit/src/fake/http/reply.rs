//! Answers in the form of Google's APIs.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode, header};
use serde_json::{Value, json};

/// Bytes of the largest message.
const MAX_MESSAGE_SIZE: u64 = 150 << 20;

pub(super) type Reply = Response<Full<Bytes>>;

/// An answer, or the end of the connection without one.
pub(super) type Answer = Result<Reply, Closed>;

#[derive(Clone, Copy, Debug)]
pub(super) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is closed")
    }
}

impl std::error::Error for Closed {}

pub(super) fn reply(status: StatusCode, content: &Value) -> Reply {
    let mut response = Response::new(Full::new(Bytes::from(content.to_string())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json; charset=UTF-8"));
    response
}

/// A refusal in the form of Google's APIs.
pub(super) fn refusal(status: StatusCode, reason: &str, words: &str) -> Reply {
    let content = json!({"error": {
        "code": status.as_u16(),
        "message": words,
        "errors": [{"message": words, "domain": "global", "reason": reason}],
    }});
    reply(status, &content)
}

pub(super) fn with_header(mut response: Reply, name: header::HeaderName, value: &str) -> Reply {
    response.headers_mut().insert(name, value.parse().unwrap());
    response
}

/// A delay for HTTP: whole seconds, rounded up.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

pub(super) fn too_many_requests(wait: Option<Duration>) -> Reply {
    let response =
        refusal(StatusCode::TOO_MANY_REQUESTS, "rateLimitExceeded", "Too many concurrent requests for user");
    match wait {
        Some(wait) => with_header(response, header::RETRY_AFTER, &seconds(wait).to_string()),
        None => response,
    }
}

pub(super) fn invalid(words: &str) -> Reply {
    refusal(StatusCode::BAD_REQUEST, "invalidArgument", words)
}

pub(super) fn too_large(octets: u64) -> Option<Reply> {
    (octets > MAX_MESSAGE_SIZE)
        .then(|| refusal(StatusCode::PAYLOAD_TOO_LARGE, "uploadTooLarge", "Request is too large."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_rounded_up_to_seconds() {
        assert_eq!(seconds(Duration::from_millis(1500)), 2);
    }
}
