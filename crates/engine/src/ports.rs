//! The engine's view of the world: two mailboxes, a ledger, a clock, and a receiver of progress events.

use std::{future::Future, time::Duration};

use mailhaul_mail::{Digests, Fingerprint, Flags, FolderPath, Retry, Scope, Uid, UidSet};

use crate::{
    error::{Error, ErrorKind},
    folder::{Cursor, Folder, FolderStatus, MessageInfo, Scan},
    folder_plan::Unmatched,
    ledger_state::{FolderRecord, FolderState, LedgerRecord},
    name_rules::NameRules,
    report::{FolderTally, Heading, RepairedItem},
    transfer::pipe::{Acks, Feed, PipeWriter},
};

/// A mailbox that can be read. No method changes anything on the server.
pub trait Mailbox: Send {
    /// Name for the operator: `user@host`.
    fn describe(&self) -> String;

    /// Lists all folders, with their state if one round trip returns it.
    fn folders(&mut self) -> impl Future<Output = Result<Vec<Folder>, Error>> + Send;

    /// Returns the rules for folder names.
    fn name_rules(&mut self) -> impl Future<Output = Result<NameRules, Error>> + Send;

    /// Returns the folder's current state.
    fn status(&mut self, folder: &FolderPath) -> impl Future<Output = Result<FolderStatus, Error>> + Send;

    /// Returns the messages of the folder: all, or those that changed since the cursor.
    fn scan(
        &mut self,
        folder: &FolderPath,
        since: Option<&Cursor>,
    ) -> impl Future<Output = Result<Scan, Error>> + Send;

    /// Scans folders since their cursors, if several scans take one round trip. The next [`scan`](Self::scan) of a folder
    /// with the same cursor returns the result. A lasting error shows again in those scans.
    fn scan_ahead(
        &mut self,
        _folders: &[(FolderPath, Cursor)],
    ) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }

    /// Identifies the view settings of the mailbox (Gmail: label rules), as of the last listing of folders.
    ///
    /// If the text differs from that of the last pass, every folder is scanned again.
    fn view(&self) -> String {
        String::new()
    }

    /// Returns the fingerprints of these messages. Messages that are gone are left out.
    fn fingerprints(
        &mut self,
        folder: &FolderPath,
        uids: &UidSet,
    ) -> impl Future<Output = Result<Vec<(Uid, Fingerprint)>, Error>> + Send;

    /// Reads these messages, and returns their digests. Messages that are gone are left out.
    fn digests(
        &mut self,
        folder: &FolderPath,
        uids: &UidSet,
    ) -> impl Future<Output = Result<Vec<(Uid, Digests)>, Error>> + Send;

    /// Begins to connect the mailbox and further connections ([`another`](Self::another)) that are used soon.
    ///
    /// Errors show when a connection is used. Connections of an earlier call beyond this number are closed.
    fn connect_ahead(&mut self, _further: usize) {}

    /// Replaces a broken connection.
    fn reconnect(&mut self) -> impl Future<Output = Result<(), Error>> + Send;

    /// The same mailbox over a separate connection, made when it is first needed.
    #[must_use]
    fn another(&self) -> Self
    where
        Self: Sized;

    /// Duration of a round trip to the server; `None` before the first one.
    fn round_trip(&self) -> Option<Duration>;

    /// Logs out, if there is a connection. Does not wait for a server that does not answer.
    fn close(&mut self) -> impl Future<Output = ()> + Send;

    /// Like [`close`](Self::close), without waiting for the server's answer.
    ///
    /// Only for the end of the program: a server that still counts this connection could refuse a new one.
    fn leave(&mut self) -> impl Future<Output = ()> + Send {
        self.close()
    }
}

/// A message to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedMessage {
    /// UID on the source.
    pub uid: Uid,
    /// Bytes as claimed.
    pub size: u64,
}

/// The reason why a message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is not there any more.
    Gone,
    /// It is there, but the server returns no body; with the server's words.
    Withheld(String),
}

/// The mailbox that mail comes from. It has no method that writes.
pub trait Source: Mailbox {
    /// Writes the messages into the pipe in the requested order, many in flight. Returns those that were not
    /// delivered.
    ///
    /// Messages that the budget cannot hold back may come out of order. Ends early, without an error, when the reader
    /// of the pipe is gone.
    fn fetch(
        &mut self,
        folder: &FolderPath,
        wanted: &[WantedMessage],
        outlet: PipeWriter,
    ) -> impl Future<Output = Result<Vec<(Uid, Missing)>, Error>> + Send;

    /// Opens the folder, so that [`fetch`](Self::fetch) begins at once.
    fn prepare(&mut self, _folder: &FolderPath) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }

    /// Returns subjects, authors and dates of these messages for reports. Messages without a header are left out.
    fn headings(
        &mut self,
        folder: &FolderPath,
        uids: &UidSet,
    ) -> impl Future<Output = Result<Vec<(Uid, Heading)>, Error>> + Send;
}

/// The same change of flags for some messages of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagChange {
    /// UIDs on the target.
    pub uids: UidSet,
    /// Flags to set.
    pub add: Flags,
    /// Flags to remove.
    pub remove: Flags,
}

/// A folder to create on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFolder {
    pub path: FolderPath,
    /// True if the user should be subscribed to it.
    pub subscribe: bool,
}

/// Messages as the target shows them.
#[derive(Clone, Debug, Default)]
pub struct StoredMessages {
    /// With flags, date of arrival and stored size.
    pub messages: Vec<MessageInfo>,
    /// Digests of the messages whose bodies were read. Messages that are gone are left out.
    pub digests: Vec<(Uid, Digests)>,
}

/// Known treatment of messages that a target accepts. All `false` for a server that stores what it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageHabits {
    /// True if it stores one copy of identical messages and returns the UID of that copy (Gmail).
    pub merges_copies: bool,
    /// True if it returns OK before the message shows in the folder (uploads by Gmail's API).
    pub shows_late: bool,
    /// True for a directory of this machine: a full disk does not concern one message alone.
    pub is_local: bool,
}

/// The mailbox that mail goes to.
pub trait Target: Mailbox {
    /// Creates the folders with their parents, and subscribes to them if asked. An existing folder is no error.
    ///
    /// The results are in the order of the folders.
    fn create_folders(
        &mut self,
        folders: &[NewFolder],
    ) -> impl Future<Output = Result<Vec<Result<(), Error>>, Error>> + Send;

    /// Like [`status`](Mailbox::status). The folder is open for changes afterwards.
    fn open_to_write(
        &mut self,
        folder: &FolderPath,
    ) -> impl Future<Output = Result<FolderStatus, Error>> + Send {
        self.status(folder)
    }

    /// Size of the largest message that the folder accepts, in bytes, if known.
    ///
    /// Valid after a [`status`](Mailbox::status) of the folder or [`open_to_write`](Self::open_to_write).
    fn largest(&self, _folder: &FolderPath) -> Option<u64> {
        None
    }

    /// Appends the messages of the feed, at most `batch` in one command, and reports every answer as it comes.
    ///
    /// Returns when the feed has ended and every answer is in.
    fn append<F: Feed>(
        &mut self,
        folder: &FolderPath,
        batch: usize,
        feed: F,
        acks: Acks,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Returns the messages with this UID or a greater one, as the target shows them now: flags, date and stored size.
    ///
    /// A message that was just appended over this connection must be among them. `last` is the greatest UID that the
    /// target returned; `None` if it did not return all of them. The bodies of the messages `read` are read.
    fn stored(
        &mut self,
        folder: &FolderPath,
        first: Uid,
        last: Option<Uid>,
        read: &UidSet,
    ) -> impl Future<Output = Result<StoredMessages, Error>> + Send;

    /// Name of the mailbox's user without the server: the same under every name of the server.
    fn owner(&self) -> String {
        self.describe()
    }

    /// Returns the known treatment of messages that the target accepts.
    fn habits(&self) -> StorageHabits {
        StorageHabits::default()
    }

    fn store_flags(
        &mut self,
        folder: &FolderPath,
        changes: &[FlagChange],
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Moves messages. Returns old and new UIDs of those that were moved, if the server returns them.
    fn move_messages(
        &mut self,
        from: &FolderPath,
        to: &FolderPath,
        uids: &UidSet,
    ) -> impl Future<Output = Result<Vec<(Uid, Uid)>, Error>> + Send;

    /// Renames a folder with its content, and subscribes to it if asked.
    fn rename_folder(
        &mut self,
        _from: &FolderPath,
        _to: &NewFolder,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        async { Err(cannot("rename a folder")) }
    }

    /// Removes a folder if no message is in it. Returns false if it has messages.
    fn remove_empty_folder(
        &mut self,
        _folder: &FolderPath,
    ) -> impl Future<Output = Result<bool, Error>> + Send {
        async { Err(cannot("remove a folder")) }
    }

    /// Removes exactly these messages for good.
    fn remove_messages(
        &mut self,
        folder: &FolderPath,
        uids: &UidSet,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

fn cannot(what: &str) -> Error {
    Error::new(Scope::Folder, Retry::Never, ErrorKind::Refused, format_args!("the target cannot {what}"))
}

/// The durable state of one mailbox's migration.
pub trait Ledger: Send + Sync {
    /// Returns the records of all folders.
    fn folders(&self) -> impl Future<Output = Result<Vec<FolderRecord>, Error>> + Send;

    /// Returns a folder with its messages; `None` if it was never opened.
    fn folder(&self, folder: &FolderPath) -> impl Future<Output = Result<Option<FolderState>, Error>> + Send;

    /// Returns a folder with these messages and with all unfinished ones; `None` if it was never opened.
    ///
    /// Unfinished messages are not on the target, or have no known UID there, or pending flags. The others are counted
    /// ([`FolderState::rest`]): a change of a few messages is cheap in a large folder.
    fn folder_around(
        &self,
        folder: &FolderPath,
        uids: &UidSet,
    ) -> impl Future<Output = Result<Option<FolderState>, Error>> + Send;

    /// Reserves the target mailbox of this user until the ledger is dropped.
    ///
    /// Fails while another pass writes to it, even if that pass knows the server by another name.
    fn reserve_target(&self, _owner: &str) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }

    /// Writes the records, all or none; durable when it returns.
    fn record(&self, records: &[LedgerRecord]) -> impl Future<Output = Result<(), Error>> + Send;
}

/// The time. Tests replace it.
pub trait Clock: Send + Sync {
    /// Time since 1970. It never goes back within a process.
    fn now(&self) -> Duration;

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// Receives progress events.
pub trait Progress: Send + Sync {
    fn event(&self, event: Event<'_>);
}

/// An event during a pass.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The pass knows its folders.
    Planned {
        /// The source folders that are scanned, each with its number of listed messages; 0 if unknown.
        folders: &'a [(FolderPath, u64)],
    },
    /// An option of the operator matches no folder. Sent before anything is written.
    Unmatched { option: &'a Unmatched },
    /// A folder is scanned, and these messages are to be sent.
    Folder {
        /// The source folder.
        folder: &'a FolderPath,
        /// The reason for the scan.
        reason: &'a str,
        /// Messages to send.
        messages: u64,
        /// Bytes to send, as claimed.
        bytes: u64,
    },
    /// A folder is done. Its numbers are final except for vanished messages.
    FolderDone {
        /// The source folder.
        folder: &'a FolderPath,
        tally: &'a FolderTally,
    },
    /// A folder needs no work.
    Unchanged {
        /// The source folder.
        folder: &'a FolderPath,
    },
    /// Messages arrived on the target.
    Arrived {
        /// The source folder.
        folder: &'a FolderPath,
        messages: u64,
        bytes: u64,
    },
    /// A message was skipped.
    Skipped {
        /// The source folder.
        folder: &'a FolderPath,
        /// UID on the source.
        uid: Uid,
        reason: &'a str,
    },
    /// A message was edited, and the target accepted it.
    Repaired {
        /// The source folder.
        folder: &'a FolderPath,
        item: &'a RepairedItem,
    },
    /// Copies of messages that vanished are not removed yet.
    Waiting {
        /// The source folder.
        folder: &'a FolderPath,
        /// Number of copies, the reason, and the condition of the removal.
        words: &'a str,
    },
    /// A folder is empty on the target, because the source has it no more.
    Emptied {
        /// On the target.
        folder: &'a FolderPath,
        /// True if it was removed there.
        is_removed: bool,
    },
    /// Folders of the target stay subscribed although the source's are not.
    StaySubscribed {
        /// On the target.
        folders: &'a [FolderPath],
    },
    /// A folder failed.
    FolderFailed {
        /// The source folder.
        folder: &'a FolderPath,
        error: &'a Error,
    },
    /// A further connection pair failed and ended. The mailbox's other pairs continue.
    ConnectionPairEnded { error: &'a Error },
    /// A step failed, and is retried after a delay.
    Retrying { error: &'a Error, after: Duration },
}
