//! The result for other programs: CSV and JSON.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use anyhow::Result;
use mailhaul_engine::{FolderReport, SkippedItem};
use serde::Serialize;

use super::{run::Outcome, summary::status};
use crate::{csv_cell::harmless, exit::Exit, text};

const COLUMNS: [&str; 16] = [
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
];

/// A CSV report that appears whole or not at all.
pub(crate) struct ReportFile {
    path: PathBuf,
    unfinished: PathBuf,
    file: File,
}

impl ReportFile {
    /// Makes the file beside its place, so that a place that cannot be written is known at once.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        name.push(".unfinished");
        let unfinished = path.with_file_name(name);
        let file = File::create(&unfinished)?;
        Ok(Self { path: path.to_owned(), unfinished, file })
    }

    /// Writes everything, and puts the file in its place.
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

/// A row for the mailbox, one for each folder, one for each skipped message.
fn rows(outcome: &Outcome) -> Vec<[String; COLUMNS.len()]> {
    let report = &outcome.report;
    let empty = String::new;
    let error = report.error.as_ref().map(|it| it.message.clone()).unwrap_or_default();
    let mut rows = vec![[
        "Mailbox".to_owned(),
        outcome.name.clone(),
        status(outcome).to_owned(),
        empty(),
        empty(),
        report.total(|it| it.seen).to_string(),
        report.total(|it| it.copied).to_string(),
        report.total(|it| it.already).to_string(),
        report.total(|it| it.excluded).to_string(),
        report.skipped().count().to_string(),
        report.total(|it| it.bytes).to_string(),
        empty(),
        empty(),
        empty(),
        empty(),
        error,
    ]];
    for folder in &report.folders {
        let tally = &folder.tally;
        rows.push([
            "Folder".to_owned(),
            outcome.name.clone(),
            folder_status(folder).to_owned(),
            folder.source.to_string(),
            folder.target.as_ref().map(ToString::to_string).unwrap_or_default(),
            tally.seen.to_string(),
            tally.copied.to_string(),
            tally.already.to_string(),
            tally.excluded.to_string(),
            tally.skipped.len().to_string(),
            tally.bytes.to_string(),
            empty(),
            empty(),
            empty(),
            empty(),
            folder.error.as_ref().map_or_else(|| folder.reason.clone(), |it| it.message.clone()),
        ]);
    }
    for (folder, item) in report.skipped() {
        rows.push([
            "SkippedItem".to_owned(),
            outcome.name.clone(),
            "Skipped".to_owned(),
            folder.to_string(),
            empty(),
            empty(),
            empty(),
            empty(),
            empty(),
            empty(),
            empty(),
            item.uid.to_string(),
            item.subject.clone().unwrap_or_default(),
            date(item),
            item.size.to_string(),
            item.reason.clone(),
        ]);
    }
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
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Numbers {
    seen: u64,
    copied: u64,
    already_there: u64,
    left_out: u64,
    skipped: u64,
    bytes: u64,
    flags_changed: u64,
    moved: u64,
    removed: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonFolder<'a> {
    folder: String,
    target_folder: Option<String>,
    status: &'static str,
    reason: &'a str,
    error: Option<&'a str>,
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

/// Prints the result as one JSON value.
pub(crate) fn print_json(outcomes: &[Outcome], exit: Exit) -> Result<()> {
    let json = Json {
        result: exit.to_string(),
        exit_code: exit.into(),
        mailboxes: outcomes.iter().map(json_mailbox).collect(),
    };
    text::print(serde_json::to_string_pretty(&json)?);
    Ok(())
}

fn json_mailbox(outcome: &Outcome) -> JsonMailbox<'_> {
    let report = &outcome.report;
    JsonMailbox {
        email_address: &outcome.name,
        status: status(outcome),
        error: report.error.as_ref().map(|it| it.message.as_str()),
        seconds: outcome.elapsed.as_secs_f64(),
        numbers: Numbers {
            seen: report.total(|it| it.seen),
            copied: report.total(|it| it.copied),
            already_there: report.total(|it| it.already),
            left_out: report.total(|it| it.excluded),
            skipped: report.skipped().count() as u64,
            bytes: report.total(|it| it.bytes),
            flags_changed: report.total(|it| it.flags_changed),
            moved: report.total(|it| it.moved),
            removed: report.total(|it| it.removed),
        },
        folders: report
            .folders
            .iter()
            .map(|it| JsonFolder {
                folder: it.source.to_string(),
                target_folder: it.target.as_ref().map(ToString::to_string),
                status: folder_status(it),
                reason: &it.reason,
                error: it.error.as_ref().map(|it| it.message.as_str()),
                numbers: Numbers {
                    seen: it.tally.seen,
                    copied: it.tally.copied,
                    already_there: it.tally.already,
                    left_out: it.tally.excluded,
                    skipped: it.tally.skipped.len() as u64,
                    bytes: it.tally.bytes,
                    flags_changed: it.tally.flags_changed,
                    moved: it.tally.moved,
                    removed: it.tally.removed,
                },
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
    }
}
