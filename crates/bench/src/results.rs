//! The results as they are stored in JSON.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::{check::Fidelity, process::Sample, tool::Tool};

/// All results of one `make bench`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// Description of the machine.
    pub(crate) machine: Vec<String>,
    pub(crate) works: Vec<Workload>,
}

/// One workload, run by several tools in turn.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Workload {
    /// For example `small, TLS`.
    pub(crate) name: String,
    /// Messages in all mailboxes together.
    pub(crate) messages: u64,
    /// Bytes of these messages.
    pub(crate) octets: u64,
    /// Number of mailboxes.
    pub(crate) mailboxes: u64,
    /// One row for each tool.
    pub(crate) rows: Vec<ToolRow>,
}

/// The measurements of one tool.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ToolRow {
    pub(crate) tool: Tool,
    /// One sample for each round.
    pub(crate) samples: Vec<Sample>,
    /// The comparison of its target with the source, over all rounds.
    pub(crate) kept: Fidelity,
}

/// Median, minimum and maximum of some numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Returns `None` for no numbers.
    pub(crate) fn from_numbers(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        let (least, most) = (*numbers.first()?, *numbers.last()?);
        let middle = numbers.len() / 2;
        let median = if numbers.len() % 2 == 1 {
            numbers[middle]
        } else {
            f64::midpoint(numbers[middle - 1], numbers[middle])
        };
        Some(Self { median, least, most })
    }
}

impl Results {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        fs::write(path, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| path.display().to_string())
    }
}

impl Workload {
    fn row(&self, tool: Tool) -> Option<&ToolRow> {
        self.rows.iter().find(|it| it.tool == tool)
    }

    /// Returns the wall time relative to the better one of the other tools, in the same round.
    pub(crate) fn ratio(&self, tool: Tool, others: &[Tool]) -> Option<Spread> {
        let mine = self.row(tool)?;
        let others: Vec<&ToolRow> = others.iter().filter_map(|it| self.row(*it)).collect();
        // By the medians: the better of two noisy runs in each round would be an unfair limit.
        let better = others.into_iter().min_by(|a, b| a.wall().total_cmp(&b.wall()))?;
        Spread::from_numbers(mine.samples.iter().zip(&better.samples).map(|(a, b)| a.wall / b.wall))
    }
}

impl ToolRow {
    fn wall(&self) -> f64 {
        self.spread(|it| it.wall).map_or(f64::INFINITY, |it| it.median)
    }

    /// Returns the spread of one measure over the rounds.
    pub(crate) fn spread(&self, measure: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::from_numbers(self.samples.iter().map(measure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads() {
        assert_eq!(Spread::from_numbers([]), None);
        assert_eq!(
            Spread::from_numbers([3.0, 1.0, 2.0]),
            Some(Spread { median: 2.0, least: 1.0, most: 3.0 })
        );
        assert_eq!(Spread::from_numbers([4.0, 1.0]), Some(Spread { median: 2.5, least: 1.0, most: 4.0 }));
    }
}
