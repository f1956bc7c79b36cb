//! Topic of a stream: the objects that its page shows.

use mailhaul_migration::Guid;
use mailhaul_operations::Failure;

use super::feed::{Change, ProgressRow};
use crate::{context::Context, ops::into_failure};

const USER: &str = "MigrationUser";
const BATCH: &str = "MigrationBatch";

/// Objects whose events a stream sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    All,
    Batch {
        guid: Guid,
        name: String,
    },
    User {
        guid: Guid,
        batch: Guid,
    },
    /// An endpoint: everything but the progress of users.
    Endpoint,
}

impl Topic {
    /// Reads `all`, `batch:NAME`, `user:ADDRESS` or `endpoint:NAME`; names may be GUIDs.
    pub(super) async fn parse(context: &Context, text: &str) -> Result<Self, Failure> {
        let store = &context.store;
        match text.split_once(':') {
            None if text == "all" => Ok(Self::All),
            Some(("batch", name)) => {
                let batch = store.batches().get(name).await.map_err(into_failure)?.batch;
                Ok(Self::Batch { guid: batch.guid, name: batch.name })
            }
            Some(("user", name)) => {
                let user = store.users().get(name, None).await.map_err(into_failure)?;
                Ok(Self::User { guid: user.guid, batch: user.batch })
            }
            Some(("endpoint", name)) => {
                store.endpoints().get(name).await.map_err(into_failure)?;
                Ok(Self::Endpoint)
            }
            _ => Err(Failure::invalid("Topic must be all, batch:NAME, user:ADDRESS or endpoint:NAME")),
        }
    }

    /// True unless the change is certainly of another batch or user.
    pub(super) fn has(&self, change: &Change) -> bool {
        let is_batch = |guid: Guid, name: &str| match (&change.identity, change.noun.as_str()) {
            (_, USER) => change.batch.is_none_or(|it| it == guid),
            (Some(it), BATCH) => it.eq_ignore_ascii_case(name) || Guid::parse_str(it) == Ok(guid),
            _ => true,
        };
        match self {
            Self::All | Self::Endpoint => true,
            Self::Batch { guid, name } => is_batch(*guid, name),
            Self::User { guid, batch } => match (&change.identity, change.noun.as_str()) {
                (Some(it), USER) => Guid::parse_str(it).map_or(true, |it| it == *guid),
                (None, USER) => change.batch.is_none_or(|it| it == *batch),
                _ => true,
            },
        }
    }

    /// True if the row is of this topic.
    pub(super) fn has_row(&self, row: &ProgressRow) -> bool {
        match self {
            Self::All => true,
            Self::Batch { guid, .. } => row.batch == *guid,
            Self::User { guid, .. } => row.user == *guid,
            Self::Endpoint => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(noun: &str, identity: Option<&str>, batch: Option<Guid>) -> Change {
        Change { noun: noun.to_owned(), identity: identity.map(str::to_owned), batch }
    }

    #[test]
    fn only_what_is_certainly_elsewhere_is_left_out() {
        let (here, there) = (Guid::from_u128(1), Guid::from_u128(2));
        let batch = Topic::Batch { guid: here, name: "Staff".to_owned() };
        assert!(batch.has(&change(USER, Some("ann@contoso.edu"), None)));
        assert!(batch.has(&change(USER, None, Some(here))));
        assert!(!batch.has(&change(USER, None, Some(there))));
        assert!(batch.has(&change(BATCH, Some("STAFF"), None)));
        assert!(batch.has(&change(BATCH, Some(&here.to_string()), None)));
        assert!(!batch.has(&change(BATCH, Some("Pilot"), None)));
        assert!(batch.has(&change("MigrationEndpoint", Some("Old"), None)));
        let user = Topic::User { guid: here, batch: there };
        assert!(user.has(&change(USER, Some(&here.to_string()), Some(there))));
        assert!(user.has(&change(USER, Some("ann@contoso.edu"), None)));
        assert!(!user.has(&change(USER, Some(&there.to_string()), Some(there))));
    }
}
