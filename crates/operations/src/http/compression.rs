//! Compression of long answers.
//!
//! Streams of events are left alone: they must arrive at once. So are answers with a secret: the length of a
//! compressed answer tells a watcher of the line how much of a known text is in it (BREACH).

use axum::{
    body::HttpBody as Body,
    http::{Response, header},
};
use tower_http::compression::{CompressionLayer, Predicate};

use super::{csv::CSV, reply::JSON};

/// Minimum bytes of an answer that is compressed.
const MIN_LENGTH: u64 = 1 << 10;
/// Content types that are compressed.
const COMPRESSED_TYPES: [&str; 2] = [JSON, CSV];

/// Mark of an answer that may hold a secret.
#[derive(Clone, Copy)]
pub(super) struct MayHoldSecret;

/// Layer that compresses what [`IsLongText`] selects, for clients that accept gzip.
pub(super) fn layer() -> CompressionLayer<IsLongText> {
    CompressionLayer::new().compress_when(IsLongText)
}

/// Selects long JSON and CSV without a secret.
#[derive(Clone, Copy)]
pub(super) struct IsLongText;

impl Predicate for IsLongText {
    fn should_compress<B: Body>(&self, response: &Response<B>) -> bool {
        let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let content_type = content_type.and_then(|it| it.split(';').next()).unwrap_or_default().trim();
        response.extensions().get::<MayHoldSecret>().is_none()
            && COMPRESSED_TYPES.iter().any(|it| content_type.eq_ignore_ascii_case(it))
            // The length of rows that are still being read is not known.
            && response.body().size_hint().exact().is_none_or(|length| length >= MIN_LENGTH)
    }
}
