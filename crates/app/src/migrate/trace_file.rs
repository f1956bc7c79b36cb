//! The protocol, written to a file.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use mailhaul_imap::{Direction, Trace};
use parking_lot::Mutex;

/// One file for all connections, readable for its owner alone.
pub(crate) struct TraceFile(Mutex<File>);

impl TraceFile {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(Self(Mutex::new(file)))
    }
}

/// The lines of one connection, each with its name in front.
pub(crate) struct Labelled {
    pub(crate) file: Arc<TraceFile>,
    pub(crate) label: String,
}

impl Trace for Labelled {
    fn line(&self, direction: Direction, text: &str) {
        let who = match direction {
            Direction::Client => 'C',
            Direction::Server => 'S',
        };
        let line = format!("{} {who}: {text}\n", self.label);
        // A trace that cannot be written must not stop a migration.
        let _lost = self.file.0.lock().write_all(line.as_bytes());
    }
}
