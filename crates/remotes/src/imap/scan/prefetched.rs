//! Scans that were made before the engine asked for them.

use std::collections::BTreeMap;

use mailhaul_engine::{Cursor, Scan};
use mailhaul_mail::FolderPath;

/// Scans that were made ahead and not used yet.
#[derive(Default)]
pub(crate) struct PrefetchedScans {
    scans: BTreeMap<FolderPath, (Cursor, Scan)>,
    /// True after a connection ended at such a request. Each folder is then scanned alone.
    pub(crate) is_refused: bool,
}

impl PrefetchedScans {
    /// Takes the scan of the folder since this cursor.
    pub(crate) fn take(&mut self, folder: &FolderPath, since: Option<&Cursor>) -> Option<Scan> {
        let (cursor, scan) = self.scans.remove(folder)?;
        since.is_some_and(|it| *it == cursor).then_some(scan)
    }

    /// Keeps the scan of the folder since this cursor.
    pub(crate) fn add(&mut self, folder: FolderPath, cursor: Cursor, scan: Scan) {
        self.scans.insert(folder, (cursor, scan));
    }

    /// Drops the scans that were not used.
    pub(crate) fn clear(&mut self) {
        self.scans.clear();
    }
}
