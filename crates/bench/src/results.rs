//! What was measured, as it is kept in JSON.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::{check::Kept, process::Sample, tool::Tool};

/// All of one `make bench`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// What it ran on.
    pub(crate) machine: Vec<String>,
    /// Each with its tools.
    pub(crate) works: Vec<Work>,
}

/// One piece of work that several tools did in turn.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Work {
    /// For example `small, TLS`.
    pub(crate) name: String,
    /// Messages that are there, in all mailboxes together.
    pub(crate) messages: u64,
    /// Their octets.
    pub(crate) octets: u64,
    /// How many mailboxes.
    pub(crate) mailboxes: u64,
    /// One for each tool.
    pub(crate) rows: Vec<Row>,
}

/// What one tool took.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Which.
    pub(crate) tool: Tool,
    /// One for each round.
    pub(crate) samples: Vec<Sample>,
    /// What its target held after every round.
    pub(crate) kept: Kept,
}

/// The middle, the least and the greatest of some numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// `None` for no numbers.
    pub(crate) fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
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
    /// From a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Into a file.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        fs::write(path, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| path.display().to_string())
    }
}

impl Work {
    fn row(&self, tool: Tool) -> Option<&Row> {
        self.rows.iter().find(|it| it.tool == tool)
    }

    /// Wall time in proportion to another tool's in the same round; the better one where several are named.
    pub(crate) fn ratio(&self, tool: Tool, others: &[Tool]) -> Option<Spread> {
        let mine = self.row(tool)?;
        let others: Vec<&Row> = others.iter().filter_map(|it| self.row(*it)).collect();
        // By their medians: the better of two noisy runs in each round would be an unfair limit.
        let better = others.into_iter().min_by(|a, b| a.wall().total_cmp(&b.wall()))?;
        Spread::of(mine.samples.iter().zip(&better.samples).map(|(a, b)| a.wall / b.wall))
    }
}

impl Row {
    fn wall(&self) -> f64 {
        self.spread(|it| it.wall).map_or(f64::INFINITY, |it| it.median)
    }

    /// One of the measures over the rounds.
    pub(crate) fn spread(&self, measure: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.samples.iter().map(measure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, least: 1.0, most: 3.0 }));
        assert_eq!(Spread::of([4.0, 1.0]), Some(Spread { median: 2.5, least: 1.0, most: 4.0 }));
    }
}
