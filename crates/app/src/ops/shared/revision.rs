//! Revisions of objects, by which a caller notices that another one changed the settings.

use mailhaul_migration::{Batch, Endpoint, MigrationConfig};
use mailhaul_operations::{Failure, ForeignChange};
use serde::Serialize;

use crate::context::Context;

/// Hexadecimal digits of a revision.
const LENGTH: usize = 16;

/// Revision of the batch's settings. Status and progress are no part of it.
pub(crate) fn of_batch(batch: &Batch) -> String {
    digest(&format!("{:?}", batch.settings))
}

/// Revision of the endpoint. A new secret counts, because it changes the time of the last change.
pub(crate) fn of_endpoint(endpoint: &Endpoint) -> String {
    digest(&format!("{endpoint:?}"))
}

pub(crate) fn of_config(config: &MigrationConfig) -> String {
    digest(&format!("{config:?}"))
}

fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..LENGTH].to_owned()
}

/// Object whose revision a request expects.
pub(crate) struct Versioned<'a> {
    /// Kind of object in a message: "migration batch \"Staff\"".
    pub(crate) what: String,
    /// Cmdlet that changes it.
    pub(crate) operation: &'a str,
    /// Names of the object in the audit log.
    pub(crate) names: Vec<String>,
    /// Revision that it has.
    pub(crate) revision: String,
}

impl Versioned<'_> {
    /// True if the request expects no revision, or the one that the object has.
    pub(crate) fn is_expected(&self, expected: Option<&str>) -> bool {
        expected.is_none_or(|it| it == self.revision)
    }

    /// Failure for a request that expects another revision, with the last change and the object as it is now.
    pub(crate) async fn refusal(&self, context: &Context, current: &impl Serialize) -> Failure {
        let last = context.store.audit().last_call(self.operation, self.names.clone()).await;
        let (last, current) = match (last, serde_json::to_value(current)) {
            (Ok(last), Ok(current)) => (last, current),
            (Err(error), _) => return super::failures::into_failure(error),
            (_, Err(error)) => return Failure::internal(error),
        };
        let (who, time) = last.map(|it| (it.who, it.time.to_string())).unzip();
        let by = match (&who, &time) {
            (Some(who), Some(time)) => format!("{who} changed it at {time}"),
            _ => "another caller changed it".to_owned(),
        };
        Failure::conflict(format_args!(
            "the {} has another revision than the request expects: {by}",
            self.what
        ))
        .with_advice(
            "Nothing was changed. Look at the object again, and repeat the change with its new Revision.",
        )
        .with_change(ForeignChange {
            revision: self.revision.clone(),
            who,
            time,
            current,
            values: Vec::new(),
        })
    }
}
