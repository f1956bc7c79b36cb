//! Filters of users, which several cmdlets share, and the users that a change concerns.

use mailhaul_migration::{FailureClass, StatusSummary, UserStatus};
use mailhaul_operations::Failure;
use mailhaul_store::UserFilter;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    context::Context,
    ops::shared::failures::{into_failure, not_found},
};

/// Maximum number of users that one request names.
const MAX_IDENTITIES: usize = 1000;

/// Filters of users.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct UserFilters {
    /// Only users of this batch.
    pub(crate) batch_id: Option<String>,
    /// Only users with one of these statuses.
    #[serde(default)]
    pub(crate) status: Vec<UserStatus>,
    /// Only users with a status of this group.
    pub(crate) status_summary: Option<StatusSummary>,
    /// Only users with a failed mailbox check; CheckError gives the reason.
    #[serde(default)]
    pub(crate) check_failed: bool,
    /// Only users whose last pass failed or was interrupted with one of these classes.
    #[serde(default)]
    pub(crate) error_class: Vec<FailureClass>,
    /// Only users whose pass is due and has not begun.
    #[serde(default)]
    pub(crate) is_waiting: bool,
    /// Only users with skipped messages.
    #[serde(default)]
    pub(crate) has_skipped_items: bool,
    /// Only users with this text in an address, a login or the failure, without regard to case.
    pub(crate) search: Option<String>,
}

impl UserFilters {
    /// Returns the filter, and finds its batch.
    pub(crate) async fn find(self, context: &Context) -> Result<UserFilter, Failure> {
        let batch = match &self.batch_id {
            Some(identity) => Some(context.store.batches().named(identity).await.map_err(into_failure)?.guid),
            None => None,
        };
        Ok(UserFilter {
            user: None,
            listed: None,
            batch,
            statuses: self.status,
            summary: self.status_summary,
            failed_check: self.check_failed,
            classes: self.error_class,
            waiting_at: self.is_waiting.then(|| context.now()),
            has_skipped: self.has_skipped_items,
            search: self.search,
        })
    }
}

/// Users that a change concerns.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ChosenUsers {
    /// E-mail address or GUID of one user.
    pub(crate) identity: Option<String>,
    /// E-mail addresses or GUIDs of several users [max: 1000].
    ///
    /// The answer counts the users, and names those for whom it was refused.
    #[serde(default)]
    identities: Vec<String>,
    /// With a filter: users of all batches.
    #[serde(default)]
    all_batches: bool,
}

/// Users that a request selects.
pub(crate) enum Selected {
    /// The one that it names; its answer is the user.
    One(String),
    Many {
        filter: UserFilter,
        /// Refusals of names without a user.
        refusals: Vec<(String, Failure)>,
    },
}

impl ChosenUsers {
    /// Finds the users. A filter alone never selects users of all batches.
    pub(crate) async fn find(self, context: &Context, filters: UserFilters) -> Result<Selected, Failure> {
        if let Some(identity) = self.identity {
            if !self.identities.is_empty() || self.all_batches || filters != UserFilters::default() {
                return Err(Failure::invalid("Identity names one user, so it stands without a filter"));
            }
            return Ok(Selected::One(identity));
        }
        if self.identities.len() > MAX_IDENTITIES {
            return Err(Failure::invalid(format_args!("Identities may have at most {MAX_IDENTITIES} names"))
                .with_advice("Select users by BatchId and filters, or send several requests."));
        }
        if self.identities.is_empty() && filters.batch_id.is_none() && !self.all_batches {
            return Err(Failure::invalid("Identity, Identities, BatchId or AllBatches must be given")
                .with_advice(
                    "A filter without a batch selects no users; AllBatches selects them in every batch.",
                ));
        }
        let mut filter = filters.find(context).await?;
        let mut refusals = Vec::new();
        if !self.identities.is_empty() {
            let named = context.store.users().named(self.identities).await.map_err(into_failure)?;
            filter.listed = Some(named.numbers);
            let missing = named.missing.into_iter();
            refusals.extend(missing.map(|name| (name.clone(), not_found("user", name))));
        }
        Ok(Selected::Many { filter, refusals })
    }
}
