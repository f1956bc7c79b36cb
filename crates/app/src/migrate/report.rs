//! Result of a run as CSV and JSON.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Result;
use mailhaul_engine::{FolderReport, FolderTally, SkippedItem};
use mailhaul_mail::FolderPath;
use serde::Serialize;

use super::{run::Outcome, summary::status};
use crate::{
    exit::Exit,
    output::{csv_cell::harmless, text},
};

const COLUMNS: [&str; 17] = [
    "Record",
    "EmailAddress",
    "Status",
    "Folder",
    "TargetFolder",
    "Seen",
    "Copied",
    "AlreadyThere",
    "LeftOut",
    "Skipped",
    "Bytes",
    "UID",
    "Subject",
    "Date",
    "Size",
    "Reason",
    "OriginalSHA256",
];

/// CSV report. The file appears complete or not at all.
pub(crate) struct ReportFile {
    path: PathBuf,
    unfinished: PathBuf,
    file: File,
}

impl ReportFile {
    /// Creates a temporary file in the same directory.
    ///
    /// A path that cannot be written is an error before the first message is copied.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        name.push(".unfinished");
        let unfinished = path.with_file_name(name);
        // Subjects and folder names are private, so only the owner may read the file.
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(Self { path: path.to_owned(), unfinished, file })
    }

    /// Writes the report, and renames the file to its final name.
    pub(crate) fn write(self, outcomes: &[Outcome]) -> Result<()> {
        let mut csv = csv::Writer::from_writer(&self.file);
        csv.write_record(COLUMNS)?;
        for outcome in outcomes {
            for row in rows(outcome) {
                csv.write_record(row.iter().map(|it| harmless(it)))?;
            }
        }
        csv.flush()?;
        drop(csv);
        self.file.sync_all()?;
        fs::rename(&self.unfinished, &self.path)?;
        Ok(())
    }
}

/// One row for the mailbox, one for each folder, one for each skipped or edited message.
fn rows(outcome: &Outcome) -> Vec<Vec<String>> {
    let report = &outcome.report;
    let name = &outcome.name;
    let counted =
        |record: &str, status: &str, folder: String, target: String, numbers: &Numbers, reason: String| {
            let mut row = vec![record.to_owned(), name.clone(), status.to_owned(), folder, target];
            row.extend(numbers.cells());
            row.extend([(); 4].map(|()| String::new()));
            row.extend([reason, String::new()]);
            row
        };
    let total = Numbers::new(|number| report.total(number));
    let error = report.error.as_ref().map(|it| it.message.clone()).unwrap_or_default();
    let mut rows = vec![counted("Mailbox", status(outcome), String::new(), String::new(), &total, error)];
    rows.extend(report.folders.iter().map(|folder| {
        let target = folder.target.as_ref().map(ToString::to_string).unwrap_or_default();
        let why = folder.error.as_ref().map_or_else(|| folder.reason.clone(), |it| it.message.clone());
        let reason = std::iter::once(why).chain(folder.tally.notes()).collect::<Vec<_>>().join("; ");
        let numbers = Numbers::new(|number| number(&folder.tally));
        counted("Folder", folder_status(folder), folder.source.to_string(), target, &numbers, reason)
    }));
    let of_message = |record: &str, status: &str, folder: &FolderPath, cells: [String; 6]| {
        let mut row =
            vec![record.to_owned(), name.clone(), status.to_owned(), folder.to_string(), String::new()];
        row.extend([(); 6].map(|()| String::new()));
        row.extend(cells);
        row
    };
    rows.extend(report.skipped().map(|(folder, item)| {
        let subject = item.subject.clone().unwrap_or_default();
        let (uid, size) = (item.uid.to_string(), item.size.to_string());
        let cells = [uid, subject, date(item), size, item.reason.clone(), String::new()];
        of_message("SkippedItem", "Skipped", folder, cells)
    }));
    rows.extend(report.repaired().map(|(folder, item)| {
        let subject = item.subject.clone().unwrap_or_default();
        let (uid, size) = (item.uid.to_string(), item.size.to_string());
        let cells = [uid, subject, String::new(), size, item.edits.clone(), item.sha256.to_string()];
        of_message("RepairedItem", "Repaired", folder, cells)
    }));
    rows
}

fn folder_status(folder: &FolderReport) -> &'static str {
    match (&folder.error, &folder.target) {
        (Some(_), _) => "Failed",
        (None, None) => "LeftOut",
        (None, Some(_)) => "Synced",
    }
}

fn date(item: &SkippedItem) -> String {
    item.internal_date.map(|it| it.to_string().trim().to_owned()).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    result: String,
    exit_code: i32,
    mailboxes: Vec<JsonMailbox<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonMailbox<'a> {
    email_address: &'a str,
    status: &'static str,
    error: Option<&'a str>,
    seconds: f64,
    #[serde(flatten)]
    numbers: Numbers,
    folders: Vec<JsonFolder<'a>>,
    skipped_items: Vec<JsonSkipped<'a>>,
    repaired_items: Vec<JsonRepaired<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Numbers {
    seen: u64,
    copied: u64,
    already_there: u64,
    left_out: u64,
    skipped: u64,
    /// Copied messages that were edited.
    repaired: u64,
    bytes: u64,
    flags_changed: u64,
    moved: u64,
    removed: u64,
}

impl Numbers {
    /// `of` returns one number: of a folder, or the sum over all folders.
    fn new(of: impl Fn(fn(&FolderTally) -> u64) -> u64) -> Self {
        Self {
            seen: of(|it| it.seen),
            copied: of(|it| it.copied),
            already_there: of(|it| it.already),
            left_out: of(|it| it.excluded),
            skipped: of(|it| it.skipped.len() as u64),
            repaired: of(|it| it.repaired.len() as u64),
            bytes: of(|it| it.bytes),
            flags_changed: of(|it| it.flags_changed),
            moved: of(|it| it.moved),
            removed: of(|it| it.removed),
        }
    }

    /// Cells of the CSV report from `Seen` to `Bytes`.
    fn cells(&self) -> [String; 6] {
        [self.seen, self.copied, self.already_there, self.left_out, self.skipped, self.bytes]
            .map(|it| it.to_string())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonFolder<'a> {
    folder: String,
    target_folder: Option<String>,
    status: &'static str,
    reason: &'a str,
    error: Option<&'a str>,
    /// Changes that the target made to copies.
    notes: Vec<String>,
    #[serde(flatten)]
    numbers: Numbers,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonSkipped<'a> {
    folder: String,
    uid: u32,
    subject: Option<&'a str>,
    date: String,
    size: u64,
    reason: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonRepaired<'a> {
    folder: String,
    uid: u32,
    subject: Option<&'a str>,
    size: u64,
    original_sha256: String,
    edits: &'a str,
}

/// Prints the result as one JSON object.
pub(crate) fn print_json(outcomes: &[Outcome], exit: Exit) -> Result<()> {
    let json = Json {
        result: exit.to_string(),
        exit_code: exit.into(),
        mailboxes: outcomes.iter().map(json_mailbox).collect(),
    };
    text::print_json(&serde_json::to_string_pretty(&json)?);
    Ok(())
}

fn json_mailbox(outcome: &Outcome) -> JsonMailbox<'_> {
    let report = &outcome.report;
    JsonMailbox {
        email_address: &outcome.name,
        status: status(outcome),
        error: report.error.as_ref().map(|it| it.message.as_str()),
        seconds: outcome.elapsed.as_secs_f64(),
        numbers: Numbers::new(|number| report.total(number)),
        folders: report
            .folders
            .iter()
            .map(|it| JsonFolder {
                folder: it.source.to_string(),
                target_folder: it.target.as_ref().map(ToString::to_string),
                status: folder_status(it),
                reason: &it.reason,
                error: it.error.as_ref().map(|it| it.message.as_str()),
                notes: it.tally.notes(),
                numbers: Numbers::new(|number| number(&it.tally)),
            })
            .collect(),
        skipped_items: report
            .skipped()
            .map(|(folder, item)| JsonSkipped {
                folder: folder.to_string(),
                uid: item.uid.get(),
                subject: item.subject.as_deref(),
                date: date(item),
                size: item.size,
                reason: &item.reason,
            })
            .collect(),
        repaired_items: report
            .repaired()
            .map(|(folder, item)| JsonRepaired {
                folder: folder.to_string(),
                uid: item.uid.get(),
                subject: item.subject.as_deref(),
                size: item.size,
                original_sha256: item.sha256.to_string(),
                edits: &item.edits,
            })
            .collect(),
    }
}
