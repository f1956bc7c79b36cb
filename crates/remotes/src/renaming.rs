//! Folders of a target that get another name, or are removed when they are empty.

use mailhaul_engine::{Error, Mailbox as _, NewFolder};
use mailhaul_mail::{FolderPath, Scope};

use crate::{imap_mailbox::ImapMailbox, opening::Mode};

impl ImapMailbox {
    /// Renames the folder, and its subscription with it.
    pub(crate) async fn rename(&mut self, from: &FolderPath, to: &NewFolder) -> Result<(), Error> {
        self.begin().await?;
        let (old, new) = (self.wire(from), self.wire(&to.path));
        let renamed = self.session().await?.rename(&old, &new).await;
        renamed.map_err(|error| self.explain_in(from, error))?;
        self.listed.retain(|path, _| !path.is_within(from));
        self.listed.insert(to.path.clone(), new.clone());
        let session = self.session().await?;
        let mut shown = session.unsubscribe(&old).await;
        if to.subscribe {
            shown = shown.and(session.subscribe(&new).await);
        }
        match shown {
            Err(error) if error.scope > Scope::Folder => Err(self.explain(error)),
            // The folder is there, whether the user sees it at once or not.
            _ => Ok(()),
        }
    }

    /// Removes the folder if it is open, empty, has no other use and none below it.
    pub(crate) async fn remove_empty(&mut self, folder: &FolderPath) -> Result<bool, Error> {
        let listed = self.folders().await?;
        let is_within = |it: &mailhaul_engine::Folder| it.path != *folder && it.path.is_within(folder);
        let is_kept = |it: &mailhaul_engine::Folder| it.path == *folder && it.special_use.is_some();
        if folder.is_inbox() || listed.iter().any(|it| is_within(it) || is_kept(it)) {
            return Ok(false);
        }
        // Its messages are counted as late as can be.
        let name = self.wire(folder);
        if self.open_now(folder, Mode::Select).await? > 0 {
            return Ok(false);
        }
        self.selected()?.close().await.map_err(|error| self.explain_in(folder, error))?;
        let session = self.session().await?;
        let deleted = session.delete(&name).await;
        let unsubscribed = session.unsubscribe(&name).await;
        deleted.map_err(|error| self.explain_in(folder, error))?;
        self.listed.remove(folder);
        match unsubscribed {
            Err(error) if error.scope > Scope::Folder => Err(self.explain(error)),
            _ => Ok(true),
        }
    }
}
