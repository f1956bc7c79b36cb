//! URLs of operations, such as `/api/v1/batches/{Identity}/start`.
//!
//! Axum's routes are not used: an object may have the name of an action, and a wrong method or URL
//! is reported like any other error.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::reply::Refused;
use crate::entry::Entry;

const ROOT: &str = "/api/v1/";
/// Path of the `OpenAPI` document.
pub(crate) const DESCRIPTION: &str = "/api/v1/openapi.json";

/// RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Operation and object of a URL and method.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// Index in the list of operations.
    pub(super) index: usize,
    /// Object, if the path names one.
    pub(super) identity: Option<String>,
}

/// Path forms of an operation: true with an identity, false without.
pub(crate) fn ways(entry: &Entry) -> impl Iterator<Item = bool> {
    let identity = entry.identity();
    let without = identity.is_none_or(|it| !it.required);
    let with = identity.is_some();
    [(without, false), (with, true)].into_iter().filter_map(|(is, way)| is.then_some(way))
}

/// Path with `{Identity}` for the object.
pub(crate) fn template(entry: &Entry, with_identity: bool) -> String {
    filled(entry, with_identity.then_some("{Identity}"))
}

/// Path of this object, or of all.
pub(crate) fn address(entry: &Entry, identity: Option<&str>) -> String {
    filled(entry, identity.map(|it| utf8_percent_encode(it, RESERVED).to_string()).as_deref())
}

fn filled(entry: &Entry, identity: Option<&str>) -> String {
    let form = entry.verb().form();
    let mut address = format!("{ROOT}{}", entry.noun().path);
    for part in identity.into_iter().chain(form.in_path.then_some(form.word)) {
        address.push('/');
        address.push_str(part);
    }
    address
}

/// Finds the operation for a method and a path.
pub(super) fn find(entries: &[Entry], method: &str, path: &str) -> Result<Route, Refused> {
    let nothing = || Refused::not_found(&format!("{path} does not exist"));
    let parts = path.strip_prefix(ROOT).ok_or_else(nothing)?.split('/');
    let parts = parts.map(|it| percent_decode_str(it).decode_utf8()).collect::<Result<Vec<_>, _>>();
    let parts = parts.map_err(|_| Refused::malformed("the path is not UTF-8"))?;
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();

    let mut found: Vec<(&Entry, Route)> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        for with_identity in ways(entry) {
            if let Some(identity) = fits(entry, with_identity, &parts) {
                found.push((entry, Route { index, identity }));
            }
        }
    }
    if found.is_empty() {
        return Err(nothing());
    }
    let mut allowed: Vec<&str> = found.iter().map(|(entry, _)| entry.verb().form().method).collect();
    allowed.sort_unstable();
    allowed.dedup();
    let method = if method == "HEAD" { "GET" } else { method };
    found
        .into_iter()
        .filter(|(entry, _)| entry.verb().form().method == method)
        .map(|(_, place)| place)
        // An action of the whole collection takes precedence over an object of the same name.
        .min_by_key(|place| place.identity.is_some())
        .ok_or_else(|| Refused::wrong_method(method, path, &allowed))
}

/// Object that the path names for this operation; `None` if the path does not match.
#[expect(clippy::option_option, reason = "whether it matches, and whether it names an object")]
fn fits(entry: &Entry, with_identity: bool, parts: &[&str]) -> Option<Option<String>> {
    let form = entry.verb().form();
    let rest = parts.strip_prefix(&[entry.noun().path])?;
    let rest = if form.in_path { rest.strip_suffix(&[form.word])? } else { rest };
    match rest {
        [] if !with_identity => Some(None),
        [identity] if with_identity && !identity.trim().is_empty() => Some(Some((*identity).to_owned())),
        _ => None,
    }
}
