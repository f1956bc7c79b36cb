//! `mailhaul database copy`.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use mailhaul_store::{
    CopyProgress, CopyReport, CopyStep, Home, MasterKeySource, StoreError, copy, key_id_of_file,
};

use crate::{context::master_key, exit::Exit, output::text};

/// Rows between two lines about the same table.
const ROWS_PER_LINE: u64 = 250_000;

/// Copies the database, with progress on stderr.
pub(super) async fn run(from: &Home, to: &Home) -> Result<Exit, StoreError> {
    let started = Instant::now();
    let mut display = Display::new();
    let copied = copy(from, to, |progress| display.show(progress)).await;
    display.end();
    let report = copied?;
    text::print_page(summary(&report, started.elapsed()));
    if let Some(line) = report.key.map(|key| key_line(key, from, to)) {
        text::print(line);
    }
    Ok(Exit::Synced)
}

/// Describes the finished copy.
fn summary(report: &CopyReport, elapsed: Duration) -> String {
    let width = report.tables.iter().map(|table| table.name.len()).max().unwrap_or_default();
    let mut lines: Vec<String> = report
        .tables
        .iter()
        .map(|table| format!("{:width$}  {:>12}  {}", table.name, table.rows, table.digest))
        .collect();
    let rows: u64 = report.tables.iter().map(|table| table.rows).sum();
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    lines.push(format!(
        "{}, {}.{} s, {} rows/s; every table is equal in both",
        text::count(rows, "row", "rows"),
        millis / 1_000,
        millis % 1_000 / 100,
        rows.saturating_mul(1_000) / millis,
    ));
    lines.push(format!("{} is marked as moved to {}: continue there", report.from, report.to));
    lines.join("\n")
}

/// Names the file of the master key that the target needs.
fn key_line(key: [u8; 8], from: &Home, to: &Home) -> String {
    let id = text::hexadecimal(&key);
    let file = key_files(from).into_iter().find(|file| key_id_of_file(file) == Some(key));
    let file = match &file {
        Some(file) => format!("its file is {}", file.display()),
        None => "its file was not found here".to_owned(),
    };
    let use_it = match to {
        Home::Server(_) => {
            "each machine of the service needs a copy of it, named in MAILHAUL_MASTER_KEY_FILE".to_owned()
        }
        Home::Directory(data) => {
            format!(
                "copy it to {} (mode 600), or name it in MAILHAUL_MASTER_KEY_FILE",
                data.join("master.key").display()
            )
        }
    };
    format!(
        "the passwords are sealed with the master key {id}, which is not in the database: {file}; {use_it}"
    )
}

/// Files that may hold the key of the source.
fn key_files(from: &Home) -> Vec<PathBuf> {
    let named = match master_key() {
        MasterKeySource::File(file) | MasterKeySource::Credential(file) => Some(file),
        MasterKeySource::DataDirectory => None,
    };
    let own = match from {
        Home::Directory(data) => Some(absolute(&data.join("master.key"))),
        Home::Server(_) => None,
    };
    named.into_iter().chain(own).collect()
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A progress bar on a terminal; elsewhere lines.
struct Display {
    bar: Option<ProgressBar>,
    /// Table and step of the last report, and the rows of the last line.
    last: Option<(String, CopyStep, u64)>,
}

impl Display {
    fn new() -> Self {
        let style = "{msg} {bar:30} {human_pos}/{human_len} {per_sec}";
        let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(0).with_style(style));
        Self { bar, last: None }
    }

    fn show(&mut self, progress: CopyProgress<'_>) {
        let CopyProgress { table, rows, total, step } = progress;
        let verb = match step {
            CopyStep::Resume => "found",
            CopyStep::Copy => "copied",
            CopyStep::Compare => "compared",
        };
        let before = self.last.take().filter(|(name, other, _)| name == table && *other == step);
        let is_new = before.is_none();
        let shown = before.map_or(0, |(.., rows)| rows);
        if let Some(bar) = &self.bar {
            if is_new {
                bar.reset();
                bar.set_message(format!("{verb} {table}"));
            }
            bar.set_length(total);
            bar.set_position(rows);
        }
        let is_line = rows >= shown + ROWS_PER_LINE || (rows == total && rows > shown);
        if self.bar.is_none() && is_line {
            text::print_error(format_args!("{verb} {rows} of {total} rows of {table}"));
        }
        self.last = Some((table.to_owned(), step, if is_line { rows } else { shown }));
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
