//! Result of a run as a table and text.

use comfy_table::{CellAlignment, Table, presets};
use mailhaul_engine::{Error, ErrorKind, FolderTally, SkippedItem};
use mailhaul_mail::on_one_line;

use super::run::Outcome;
use crate::{
    advice::explained,
    exit::Exit,
    output::{text, ui::Ui},
};

/// Status of a mailbox, in Exchange's words.
pub(crate) fn status(outcome: &Outcome) -> &'static str {
    match &outcome.report.error {
        Some(error) if error.kind == ErrorKind::Interrupted => "Stopped",
        _ if outcome.report.is_synced() => "Synced",
        _ => "Failed",
    }
}

/// Exit code of the run.
pub(crate) fn exit(outcomes: &[Outcome], stopped: bool) -> Exit {
    let kinds = |kind: ErrorKind| {
        outcomes.iter().any(|it| {
            it.report.error.as_ref().is_some_and(|it| it.kind == kind)
                || it.report.folders.iter().any(|it| it.error.as_ref().is_some_and(|it| it.kind == kind))
        })
    };
    if stopped && kinds(ErrorKind::Interrupted) {
        Exit::Interrupted
    } else if kinds(ErrorKind::Internal) {
        Exit::Internal
    } else if kinds(ErrorKind::Damaged) {
        Exit::Damaged
    } else if !outcomes.is_empty()
        && outcomes.iter().all(|it| it.report.error.as_ref().is_some_and(is_misused))
    {
        Exit::Usage
    } else if outcomes.iter().any(|it| !it.report.is_synced()) {
        Exit::Failed
    } else if outcomes.iter().any(|it| it.report.skipped().next().is_some()) {
        Exit::Skipped
    } else {
        Exit::Synced
    }
}

/// True if the operator's options leave nothing to do.
fn is_misused(error: &Error) -> bool {
    error.kind == ErrorKind::Options
}

/// Prints the table, then every message that was edited or skipped, then the totals.
pub(crate) fn print(outcomes: &[Outcome]) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header([
        "Mailbox",
        "Status",
        "Folders",
        "Seen",
        "Copied",
        "Already there",
        "Left out",
        "Skipped",
        "Bytes",
        "Seconds",
        "Rate",
    ]);
    for outcome in outcomes {
        let report = &outcome.report;
        let bytes = report.total(|it| it.bytes);
        table.add_row([
            on_one_line(&outcome.name).into_owned(),
            status(outcome).to_owned(),
            report.folders.iter().filter(|it| it.target.is_some()).count().to_string(),
            report.total(|it| it.seen).to_string(),
            report.total(|it| it.copied).to_string(),
            report.total(|it| it.already).to_string(),
            report.total(|it| it.excluded).to_string(),
            report.skipped().count().to_string(),
            text::bytes(bytes),
            format!("{:.1}", outcome.elapsed.as_secs_f64()),
            text::rate(bytes, outcome.elapsed),
        ]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    text::print_page(&table);
    outcomes.iter().for_each(print_details);
    text::print(totals(outcomes));
}

/// Prints the changes, notes, edits and skipped messages of a mailbox.
fn print_details(outcome: &Outcome) {
    let report = &outcome.report;
    let changes = [
        (report.total(|it| it.flags_changed), "flags changed"),
        (report.total(|it| it.moved), "moved on the target"),
        (report.total(|it| it.removed), "removed from the target"),
    ];
    let changes: Vec<String> = changes
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", text::count(number, "message", "messages")))
        .collect();
    if !changes.is_empty() {
        text::print(format_args!("{}: {}", outcome.name, changes.join(", ")));
    }
    for folder in &report.folders {
        for note in folder.tally.notes() {
            text::print(format_args!("{}: {}: {note}", outcome.name, folder.source));
        }
    }
    for (folder, item) in report.repaired() {
        text::print(format_args!("{}: {}", outcome.name, text::repaired(folder, item)));
    }
    for (folder, item) in report.skipped() {
        text::print(format_args!("{}: skipped: {folder}: {}", outcome.name, describe(item)));
    }
}

/// Totals of the run in one line.
fn totals(outcomes: &[Outcome]) -> String {
    let with = |wanted: &str| outcomes.iter().filter(|it| status(it) == wanted).count() as u64;
    let total =
        |number: fn(&FolderTally) -> u64| -> u64 { outcomes.iter().map(|it| it.report.total(number)).sum() };
    let counts: Vec<String> = ["Synced", "Failed", "Stopped"]
        .into_iter()
        .filter(|it| with(it) > 0)
        .map(|it| format!("{} {}", text::count(with(it), "mailbox", "mailboxes"), it.to_lowercase()))
        .collect();
    format!(
        "{}: {} seen = {} copied + {} already there + {} left out + {} skipped",
        counts.join(", "),
        text::count(total(|it| it.seen), "message", "messages"),
        total(|it| it.copied),
        total(|it| it.already),
        total(|it| it.excluded),
        total(|it| it.skipped.len() as u64),
    )
}

/// Describes a skipped message in one line.
fn describe(item: &SkippedItem) -> String {
    let subject = item.subject.as_ref().map_or_else(
        || "no subject".to_owned(),
        |it| {
            format!("\"{}\"", it.chars().map(|it| if it.is_control() { ' ' } else { it }).collect::<String>())
        },
    );
    let date = item.internal_date.map_or_else(|| "no date".to_owned(), |it| it.to_string().trim().to_owned());
    format!("{subject}, {date}, {}, UID {}: {}", text::bytes(item.size), item.uid, item.reason)
}

/// Prints every failure with its advice.
pub(crate) fn print_failures(outcomes: &[Outcome], ui: &Ui) {
    for outcome in outcomes {
        let row = outcome.row.map(|it| format!(" (row {it})")).unwrap_or_default();
        let whole = outcome.report.error.iter().map(|error| (None, error));
        let folders = outcome.report.folders.iter();
        let folders = folders.filter_map(|it| Some((Some(&it.source), it.error.as_ref()?)));
        let mut last = None;
        for (folder, error) in whole.chain(folders) {
            // The folder in which the pass ended has the same error as the pass.
            if last == Some(&error.message) {
                continue;
            }
            last = Some(&error.message);
            let folder = folder.map(|it| format!("{it}: ")).unwrap_or_default();
            ui.warn(&format!("error: {}{row}: {folder}{}", outcome.name, explained(error)));
        }
    }
}
