//! How much a server may be asked in a time.

use serde::{Deserialize, Serialize};

/// Upper limits that the administrator sets for an endpoint, of what is read from it and written to it together; `None`:
/// that of the server's profile, where it has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    /// Messages in a second, over all mailboxes.
    pub messages_per_second: Option<u64>,
    /// Octets in a second, over all mailboxes.
    pub bytes_per_second: Option<u64>,
    /// Octets in 24 hours, over all mailboxes.
    pub bytes_per_day: Option<u64>,
    /// Octets in 24 hours, of each mailbox.
    pub mailbox_bytes_per_day: Option<u64>,
}
