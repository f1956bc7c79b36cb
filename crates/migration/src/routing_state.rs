//! States of a domain on the way from the source to the target.

use jiff::Timestamp;

/// State of a domain.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumString,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
pub enum RoutingStatus {
    /// Nothing reliable is known.
    Unknown,
    /// All servers tell the first hosts.
    NotMoved,
    /// Some servers tell the old hosts, some the new ones.
    Moving,
    /// An old host is still listed beside new ones.
    Backup,
    /// All tell the new hosts; caches may still hold the old ones.
    Settling,
    /// All mail goes to the new hosts.
    Moved,
    /// It had moved, and all servers tell the old hosts again.
    Returned,
}

/// State of a domain, with its reason and its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutingState {
    pub status: RoutingStatus,
    /// Detail that the status alone does not say.
    pub reason: Option<String>,
    /// Time from which on caches hold the new hosts; `None` before the move.
    pub settled_at: Option<Timestamp>,
    /// Last look at the old hosts and first at the new ones: the change lies between.
    pub changed: Option<(Option<Timestamp>, Timestamp)>,
}
