//! Orders of a list of users.

use schemars::JsonSchema;
use serde::Deserialize;

/// The property that a list of users is sorted by. Users with equal values are in the order of creation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::VariantArray, Deserialize, JsonSchema)]
pub enum UserOrder {
    /// Order of creation.
    #[default]
    Creation,
    /// E-mail address, without regard to case.
    EmailAddress,
    /// Status, by its name.
    Status,
    /// Time of the last status change.
    StatusSince,
    /// Messages on the target.
    SyncedItemCount,
    /// Messages that the last pass skipped.
    SkippedItemCount,
    /// Share of the messages that are finished.
    PercentageComplete,
    /// Bytes sent, over all passes.
    BytesTransferred,
    /// Time of the last successful pass; users without one come first.
    LastSuccessfulSyncTime,
    /// Start of the next pass; users without one come last.
    NextSyncTime,
    /// Class of the failure; users without one come first.
    ErrorClass,
}
