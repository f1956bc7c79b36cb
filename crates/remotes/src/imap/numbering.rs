//! UIDVALIDITY of the folders: the number to which the known UIDs belong.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use mailhaul_mail::{FolderPath, UidValidity};

/// How a folder is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SelectMode {
    /// To read.
    Examine,
    /// To write.
    Select,
}

/// What was told of how folders are numbered; all connections to a mailbox share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbering(Arc<Mutex<NumberingState>>);

#[derive(Debug, Default)]
struct NumberingState {
    /// The UIDVALIDITY to which all UIDs belong that were told since.
    validity: BTreeMap<FolderPath, UidValidity>,
    /// Folders for which EXAMINE tells no UIDVALIDITY that lasts, and SELECT does.
    selected_to_read: BTreeSet<FolderPath>,
    /// Folders for which the server tells no UIDVALIDITY at all.
    without_validity: BTreeSet<FolderPath>,
}

impl Numbering {
    fn inner(&self) -> MutexGuard<'_, NumberingState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder's UIDs belong to this UIDVALIDITY from now on.
    pub(crate) fn set_validity(&self, folder: &FolderPath, validity: Option<UidValidity>) {
        if let Some(validity) = validity {
            self.inner().validity.insert(folder.clone(), validity);
        }
    }

    /// The UIDVALIDITY of a folder for which the server now tells none: the one told before, else a number that no other
    /// pass has. The next pass recognises the messages by their fingerprints then.
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

    /// True if the folder's UIDVALIDITY was not told by the server.
    pub(crate) fn is_made_up(&self, folder: &FolderPath) -> bool {
        self.inner().without_validity.contains(folder)
    }

    /// True if EXAMINE tells no UIDVALIDITY of the folder that lasts.
    pub(crate) fn is_selected_to_read(&self, folder: &FolderPath) -> bool {
        self.inner().selected_to_read.contains(folder)
    }

    /// Remembers that the folder must be opened with SELECT to be read.
    pub(crate) fn select_to_read(&self, folder: &FolderPath) {
        self.inner().selected_to_read.insert(folder.clone());
    }

    /// The UIDVALIDITY that was told last.
    pub(crate) fn validity(&self, folder: &FolderPath) -> Option<UidValidity> {
        self.inner().validity.get(folder).copied()
    }
}
