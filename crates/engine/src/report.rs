//! What a pass did, in numbers that close.

use mailhaul_mail::{FolderPath, InternalDate, Sha256, Uid};

use crate::{error::Error, ledger_state::RepairRecord};

/// A message that was not carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedItem {
    /// Its UID on the source.
    pub uid: Uid,
    /// Its subject, decoded; `None` where it has none, or the source did not give it.
    pub subject: Option<String>,
    /// When it arrived.
    pub internal_date: Option<InternalDate>,
    /// Octets as claimed.
    pub size: u64,
    /// Why, with the server's words.
    pub reason: String,
}

/// A message that was edited so that the target took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairedItem {
    /// Its UID on the source.
    pub uid: Uid,
    /// Its subject, decoded; `None` where it has none, or the source did not give it.
    pub subject: Option<String>,
    /// Octets on the source.
    pub size: u64,
    /// Of its octets on the source.
    pub sha256: Sha256,
    /// What was edited.
    pub edits: String,
}

impl RepairedItem {
    /// Out of the record.
    pub fn of(uid: Uid, edited: &RepairRecord) -> Self {
        Self {
            uid,
            subject: edited.subject.clone(),
            size: edited.original.size,
            sha256: edited.sha256,
            edits: edited.edits.clone(),
        }
    }
}

/// One folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderTally {
    /// Messages that the source showed.
    pub seen: u64,
    /// Copied by this pass.
    pub copied: u64,
    /// On the target before: copied earlier, found there, or moved there.
    pub already: u64,
    /// Left out by the operator's filter.
    pub excluded: u64,
    /// Octets copied, as claimed.
    pub bytes: u64,
    /// Messages whose flags were changed.
    pub flags_changed: u64,
    /// Messages moved from another folder of the target.
    pub moved: u64,
    /// Messages removed from the target.
    pub removed: u64,
    /// Copies that the target stored with another size than they were sent with, and those read back with another header.
    pub rewritten: u64,
    /// Copies that the target stored with another date of arrival.
    pub redated: u64,
    /// Copies that lack a flag, or have a system flag that was not sent, after the target was asked to correct it.
    pub unflagged: u64,
    /// Copies of messages that vanished, which are not removed yet.
    pub waiting: u64,
    /// What the operator is told of the source folder, in sentences.
    pub remarks: Vec<String>,
    /// Not carried over.
    pub skipped: Vec<SkippedItem>,
    /// Edited before the target took them: of those that were copied, or were found copied after a crash.
    pub repaired: Vec<RepairedItem>,
}

impl FolderTally {
    /// What the operator is told of the folder, in sentences: of the source, and what the target made of copies.
    pub fn notes(&self) -> Vec<String> {
        let messages = |count: u64| {
            if count == 1 { "1 message was".to_owned() } else { format!("{count} messages were") }
        };
        let of_copies = [
            (self.rewritten, "rewritten by the target server (it stores another size or header)"),
            (self.redated, "stored by the target server with another date of arrival"),
            (self.unflagged, "stored by the target server with other flags"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", messages(count)));
        self.remarks.iter().cloned().chain(of_copies).collect()
    }

    /// Whether every message is accounted for.
    pub fn closes(&self) -> bool {
        self.seen == self.copied + self.already + self.excluded + self.skipped.len() as u64
    }
}

/// One folder's part of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderReport {
    /// On the source.
    pub source: FolderPath,
    /// On the target; `None` where it was left out.
    pub target: Option<FolderPath>,
    /// Why it went there, and why it was looked at or not.
    pub reason: String,
    /// Its numbers.
    pub tally: FolderTally,
    /// Why it was left before its end.
    pub error: Option<Error>,
}

/// A mailbox's pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// All folders, in order.
    pub folders: Vec<FolderReport>,
    /// Why the pass ended before its end.
    pub error: Option<Error>,
}

impl Report {
    /// Whether everything that was to be carried was dealt with, and the sums close.
    pub fn is_synced(&self) -> bool {
        self.error.is_none() && self.folders.iter().all(|it| it.error.is_none() && it.tally.closes())
    }

    /// The sum of one number over all folders.
    pub fn total(&self, number: impl Fn(&FolderTally) -> u64) -> u64 {
        self.folders.iter().map(|it| number(&it.tally)).sum()
    }

    /// All repaired messages with their folders.
    pub fn repaired(&self) -> impl Iterator<Item = (&FolderPath, &RepairedItem)> {
        self.folders.iter().flat_map(|it| it.tally.repaired.iter().map(move |item| (&it.source, item)))
    }

    /// All skipped messages with their folders.
    pub fn skipped(&self) -> impl Iterator<Item = (&FolderPath, &SkippedItem)> {
        self.folders.iter().flat_map(|it| it.tally.skipped.iter().map(move |item| (&it.source, item)))
    }
}
