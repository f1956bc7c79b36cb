//! IMAP protocol trace in a file.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use mailhaul_imap::{Direction, Trace};
use parking_lot::Mutex;

/// File of all connections. Only its owner may read it.
pub(crate) struct TraceFile(Mutex<File>);

impl TraceFile {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(Self(Mutex::new(file)))
    }
}

/// Trace of one connection: each line begins with the label.
pub(crate) struct LabelledTrace {
    pub(crate) file: Arc<TraceFile>,
    pub(crate) label: String,
}

impl Trace for LabelledTrace {
    fn line(&self, direction: Direction, text: &str) {
        let sender = match direction {
            Direction::Client => 'C',
            Direction::Server => 'S',
        };
        let line = format!("{} {sender}: {text}\n", self.label);
        // The line is lost if the write fails: a trace must not stop a migration.
        _ = self.file.0.lock().write_all(line.as_bytes());
    }
}
