//! Consistency score of a target. Exchange keeps its thresholds secret; these are mailhaul's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};

/// Score of a mailbox, best first. A batch has the lowest score of its users.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Display,
    EnumString,
    VariantArray,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[strum(ascii_case_insensitive)]
pub enum DataConsistencyScore {
    /// Every message arrived.
    Perfect,
    /// At most one message in 1,000, and at most ten, was skipped.
    Good,
    /// At most one message in 100 was skipped.
    Investigate,
    /// More messages were skipped.
    Poor,
}

impl DataConsistencyScore {
    /// Computes the score of a mailbox.
    pub fn of(total: u64, skipped: u64) -> Self {
        match skipped {
            0 => Self::Perfect,
            1..=10 if skipped.saturating_mul(1000) <= total => Self::Good,
            _ if skipped.saturating_mul(100) <= total => Self::Investigate,
            _ => Self::Poor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades() {
        use DataConsistencyScore as Score;
        let table = [
            (0, 0, Score::Perfect),
            (10, 0, Score::Perfect),
            (1000, 1, Score::Good),
            (999, 1, Score::Investigate),
            (100_000, 10, Score::Good),
            (100_000, 11, Score::Investigate),
            (100, 1, Score::Investigate),
            (99, 1, Score::Poor),
            (1, 1, Score::Poor),
        ];
        for (total, skipped, score) in table {
            assert_eq!(Score::of(total, skipped), score, "{skipped} of {total}");
        }
        assert!(Score::Perfect < Score::Poor);
    }
}
