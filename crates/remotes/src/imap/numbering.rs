//! UIDVALIDITY of the folders: the number to which the known UIDs belong.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use mailhaul_mail::{FolderPath, UidValidity};
use parking_lot::{Mutex, MutexGuard};

/// The command that opens a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SelectMode {
    /// For reading.
    Examine,
    /// For writing.
    Select,
}

/// UIDVALIDITY of the folders. All connections to a mailbox share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbering(Arc<Mutex<NumberingState>>);

#[derive(Debug, Default)]
struct NumberingState {
    /// The UIDVALIDITY of all UIDs that are known.
    validity: BTreeMap<FolderPath, UidValidity>,
    /// Folders with a lasting UIDVALIDITY in SELECT only, and not in EXAMINE.
    selected_to_read: BTreeSet<FolderPath>,
    /// Folders without any UIDVALIDITY.
    without_validity: BTreeSet<FolderPath>,
}

impl Numbering {
    fn inner(&self) -> MutexGuard<'_, NumberingState> {
        self.0.lock()
    }

    /// Sets the UIDVALIDITY of the folder's UIDs.
    pub(crate) fn set_validity(&self, folder: &FolderPath, validity: Option<UidValidity>) {
        if let Some(validity) = validity {
            self.inner().validity.insert(folder.clone(), validity);
        }
    }

    /// The UIDVALIDITY of a folder for which the server sends none: the known one, else a new number.
    ///
    /// No other pass has that number, so that the next pass matches the messages by their fingerprints.
    pub(crate) fn made_up_validity(&self, folder: &FolderPath) -> UidValidity {
        let mut told = self.inner();
        if let Some(known) = told.validity.get(folder) {
            return *known;
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let number = u64::try_from(since.as_nanos()).ok().and_then(UidValidity::new);
        let made_up = number.unwrap_or(UidValidity::LAST);
        told.validity.insert(folder.clone(), made_up);
        told.without_validity.insert(folder.clone());
        made_up
    }

    /// True if the folder's UIDVALIDITY is not the server's.
    pub(crate) fn is_made_up(&self, folder: &FolderPath) -> bool {
        self.inner().without_validity.contains(folder)
    }

    /// True if the folder must be opened with SELECT to be read.
    pub(crate) fn is_selected_to_read(&self, folder: &FolderPath) -> bool {
        self.inner().selected_to_read.contains(folder)
    }

    /// Remembers that the folder must be opened with SELECT to be read.
    pub(crate) fn select_to_read(&self, folder: &FolderPath) {
        self.inner().selected_to_read.insert(folder.clone());
    }

    /// The last known UIDVALIDITY.
    pub(crate) fn validity(&self, folder: &FolderPath) -> Option<UidValidity> {
        self.inner().validity.get(folder).copied()
    }
}
