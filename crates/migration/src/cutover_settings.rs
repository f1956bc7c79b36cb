//! Settings of the cut-over of a batch, and the policy for removals.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cutover_facts::Condition;

/// Answer to the removal of a batch that is not safe to remove.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumString,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
pub enum CutoverPolicy {
    /// Nothing is asked of DNS, and removals are not judged.
    Off,
    /// The batch is removed, with a warning.
    #[default]
    Warn,
    /// The batch is not removed without Force.
    Refuse,
}

/// A condition that the administrator does not want to be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    pub condition: Condition,
    pub reason: String,
    /// Name of the caller.
    pub by: String,
    pub at: Timestamp,
}

/// Settings of the cut-over of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CutoverSettings {
    /// Hosts that take mail for the target.
    pub expected_mx: Vec<String>,
    /// Planned time of the move.
    pub expected_at: Option<Timestamp>,
    /// Time from which mail goes to the target, as the administrator states it.
    pub routed_at: Option<Timestamp>,
    /// Time for which old records may be believed after the move.
    pub settle_period: Option<SignedDuration>,
    /// Time without an arrival on the source.
    pub quiet_period: Option<SignedDuration>,
    /// True if the batch must be verified.
    pub require_verification: bool,
    /// Domains in place of those of the users' addresses.
    pub domains: Vec<String>,
    pub waivers: Vec<Waiver>,
}

impl CutoverSettings {
    /// Returns the time for which old records may be believed: 72 hours where nothing is said.
    pub fn settle_period(&self) -> SignedDuration {
        self.settle_period.unwrap_or(SignedDuration::from_hours(72))
    }

    /// Returns the time without an arrival on the source: 24 hours where nothing is said.
    pub fn quiet_period(&self) -> SignedDuration {
        self.quiet_period.unwrap_or(SignedDuration::from_hours(24))
    }

    /// Returns the waiver of a condition.
    pub fn waiver(&self, condition: Condition) -> Option<&Waiver> {
        self.waivers.iter().find(|waiver| waiver.condition == condition)
    }
}
