//! Opens folders: notices a changed UIDVALIDITY, and skips folders that the server cannot open.

use mailhaul_engine::{Error, ErrorKind, FolderStatus};
use mailhaul_imap::{SelectOptions, Selected, Session};
use mailhaul_mail::{FolderPath, Retry, Scope, UidValidity};

use crate::imap::{culprits::is_hangup, mailbox::ImapMailbox, numbering::SelectMode};

/// Connections that may end when a folder is opened, before the folder is to blame.
const HANGUPS: u32 = 3;

impl ImapMailbox {
    /// Returns the open folder, and opens it if needed.
    ///
    /// A changed UIDVALIDITY is an error: known facts would be applied to other messages.
    pub(crate) async fn open(
        &mut self,
        folder: &FolderPath,
        mode: SelectMode,
    ) -> Result<Selected<'_>, Error> {
        self.session().await?;
        let name = self.wire(folder);
        let open = self.session.as_mut().and_then(Session::selected);
        let is_open = open
            .is_some_and(|it| *it.name() == name && (mode == SelectMode::Examine || !it.data().read_only));
        if !is_open {
            let now = self.reopen(folder, mode).await?;
            if let (Some(then), Some(now)) = (self.numbering.validity(folder), now)
                && then != now
            {
                let message = format!(
                    "{}: folder {folder}: the server changed UIDVALIDITY meanwhile (from {then} to {now})",
                    self.end()
                );
                return Err(Error::new(Scope::Folder, Retry::Now, ErrorKind::Renumbered, message));
            }
        }
        self.selected()
    }

    /// Opens the folder for a scan, with its current UIDVALIDITY.
    ///
    /// SELECT counts if EXAMINE sends no UIDVALIDITY, or another one than before. Quirk: Courier invents
    /// one for EXAMINE in mailboxes that only POP3 has used. SELECT changes nothing but `\Recent`.
    pub(crate) async fn open_to_scan(&mut self, folder: &FolderPath) -> Result<Selected<'_>, Error> {
        let then = self.numbering.validity(folder);
        let mut now = self.reopen(folder, SelectMode::Examine).await?;
        let is_sticky = !self.selected()?.data().uid_not_sticky;
        if self.selected()?.data().read_only
            && (now.is_none() || !is_sticky || then.is_some_and(|it| Some(it) != now))
        {
            let examined = now;
            now = self.reopen(folder, SelectMode::Select).await?;
            if now != examined {
                self.numbering.select_to_read(folder);
            }
        }
        self.numbering.set_validity(folder, now);
        self.selected()
    }

    /// Opens the folder as [`Self::open_to_scan`] does, and returns its state.
    pub(crate) async fn opened_status(&mut self, folder: &FolderPath) -> Result<FolderStatus, Error> {
        let selected = self.open_to_scan(folder).await?;
        let data = selected.data();
        let (messages, uid_next, highest_modseq) = (data.exists, data.uid_next, data.highest_modseq);
        let uid_validity = data.uid_validity.unwrap_or_else(|| self.numbering.made_up_validity(folder));
        Ok(FolderStatus { messages, uid_validity, uid_next, highest_modseq })
    }

    /// Selects the folder now. `None` if the answer lacks UIDVALIDITY or UIDNEXT, or the folder is
    /// read-only.
    pub(crate) async fn reselect(&mut self, folder: &FolderPath) -> Result<Option<FolderStatus>, Error> {
        let uid_validity = self.reopen(folder, SelectMode::Select).await?;
        let selected = self.selected()?;
        let data = selected.data();
        let (messages, uid_next, highest_modseq) = (data.exists, data.uid_next, data.highest_modseq);
        let is_writable = !data.read_only && !data.uid_not_sticky;
        let Some(uid_validity) = uid_validity.filter(|_| is_writable && uid_next.is_some()) else {
            return Ok(None);
        };
        self.numbering.set_validity(folder, Some(uid_validity));
        Ok(Some(FolderStatus { messages, uid_validity, uid_next, highest_modseq }))
    }

    /// Opens the folder now, and returns its UIDVALIDITY.
    ///
    /// Quirk: a folder at which every connection ends is given up, so that the others can be migrated
    /// (Exchange 2007 with a blank at the end of a name, Zimbra with a locked share).
    pub(crate) async fn reopen(
        &mut self,
        folder: &FolderPath,
        mode: SelectMode,
    ) -> Result<Option<UidValidity>, Error> {
        let mode = if self.numbering.is_selected_to_read(folder) { SelectMode::Select } else { mode };
        let (is_further, mut hangups) = (self.is_further, 0);
        loop {
            self.session().await?;
            let name = self.wire(folder);
            let options = SelectOptions { condstore: true, qresync: None };
            let session = self.session().await?;
            if let Some(error) = session.ended().await {
                // The session ended before, and not because of this folder.
                return Err(self.explain_in(folder, error));
            }
            let outcome = match mode {
                SelectMode::Examine => session.examine(&name, &options).await,
                SelectMode::Select => session.select(&name, &options).await,
            };
            match outcome {
                Ok(selected) => return Ok(selected.data().uid_validity),
                Err(error) if is_hangup(&error) && !is_further => {
                    hangups += 1;
                    self.session = None;
                    if hangups == HANGUPS {
                        let words =
                            format_args!("the server cannot open it; {HANGUPS} connections ended there");
                        let error = self.explain_in(folder, error.context(words));
                        return Err(Error { scope: Scope::Folder, retry: Retry::Never, ..error });
                    }
                }
                Err(error) => return Err(self.explain_in(folder, error)),
            }
        }
    }

    /// Opens the folder once more, and returns the number of its messages.
    pub(crate) async fn open_now(&mut self, folder: &FolderPath, mode: SelectMode) -> Result<u32, Error> {
        self.reopen(folder, mode).await?;
        Ok(self.selected()?.data().exists)
    }

    pub(crate) fn selected(&mut self) -> Result<Selected<'_>, Error> {
        let selected = self.session.as_mut().and_then(Session::selected);
        selected.ok_or_else(|| Error::session("the folder is not open"))
    }
}
