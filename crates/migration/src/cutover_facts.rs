//! Facts of a batch about its cut-over, which the conditions judge.

use std::net::IpAddr;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::routing_state::RoutingState;

/// A condition of a safe removal.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
pub enum Condition {
    /// The mail of each domain goes to the target.
    Routing,
    /// Mail of each domain has arrived directly on the target.
    DirectMail,
    /// Nothing arrived on the source lately.
    SourceIsQuiet,
    /// Each user was synced after the last arrival on the source.
    LastSync,
    /// All users are synced.
    NoFailures,
    /// No message was skipped, or the administrator approved it.
    Skipped,
    /// Users do not write on the source any more.
    SourceIsUnused,
    /// The copies were compared with the source.
    Verified,
    /// No record makes other servers refuse the new ones.
    Records,
}

impl Condition {
    /// True if the condition warns only, and a batch may be removed without it.
    pub(crate) fn is_warning(self) -> bool {
        self == Self::SourceIsUnused
    }
}

/// State of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, Serialize, Deserialize, schemars::JsonSchema)]
pub enum ConditionState {
    Met,
    NotMet,
    /// Not known, so that nothing is promised.
    Unknown,
    /// Not judged, because the administrator does not want it.
    Waived,
}

/// A condition with its state and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedCondition {
    pub condition: Condition,
    pub state: ConditionState,
    pub words: String,
}

/// Answer to the question if the batch can be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Verdict {
    SafeToRemove,
    NotSafe,
    /// A condition is not known.
    Unknown,
}

/// A number of users, and the first ten of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedUsers {
    pub count: u64,
    pub first: Vec<String>,
}

/// A domain with its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainFacts {
    pub domain: String,
    pub state: RoutingState,
    /// Time of the first message that arrived directly on the target; `None` if none has.
    pub direct_since: Option<Timestamp>,
}

/// Messages that came to the source lately. Hosts alone: neither senders nor subjects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Time of the last arrival.
    pub last: Option<Timestamp>,
    /// Messages of the quiet period: the number, and the hosts that delivered most of them.
    pub recent: u64,
    pub hosts: Vec<DeliveringHost>,
    /// Those of the quiet period that the source's own host delivered.
    pub internal: u64,
    /// Messages of 24 hours and of 7 days.
    pub day: u64,
    pub week: u64,
    /// Messages of 7 days that the target delivered to the source.
    pub returned: u64,
    /// Users who saved messages on the source after the move, with the last time.
    pub writers: NamedUsers,
    pub last_saved: Option<Timestamp>,
}

/// A host that delivers mail to the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveringHost {
    /// Empty if it is not known.
    pub name: String,
    pub address: Option<IpAddr>,
    pub messages: u64,
}

/// `smtp.partner.example (203.0.113.7)`, with the parts that are known.
impl std::fmt::Display for DeliveringHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.name.as_str(), self.address) {
            ("", None) => f.write_str("an unknown host"),
            ("", Some(address)) => address.fmt(f),
            (name, None) => f.write_str(name),
            (name, Some(address)) => write!(f, "{name} ({address})"),
        }
    }
}

/// Weight of a remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RemarkKind {
    /// Something to set right; no mail is lost.
    Advice,
    /// Mail is lost until it is set right.
    LosesMail,
    /// A record that was not read.
    Unread,
}

/// A remark about the records of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRemark {
    pub domain: String,
    pub kind: RemarkKind,
    pub words: String,
}

/// Facts of a batch, which the conditions judge. `None` is a fact that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutoverFacts {
    pub now: Timestamp,
    pub zone: TimeZone,
    /// Name of the batch.
    pub batch: String,
    pub users: u64,
    pub domains: Vec<DomainFacts>,
    /// True if direct arrivals on the target are looked at.
    pub sees_direct_mail: bool,
    pub arrivals: Option<Arrivals>,
    /// Users that were not synced after the time of `sync_needed_after`.
    pub unsynced: NamedUsers,
    /// Users that failed, are stopped, or were never synced.
    pub failed: NamedUsers,
    /// Name of an endpoint of the batch that is paused now.
    pub parked: Option<String>,
    /// Users with skipped messages that were not approved, and the number of these messages.
    pub skipped: NamedUsers,
    pub skipped_messages: u64,
    pub records: Option<Vec<RecordRemark>>,
}
