//! Routes of the service that are no operations, for the `OpenAPI` document.

use serde_json::{Map, Value};

/// Paths of sessions, events and downloads, as `OpenAPI` describes them.
const ROUTES: &str = include_str!("routes.json");

/// Returns the descriptions by path.
///
/// # Panics
/// The file of this program is no JSON. A test reads it.
pub(crate) fn routes() -> Map<String, Value> {
    serde_json::from_str(ROUTES).unwrap_or_else(|error| panic!("routes.json: {error}"))
}
