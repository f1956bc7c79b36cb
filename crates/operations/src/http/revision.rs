//! Conditional requests (RFC 9110, section 13): `ETag`, `If-Match` and `If-None-Match`. Pure.
//!
//! A tag has two parts, `"REVISION.DIGEST"`. The revision changes with the settings of the object, the digest
//! with anything that the answer shows, such as progress. `If-Match` compares the revision alone, so that
//! progress refuses no change.

use axum::http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value};

use super::reply::VALUE;
use crate::{
    entry::Entry,
    failure::Failure,
    parameter::{IF_REVISION, REVISION},
};

/// Hexadecimal digits of the digest.
const DIGEST_LENGTH: usize = 16;

/// Tag of an answer with one object that has a revision; `None` for any other answer.
pub(super) fn tag(body: &Value, text: &str) -> Option<String> {
    let [object] = body.get(VALUE)?.as_array()?.as_slice() else { return None };
    let revision = object.get(REVISION)?.as_str()?;
    let digest = blake3::hash(text.as_bytes()).to_hex();
    Some(format!("\"{revision}.{}\"", &digest[..DIGEST_LENGTH]))
}

/// True if the caller has the answer with this tag already.
pub(super) fn has_it(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|it| it.to_str().ok());
    given.flat_map(|it| it.split(',')).any(|it| matches!(it.trim(), "*") || opaque(it) == opaque(tag))
}

/// Adds the revision of `If-Match` to a request, as its parameter `IfRevision`.
pub(super) fn add_condition(
    entry: &Entry,
    headers: &HeaderMap,
    request: &mut Map<String, Value>,
) -> Result<(), Failure> {
    let mut given = headers.get_all(header::IF_MATCH).into_iter();
    let Some(first) = given.next() else { return Ok(()) };
    let revision = revision(first).filter(|_| given.next().is_none());
    let revision = revision.ok_or_else(|| Failure::invalid("If-Match must be one ETag of this service"))?;
    if revision == "*" {
        return Ok(());
    }
    if entry.parameter(IF_REVISION).is_none() {
        return Err(Failure::invalid(format_args!("{} takes no If-Match", entry.name())));
    }
    match request.insert(IF_REVISION.to_owned(), revision.into()) {
        Some(other) if other != revision => {
            Err(Failure::invalid("IfRevision differs from the header If-Match"))
        }
        _ => Ok(()),
    }
}

/// Revision of a tag; the tag may be the revision alone.
fn revision(header: &HeaderValue) -> Option<&str> {
    let tag = opaque(header.to_str().ok()?);
    // Several tags have quotes between them.
    let is_one = !tag.contains('"');
    let revision = tag.split_once('.').map_or(tag, |(revision, _)| revision);
    let is_plain = is_one && (revision == "*" || revision.bytes().all(|it| it.is_ascii_alphanumeric()));
    (is_plain && !revision.is_empty()).then_some(revision)
}

/// Text of a tag without its quotes, strong or weak.
fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tag_changes_with_the_revision_and_with_the_text() {
        let body = |revision: &str| json!({ VALUE: [{ REVISION: revision }] });
        let one = tag(&body("a1"), "x").unwrap();
        assert!(one.starts_with("\"a1.") && one.len() == 21, "{one}");
        assert_ne!(tag(&body("a1"), "y").unwrap(), one);
        assert_ne!(tag(&body("a2"), "x").unwrap(), one);
        assert_eq!(tag(&json!({ VALUE: [{}] }), "x"), None);
        assert_eq!(tag(&json!({ VALUE: [{ REVISION: "a" }, { REVISION: "b" }] }), "x"), None);
        let headers = |value: String| {
            HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_str(&value).unwrap())])
        };
        assert!(has_it(&headers(one.clone()), &one) && has_it(&headers(format!("\"x\", W/{one}")), &one));
        assert!(!has_it(&headers("\"a1\"".to_owned()), &one) && !has_it(&HeaderMap::new(), &one));
    }

    #[test]
    fn the_revision_is_the_first_part_of_a_tag() {
        let of = |text: &str| revision(&HeaderValue::from_str(text).unwrap()).map(str::to_owned);
        for text in ["\"a1.b2\"", "W/\"a1.b2\"", "\"a1\"", "a1"] {
            assert_eq!(of(text).as_deref(), Some("a1"), "{text}");
        }
        assert_eq!(of("*").as_deref(), Some("*"));
        for text in ["", "\"\"", "\"a1.b2\", \"c\"", "\".b\""] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
