//! Limits of an endpoint that the administrator sets.

use serde::{Deserialize, Serialize};

/// Upper limits that the administrator sets for an endpoint; reading and writing count together.
/// `None`: the limit of the server's profile, if it has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    /// Over all mailboxes.
    pub messages_per_second: Option<u64>,
    /// Over all mailboxes.
    pub bytes_per_second: Option<u64>,
    /// Bytes in 24 hours, over all mailboxes.
    pub bytes_per_day: Option<u64>,
    /// Bytes in 24 hours, of each mailbox.
    pub mailbox_bytes_per_day: Option<u64>,
}
