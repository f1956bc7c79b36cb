//! A request over HTTP.

use std::collections::BTreeMap;

use hyper::{Method, header};

use super::api_state::Fault;

/// A request with its body, or with the part of the body before a cut.
pub(super) struct ApiRequest {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: header::HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) fault: Option<Fault>,
}

impl ApiRequest {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
