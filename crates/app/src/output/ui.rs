//! Progress of `migrate`: bars on a terminal, otherwise one line per event.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, IsTerminal as _, Write},
    sync::Arc,
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use mailhaul_engine::{Event, Progress};
use mailhaul_mail::{FolderPath, on_one_line};
use parking_lot::Mutex;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::text;

/// Amount of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors and warnings.
    Quiet,
    /// Also events.
    Normal,
    /// Also unchanged folders and the debug log.
    Verbose,
}

/// Writer of all lines and bars on stderr, so that they do not overwrite each other.
#[derive(Clone)]
pub(crate) struct Ui {
    verbosity: Verbosity,
    /// Only on a terminal.
    bars: Option<Bars>,
}

#[derive(Clone)]
struct Bars {
    all: MultiProgress,
    overall: ProgressBar,
    bytes: Arc<Mutex<u64>>,
}

impl Ui {
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        let bars = (verbosity > Verbosity::Quiet && io::stderr().is_terminal()).then(|| {
            let all = MultiProgress::new();
            let overall = all.add(ProgressBar::new(0).with_style(style()).with_prefix("all mailboxes"));
            overall.enable_steady_tick(Duration::from_millis(500));
            Bars { all, overall, bytes: Arc::default() }
        });
        Self { verbosity, bars }
    }

    /// Prints the log of all crates too.
    pub(crate) fn take_log(&self) {
        let level = if self.verbosity == Verbosity::Verbose { "mailhaul=debug,warn" } else { "warn" };
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(level))
            .with_target(self.verbosity == Verbosity::Verbose)
            .without_time()
            // Colours would be escape sequences, and control characters are not printed.
            .with_ansi(false)
            .with_writer(self.clone());
        // Fails if there is a subscriber already. A process runs one command, so there is none.
        _ = subscriber.try_init();
    }

    /// Prints a line at every verbosity.
    pub(crate) fn warn(&self, line: &str) {
        self.print(line);
    }

    /// Prints a line unless the verbosity is quiet.
    pub(crate) fn say(&self, line: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.print(line);
        }
    }

    fn print(&self, line: &str) {
        let line = text::shown(line);
        match &self.bars {
            // The line is lost if stderr is closed.
            Some(bars) => bars.all.suspend(|| _ = writeln!(io::stderr(), "{line}")),
            None => _ = writeln!(io::stderr(), "{line}"),
        }
    }

    /// Removes the bars.
    pub(crate) fn finish(&self) {
        if let Some(bars) = &self.bars {
            bars.overall.finish_and_clear();
        }
    }

    /// Returns the progress receiver of one mailbox.
    pub(crate) fn mailbox(&self, name: &str) -> MailboxUi {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = ProgressBar::new(0).with_style(style()).with_prefix(on_one_line(name).into_owned());
            let bar = bars.all.insert_before(&bars.overall, bar);
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        MailboxUi { ui: self.clone(), name: name.to_owned(), bar, state: Mutex::default() }
    }
}

fn style() -> ProgressStyle {
    let rate = |state: &ProgressState, line: &mut dyn fmt::Write| {
        // Ignored: a bar that cannot be drawn must not stop the run.
        _ = write!(line, "{:.0}/s", state.per_sec());
    };
    ProgressStyle::with_template("{prefix:28!} {bar:20} {pos}/{len} messages {rate} ETA {eta} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate)
}

impl<'a> MakeWriter<'a> for Ui {
    type Writer = UiWriter;

    fn make_writer(&'a self) -> UiWriter {
        UiWriter { ui: self.clone(), line: Vec::new() }
    }
}

/// Line of the log. It is printed when it is dropped.
pub(crate) struct UiWriter {
    ui: Ui,
    line: Vec<u8>,
}

impl Write for UiWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for UiWriter {
    fn drop(&mut self) {
        self.ui.print(String::from_utf8_lossy(&self.line).trim_end());
    }
}

/// Progress of one mailbox.
pub(crate) struct MailboxUi {
    ui: Ui,
    name: String,
    bar: Option<ProgressBar>,
    state: Mutex<BarState>,
}

/// Messages of each folder that are still expected: the rest of the bar.
#[derive(Default)]
struct BarState {
    expected: BTreeMap<FolderPath, u64>,
    done: u64,
    bytes: u64,
}

impl BarState {
    fn length(&self) -> u64 {
        self.done + self.expected.values().sum::<u64>()
    }
}

impl MailboxUi {
    fn line(&self, line: &str) {
        if self.bar.is_none() {
            self.ui.say(&format!("{}: {line}", self.name));
        }
    }

    /// Applies the change, and redraws the bars.
    fn draw(&self, folder: Option<&FolderPath>, change: impl FnOnce(&mut BarState)) {
        let (Some(bar), Some(bars)) = (&self.bar, &self.ui.bars) else { return };
        let mut state = self.state.lock();
        let (length, done, bytes) = (state.length(), state.done, state.bytes);
        change(&mut state);
        bar.set_length(state.length());
        bar.set_position(state.done);
        bars.overall.inc_length(state.length().saturating_sub(length));
        bars.overall.dec_length(length.saturating_sub(state.length()));
        bars.overall.inc(state.done - done);
        let mut all = bars.bytes.lock();
        *all += state.bytes - bytes;
        bars.overall.set_message(format!(
            "{} {}",
            text::bytes(*all),
            text::rate(*all, bars.overall.elapsed())
        ));
        if let Some(folder) = folder {
            let bytes = text::bytes(state.bytes);
            let rate = text::rate(state.bytes, bar.elapsed());
            bar.set_message(on_one_line(&format!("{bytes} {rate}  {folder}")).into_owned());
        }
    }
}

impl Progress for MailboxUi {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Planned { folders } => {
                self.draw(None, |state| state.expected = folders.iter().cloned().collect());
                match folders.len() {
                    0 => self.line("nothing changed since the last run"),
                    many => {
                        self.line(&format!("{} to scan", text::count(many as u64, "folder", "folders")));
                    }
                }
            }
            Event::Unmatched { option } => {
                self.ui.warn(&format!("warning: {}: {}", self.name, text::unmatched(option)));
            }
            Event::Folder { folder, reason, messages, bytes } => {
                self.draw(Some(folder), |state| _ = state.expected.insert(folder.clone(), messages));
                let many = text::count(messages, "message", "messages");
                self.line(&format!("{folder}: {many}, {} to send ({reason})", text::bytes(bytes)));
            }
            Event::Arrived { folder, messages, bytes } => self.draw(Some(folder), |state| {
                state.done += messages;
                state.bytes += bytes;
                if let Some(expected) = state.expected.get_mut(folder) {
                    *expected = expected.saturating_sub(messages);
                }
            }),
            Event::FolderDone { folder, tally } => {
                self.draw(Some(folder), |state| _ = state.expected.remove(folder));
                self.line(&format!(
                    "{folder}: done: {} copied, {} already there, {} skipped",
                    tally.copied,
                    tally.already,
                    tally.skipped.len()
                ));
            }
            Event::Unchanged { folder } => {
                if self.ui.verbosity == Verbosity::Verbose {
                    self.ui.say(&format!("{}: {folder}: unchanged", self.name));
                }
            }
            Event::Skipped { folder, uid, reason } => {
                self.ui.say(&format!("{}: {folder}: message with UID {uid} skipped: {reason}", self.name));
            }
            Event::Repaired { folder, item } => {
                self.ui.say(&format!("{}: {}", self.name, text::repaired(folder, item)));
            }
            Event::Waiting { folder, words } => {
                self.ui.warn(&format!("{}: {folder}: {words} (--confirm-deletions)", self.name));
            }
            Event::Emptied { folder, is_removed } => {
                self.ui.warn(&format!("{}: {}", self.name, text::emptied(folder, is_removed)));
            }
            Event::StaySubscribed { folders } => {
                self.ui.warn(&format!("{}: {}", self.name, text::stay_subscribed(folders)));
            }
            Event::FolderFailed { folder, error } => {
                self.ui.warn(&format!("{}: {folder}: left unfinished: {error}", self.name));
            }
            Event::ConnectionPairEnded { error } => {
                self.ui.warn(&format!("{}: {error}; retrying over another connection", self.name));
            }
            Event::Retrying { error, after } => {
                let when = match after.as_secs() {
                    0 => "now".to_owned(),
                    seconds => format!("in {}", text::count(seconds, "second", "seconds")),
                };
                self.ui.warn(&format!("{}: {error}; retrying {when}", self.name));
            }
        }
    }
}

impl Drop for MailboxUi {
    fn drop(&mut self) {
        self.draw(None, |state| state.expected.clear());
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
