//! Reads request bodies, with limits of size and time.

use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use super::{
    limits::Limits,
    reply::{JSON, Refused},
};
use crate::failure::Failure;

/// Reads the JSON object of a body; an empty body is an empty object.
pub(super) async fn object(
    headers: &HeaderMap,
    body: Body,
    limits: Limits,
) -> Result<Map<String, Value>, Refused> {
    let octets = octets(headers, body, limits).await?;
    if octets.is_empty() {
        return Ok(Map::new());
    }
    if headers.get(header::CONTENT_TYPE).is_some_and(|it| !is_json(it.as_bytes())) {
        return Err(Refused::not_json());
    }
    match serde_json::from_slice(&octets) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Failure::invalid("the body must be a JSON object").into()),
        Err(error) => Err(Refused::malformed(&format!("the body is not JSON: {error}"))),
    }
}

fn is_json(content_type: &[u8]) -> bool {
    let kind = content_type.split(|it| *it == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(JSON.as_bytes())
}

async fn octets(headers: &HeaderMap, body: Body, limits: Limits) -> Result<bytes::Bytes, Refused> {
    let too_large =
        || Refused::from(Failure::too_large(format_args!("the body may have at most {} bytes", limits.body)));
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|it| it > limits.body as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(limits.body_time, Limited::new(body, limits.body).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Refused::malformed("the body is incomplete")),
        Err(_) => Err(Refused::too_slow()),
    }
}
