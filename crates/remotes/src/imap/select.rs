//! Opening a folder: with numbers that mean what was told before, and beside folders that no server can open.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use mailhaul_engine::{Error, ErrorKind, FolderStatus};
use mailhaul_imap::{self as imap, SelectOptions, Selected, Session};
use mailhaul_mail::{FolderPath, Retry, Scope, UidValidity};

use crate::imap::mailbox::ImapMailbox;

/// So many connections may end at the opening of a folder before it is the folder that is to blame.
const HANGUPS: u32 = 3;

/// How a folder is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// To read.
    Examine,
    /// To write.
    Select,
}

/// What was told of how folders are numbered; all connections to a mailbox share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbering(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    /// The UIDVALIDITY to which all UIDs belong that were told since.
    validity: BTreeMap<FolderPath, UidValidity>,
    /// Folders for which EXAMINE tells no UIDVALIDITY that lasts, and SELECT does.
    selected_to_read: BTreeSet<FolderPath>,
    /// Folders for which the server tells no UIDVALIDITY at all.
    without_validity: BTreeSet<FolderPath>,
}

impl Numbering {
    fn inner(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder's UIDs belong to this UIDVALIDITY from now on.
    pub(crate) fn told(&self, folder: &FolderPath, validity: Option<UidValidity>) {
        if let Some(validity) = validity {
            self.inner().validity.insert(folder.clone(), validity);
        }
    }

    /// The UIDVALIDITY of a folder for which the server now tells none: the one told before, else a number that no other
    /// pass has. The next pass recognises the messages by their fingerprints then.
    fn of_silent(&self, folder: &FolderPath) -> UidValidity {
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

    /// The UIDVALIDITY that was told last.
    pub(crate) fn of(&self, folder: &FolderPath) -> Option<UidValidity> {
        self.inner().validity.get(folder).copied()
    }
}

/// Whether the connection ended, or nothing came, without a reason that lies beyond the command.
pub(crate) fn is_hangup(error: &imap::Error) -> bool {
    error.scope == Scope::Session
        && matches!(error.kind, imap::ErrorKind::Connection | imap::ErrorKind::Timeout)
}

impl ImapMailbox {
    /// The folder opened, again only where that is needed. That it is numbered otherwise than was told is an error: what
    /// is known of its messages would be said of others.
    pub(crate) async fn open(&mut self, folder: &FolderPath, mode: Mode) -> Result<Selected<'_>, Error> {
        self.session().await?;
        let name = self.wire(folder);
        let open = self.session.as_mut().and_then(Session::selected);
        let is_open =
            open.is_some_and(|it| *it.name() == name && (mode == Mode::Examine || !it.data().read_only));
        if !is_open {
            let now = self.open_anew(folder, mode).await?;
            if let (Some(then), Some(now)) = (self.numbering.of(folder), now)
                && then != now
            {
                let message = format!(
                    "{}: folder {folder}: the server numbered the messages anew meanwhile (UIDVALIDITY {then}, now {now})",
                    self.end()
                );
                return Err(Error::new(Scope::Folder, Retry::Now, ErrorKind::Renumbered, message));
            }
        }
        self.selected()
    }

    /// The folder opened now to be scanned: its numbers are of now, and UIDs belong to the UIDVALIDITY that it tells.
    ///
    /// Where EXAMINE tells none, or another one than before, SELECT is asked, and believed: Courier makes one up for EXAMINE
    /// in mailboxes that only POP3 has used. Nothing is changed by it but `\Recent`.
    pub(crate) async fn open_to_scan(&mut self, folder: &FolderPath) -> Result<Selected<'_>, Error> {
        let then = self.numbering.of(folder);
        let mut now = self.open_anew(folder, Mode::Examine).await?;
        let is_sticky = !self.selected()?.data().uid_not_sticky;
        if self.selected()?.data().read_only
            && (now.is_none() || !is_sticky || then.is_some_and(|it| Some(it) != now))
        {
            let examined = now;
            now = self.open_anew(folder, Mode::Select).await?;
            if now != examined {
                self.numbering.inner().selected_to_read.insert(folder.clone());
            }
        }
        self.numbering.told(folder, now);
        self.selected()
    }

    /// The state of the folder, which is opened for it as by [`Self::open_to_scan`].
    pub(crate) async fn opened_status(&mut self, folder: &FolderPath) -> Result<FolderStatus, Error> {
        let selected = self.open_to_scan(folder).await?;
        let data = selected.data();
        let (messages, uid_next, highest_modseq) = (data.exists, data.uid_next, data.highest_modseq);
        let uid_validity = data.uid_validity.unwrap_or_else(|| self.numbering.of_silent(folder));
        Ok(FolderStatus { messages, uid_validity, uid_next, highest_modseq })
    }

    /// Selects the folder now. `None` if the answer lacks UIDVALIDITY or UIDNEXT, or the folder is read-only.
    pub(crate) async fn select_anew(&mut self, folder: &FolderPath) -> Result<Option<FolderStatus>, Error> {
        let uid_validity = self.open_anew(folder, Mode::Select).await?;
        let selected = self.selected()?;
        let data = selected.data();
        let (messages, uid_next, highest_modseq) = (data.exists, data.uid_next, data.highest_modseq);
        let is_writable = !data.read_only && !data.uid_not_sticky;
        let Some(uid_validity) = uid_validity.filter(|_| is_writable && uid_next.is_some()) else {
            return Ok(None);
        };
        self.numbering.told(folder, Some(uid_validity));
        Ok(Some(FolderStatus { messages, uid_validity, uid_next, highest_modseq }))
    }

    /// Opens the folder now, and gives its UIDVALIDITY. A folder at which every connection ends is given up, so that the
    /// others can be carried (Exchange 2007 with a blank at the end of a name, Zimbra with a locked share).
    pub(crate) async fn open_anew(
        &mut self,
        folder: &FolderPath,
        mode: Mode,
    ) -> Result<Option<UidValidity>, Error> {
        let mode = if self.numbering.is_selected_to_read(folder) { Mode::Select } else { mode };
        let (is_further, mut hangups) = (self.is_further, 0);
        loop {
            self.session().await?;
            let name = self.wire(folder);
            let options = SelectOptions { condstore: true, qresync: None };
            let session = self.session().await?;
            if let Some(error) = session.ended().await {
                // It ended before, and not because of this folder.
                return Err(self.explain_in(folder, error));
            }
            let outcome = match mode {
                Mode::Examine => session.examine(&name, &options).await,
                Mode::Select => session.select(&name, &options).await,
            };
            match outcome {
                Ok(selected) => return Ok(selected.data().uid_validity),
                Err(error) if is_hangup(&error) && !is_further => {
                    hangups += 1;
                    self.session = None;
                    if hangups == HANGUPS {
                        let words = format_args!("the server cannot open it, {HANGUPS} connections ended so");
                        let error = self.explain_in(folder, error.context(words));
                        return Err(Error { scope: Scope::Folder, retry: Retry::Never, ..error });
                    }
                }
                Err(error) => return Err(self.explain_in(folder, error)),
            }
        }
    }

    /// Opens the folder once more, and gives the number of its messages now.
    pub(crate) async fn open_now(&mut self, folder: &FolderPath, mode: Mode) -> Result<u32, Error> {
        self.open_anew(folder, mode).await?;
        Ok(self.selected()?.data().exists)
    }

    pub(crate) fn selected(&mut self) -> Result<Selected<'_>, Error> {
        let selected = self.session.as_mut().and_then(Session::selected);
        selected.ok_or_else(|| Error::session("the folder is not open"))
    }
}
