//! Renames folders of a target, and removes empty ones.

use mailhaul_engine::{Error, Mailbox as _, NewFolder};
use mailhaul_mail::{FolderPath, Scope};

use crate::imap::{mailbox::ImapMailbox, numbering::SelectMode};

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
            // The folder exists, even if the user does not see it at once.
            _ => Ok(()),
        }
    }

    /// Removes the folder if it can be opened, is empty, has no special use and no folders below it.
    ///
    /// DELETE also removes messages that arrive a moment before. So the folder is first renamed to a name
    /// without delivery, and checked once more. A delivery that opened the folder before the rename can
    /// still be lost.
    pub(crate) async fn remove_empty(&mut self, folder: &FolderPath) -> Result<bool, Error> {
        let listed = self.folders().await?;
        let is_within = |it: &mailhaul_engine::Folder| it.path != *folder && it.path.is_within(folder);
        let is_kept = |it: &mailhaul_engine::Folder| it.path == *folder && it.special_use.is_some();
        if folder.is_inbox() || listed.iter().any(|it| is_within(it) || is_kept(it)) {
            return Ok(false);
        }
        let aside = aside(folder);
        let is_listed = |path: &FolderPath| listed.iter().any(|it| it.path == *path);
        // An earlier connection broke between the rename and DELETE.
        if is_listed(&aside) && !is_listed(folder) {
            return self.finish_removal(folder, &aside, false).await;
        }
        if !self.is_empty(folder).await? {
            return Ok(false);
        }
        match self.rename(folder, &NewFolder { path: aside.clone(), subscribe: false }).await {
            Ok(()) => {}
            // Some servers do not rename. Then the check before DELETE is the last one.
            Err(error) if error.scope <= Scope::Folder => {
                return if self.is_empty(folder).await? { self.delete_now(folder).await } else { Ok(false) };
            }
            Err(error) => return Err(error),
        }
        let is_subscribed = listed.iter().any(|it| it.path == *folder && it.subscribed);
        self.finish_removal(folder, &aside, is_subscribed).await
    }

    /// Deletes the renamed folder, or restores its name if mail arrived.
    async fn finish_removal(
        &mut self,
        folder: &FolderPath,
        aside: &FolderPath,
        subscribe: bool,
    ) -> Result<bool, Error> {
        if self.is_empty(aside).await? {
            return self.delete_now(aside).await;
        }
        self.selected()?.unselect().await.map_err(|error| self.explain_in(aside, error))?;
        let back = self.rename(aside, &NewFolder { path: folder.clone(), subscribe }).await;
        back.map(|()| false).map_err(|error| {
            let words = format!("mail arrived in \"{folder}\", which is now named \"{aside}\": {error}");
            Error::session(words)
        })
    }

    /// True if the folder, opened now, has no messages.
    async fn is_empty(&mut self, folder: &FolderPath) -> Result<bool, Error> {
        let is_empty = self.open_now(folder, SelectMode::Select).await? == 0;
        if is_empty {
            self.selected()?.close().await.map_err(|error| self.explain_in(folder, error))?;
        }
        Ok(is_empty)
    }

    async fn delete_now(&mut self, folder: &FolderPath) -> Result<bool, Error> {
        let name = self.wire(folder);
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

/// A name beside the folder, without delivery of mail.
fn aside(folder: &FolderPath) -> FolderPath {
    let mut segments = folder.segments().to_vec();
    if let Some(last) = segments.last_mut() {
        last.push_str(" (being removed by mailhaul)");
    }
    FolderPath::new(segments)
}
