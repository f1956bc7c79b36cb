//! Report of a pass, in numbers that close.

use mailhaul_mail::{FolderPath, InternalDate, Sha256, Uid};

use crate::{error::Error, ledger_state::RepairRecord};

/// Fields of a message's header, for reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heading {
    /// Subject, decoded.
    pub subject: Option<String>,
    /// Address of the author, or the name without an address.
    pub sender: Option<String>,
    /// Date that the author's program wrote.
    pub sent: Option<InternalDate>,
}

/// A message that was not copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedItem {
    /// UID on the source.
    pub uid: Uid,
    /// Subject, decoded; `None` if it has none, or the source did not return it.
    pub subject: Option<String>,
    /// Address of the author; `None` as above.
    pub sender: Option<String>,
    /// Date that the author's program wrote; `None` as above.
    pub sent: Option<InternalDate>,
    /// Date of arrival.
    pub internal_date: Option<InternalDate>,
    /// Bytes as claimed.
    pub size: u64,
    /// The reason, with the server's words.
    pub reason: String,
}

/// A message that was edited so that the target accepted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairedItem {
    /// UID on the source.
    pub uid: Uid,
    /// Subject, decoded; `None` if it has none, or the source did not return it.
    pub subject: Option<String>,
    /// Bytes on the source.
    pub size: u64,
    /// Hash of its bytes on the source.
    pub sha256: Sha256,
    /// Description of the edits.
    pub edits: String,
}

impl RepairedItem {
    /// Creates the item from its record.
    pub fn new(uid: Uid, edited: &RepairRecord) -> Self {
        Self {
            uid,
            subject: edited.subject.clone(),
            size: edited.original.size,
            sha256: edited.sha256,
            edits: edited.edits.clone(),
        }
    }
}

/// Numbers of one folder.
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
    /// Bytes copied, as claimed.
    pub bytes: u64,
    /// Messages whose flags were changed.
    pub flags_changed: u64,
    /// Messages moved from another folder of the target.
    pub moved: u64,
    /// Messages removed from the target.
    pub removed: u64,
    /// Copies that the target stored with another size, and those read back with another header.
    pub rewritten: u64,
    /// Copies that the target stored with another date of arrival.
    pub redated: u64,
    /// Copies that lack a flag, or have a system flag that was not sent, after a correction.
    pub unflagged: u64,
    /// Copies of vanished messages that are not removed yet.
    pub waiting: u64,
    /// Remarks on the source folder for the operator, in sentences.
    pub remarks: Vec<String>,
    /// Messages that were not copied.
    pub skipped: Vec<SkippedItem>,
    /// Edited messages: copied by this pass, or found copied after a crash.
    pub repaired: Vec<RepairedItem>,
}

impl FolderTally {
    /// Notes for the operator, in sentences: on the source folder, and on changes that the target made to copies.
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

    /// True if every message is accounted for.
    pub fn closes(&self) -> bool {
        self.seen == self.copied + self.already + self.excluded + self.skipped.len() as u64
    }
}

/// One folder's part of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderReport {
    /// On the source.
    pub source: FolderPath,
    /// On the target; `None` if it was left out.
    pub target: Option<FolderPath>,
    /// The reasons for its target folder and for its scan.
    pub reason: String,
    pub tally: FolderTally,
    /// The error that ended it early.
    pub error: Option<Error>,
}

/// Report of a mailbox's pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// All folders, in order.
    pub folders: Vec<FolderReport>,
    /// The error that ended the pass early.
    pub error: Option<Error>,
}

impl Report {
    /// True if all messages were handled, and the numbers of each folder add up.
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
