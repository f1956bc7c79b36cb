//! How consistent a target is with its source. Exchange keeps its thresholds secret; these are ours, and published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};

/// The grades, best first. A batch has the worst of its users.
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
    /// At most one message in a thousand, and at most ten, was skipped.
    Good,
    /// At most one message in a hundred was skipped.
    Investigate,
    /// More was skipped.
    Poor,
}

impl DataConsistencyScore {
    /// The grade of a mailbox of so many messages, of which so many were skipped.
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
