//! Flag changes on an IMAP target: all in one round trip, each only with flags that the folder keeps.

use mailhaul_engine::{Error, FlagChange};
use mailhaul_imap::{self as imap, StoreCommand, StoreMode};
use mailhaul_mail::{Flags, FolderPath, Scope, SystemFlag};

use crate::imap::{mailbox::ImapMailbox, numbering::SelectMode};

/// Changes in one round trip. A server that disconnects after some refusals gets one at a time: what the first refusal
/// teaches spares the others.
const TOGETHER: usize = 100;

impl ImapMailbox {
    /// Changes flags as far as the folder keeps them, and warns of those that it does not keep.
    pub(crate) async fn change_flags(
        &mut self,
        folder: &FolderPath,
        changes: &[FlagChange],
    ) -> Result<(), Error> {
        let allowance = self.choice.profile.allowance(0);
        let together = if allowance.is_some() { 1 } else { TOGETHER };
        let mut lost = Flags::new();
        let mut stored = Ok(());
        for group in changes.chunks(together) {
            stored = self.store_all(folder, group, &mut lost).await;
            if stored.is_err() {
                break;
            }
        }
        self.warn_of_lost_flags(folder, &lost);
        stored
    }

    async fn store_all(
        &mut self,
        folder: &FolderPath,
        changes: &[FlagChange],
        lost: &mut Flags,
    ) -> Result<(), Error> {
        let permanent = self.permanent_flags(folder).await?;
        let mut stores = Vec::new();
        for change in changes {
            for (mode, flags) in [(StoreMode::Add, &change.add), (StoreMode::Remove, &change.remove)] {
                let mut learned = self.learned();
                let learned = learned.folder(folder);
                let kept = flags.filtered(|name| permanent.keeps(name) && !learned.refuses(name));
                if mode == StoreMode::Add {
                    flags.without(&kept).iter().for_each(|name| lost.insert(name));
                }
                stores.push(StoreCommand { uids: change.uids.clone(), mode, flags: kept });
            }
        }
        let results = self.open(folder, SelectMode::Select).await?.uid_store_many(&stores).await;
        for (store, result) in
            stores.into_iter().zip(results.map_err(|error| self.explain_in(folder, error))?)
        {
            if let Err(error) = result {
                self.store_fewer(folder, store, error, lost).await?;
            }
        }
        Ok(())
    }

    /// Repeats a refused change without the keywords that are to blame, or without any keyword.
    async fn store_fewer(
        &mut self,
        folder: &FolderPath,
        mut store: StoreCommand,
        mut error: imap::Error,
        lost: &mut Flags,
    ) -> Result<(), Error> {
        loop {
            if error.scope > Scope::Message || store.flags.keywords().next().is_none() {
                return Err(self.explain_in(folder, error.at_least(Scope::Folder)));
            }
            let is_named = self.learned().folder(folder).learn_flags(&error.message, &store.flags);
            let suits = |name: &str| {
                if is_named {
                    !self.learned().folder(folder).refuses(name)
                } else {
                    SystemFlag::ALL.iter().any(|flag| flag.name() == name)
                }
            };
            let kept = store.flags.filtered(suits);
            if store.mode == StoreMode::Add {
                store.flags.without(&kept).iter().for_each(|name| lost.insert(name));
            }
            store.flags = kept;
            let mut selected = self.open(folder, SelectMode::Select).await?;
            match selected.uid_store(&store.uids, store.mode, &store.flags).await {
                Ok(()) => return Ok(()),
                Err(again) => error = again,
            }
        }
    }
}
