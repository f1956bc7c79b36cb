//! Answers in lines: one JSON object for each step as it ends, then the answer or its failure.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Response, header},
};
use futures_util::{StreamExt as _, future::ready, stream};
use serde_json::Value;
use tokio::sync::mpsc;

/// Content type of an answer in lines.
pub(crate) const LINES: &str = "application/x-ndjson";

/// True if the caller accepts an answer in lines.
pub(super) fn accepts(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case(LINES)
    })
}

/// Sends the first step, those that follow, and the last line.
pub(super) fn stream(
    first: Option<Value>,
    mut steps: mpsc::UnboundedReceiver<Value>,
    last: impl Future<Output = Value> + Send + 'static,
) -> Response<Body> {
    let further = stream::poll_fn(move |context| steps.poll_recv(context));
    let lines = stream::iter(first).chain(further).chain(stream::once(last));
    let lines = lines.then(|line| ready(Ok::<_, Infallible>(Bytes::from(format!("{line}\n")))));
    let mut response = Response::new(Body::from_stream(lines));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(LINES));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sent_to_callers_that_accept_them() {
        for (accepted, expected) in [
            ("application/x-ndjson", true),
            ("application/json, Application/X-NDJSON;q=0.5", true),
            ("application/json", false),
            ("*/*", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accepted));
            assert_eq!(accepts(&headers), expected, "{accepted}");
        }
        assert!(!accepts(&HeaderMap::new()));
    }
}
