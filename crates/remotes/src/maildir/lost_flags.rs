//! Warns once of each flag that a folder does not keep.

use std::{collections::BTreeSet, sync::Arc};

use mailhaul_mail::{Flags, FolderPath};
use parking_lot::Mutex;

/// The flags already reported. Clones share them.
#[derive(Clone, Default)]
pub(super) struct LostFlags(Arc<Mutex<BTreeSet<(FolderPath, String)>>>);

impl LostFlags {
    /// Warns of each flag that was not reported yet.
    pub(super) fn tell(&self, whose: &str, folder: &FolderPath, flags: &Flags) {
        let new = self.unreported(folder, flags);
        if !new.is_empty() {
            tracing::warn!(
                "{whose}: a Maildir folder keeps 26 keywords, and none with a backslash: the messages arrive without {}",
                new.join(" ")
            );
        }
    }

    fn unreported(&self, folder: &FolderPath, flags: &Flags) -> Vec<String> {
        let mut told = self.0.lock();
        let is_new = |name: &&str| told.insert((folder.clone(), (*name).to_owned()));
        flags.iter().filter(is_new).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_told_once_in_each_folder() {
        let lost = LostFlags::default();
        let (inbox, sent) = (FolderPath::inbox(), FolderPath::parse("Sent"));
        let flags: Flags = ["a", "b"].into_iter().collect();
        assert_eq!(lost.unreported(&inbox, &["a"].into_iter().collect()), ["a"]);
        assert_eq!(lost.clone().unreported(&inbox, &flags), ["b"]);
        assert_eq!(lost.unreported(&sent, &flags), ["a", "b"]);
    }
}
