//! What the engine needs of the world: two mailboxes, a ledger, a clock, and somebody to tell.

use std::{future::Future, time::Duration};

use mailhaul_mail::{Digests, Fingerprint, Flags, FolderPath, Retry, Scope, Uid, UidSet};

use crate::{
    error::{Error, ErrorKind},
    folder::{Cursor, Folder, FolderStatus, MessageInfo, Scan},
    folder_plan::Unmatched,
    ledger_state::{FolderRecord, FolderState, LedgerRecord},
    name_rules::NameRules,
    report::{FolderTally, RepairedItem},
    transfer::pipe::{Acks, Feed, PipeWriter},
};

/// A mailbox that can be read. No method changes anything on the server.
pub trait Mailbox: Send {
    /// Names it for people: `user@host`.
    fn describe(&self) -> String;

    /// All folders, with their state where one round trip gives it.
    fn folders(&mut self) -> impl Future<Output = Result<Vec<Folder>, Error>> + Send;

    /// Which folder names it can hold.
    fn name_rules(&mut self) -> impl Future<Output = Result<NameRules, Error>> + Send;

    /// The folder's state now.
    fn status(&mut self, folder: &FolderPath) -> impl Future<Output = Result<FolderStatus, Error>> + Send;

    /// The messages of the folder: all, or what changed since the cursor.
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

    /// All that decides, beside the folders themselves, which messages they show: another text than in the last pass means
    /// that every folder must be looked at from the beginning. As it was when the folders were last listed.
    fn view(&self) -> String {
        String::new()
    }

    /// The fingerprints of these messages; messages that are gone are left out.
    fn fingerprints(
        &mut self,
        folder: &FolderPath,
        uids: &UidSet,
    ) -> impl Future<Output = Result<Vec<(Uid, Fingerprint)>, Error>> + Send;

    /// The digests of these messages, whose bodies are read; messages that are gone are left out.
    fn digests(
        &mut self,
        folder: &FolderPath,
        uids: &UidSet,
    ) -> impl Future<Output = Result<Vec<(Uid, Digests)>, Error>> + Send;

    /// Begins to connect, because the mailbox and as many further connections ([`another`](Self::another)) are used soon.
    /// Errors show when a connection is used. Connections of an earlier call beyond this number are given up.
    fn connect_ahead(&mut self, _further: usize) {}

    /// A new connection in place of one that broke.
    fn reconnect(&mut self) -> impl Future<Output = Result<(), Error>> + Send;

    /// The same mailbox over a connection of its own, made when it is first needed.
    #[must_use]
    fn another(&self) -> Self
    where
        Self: Sized;

    /// How long a round trip to the server takes; `None` where nobody was asked yet.
    fn round_trip(&self) -> Option<Duration>;

    /// Says goodbye, if there is a connection. A server that does not answer is not waited for.
    fn close(&mut self) -> impl Future<Output = ()> + Send;

    /// Like [`close`](Self::close), without waiting for the server's answer. Only for the end of the program: a server that
    /// still counts this connection could refuse a new one.
    fn leave(&mut self) -> impl Future<Output = ()> + Send {
        self.close()
    }
}

/// One message that is to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedMessage {
    /// Its UID on the source.
    pub uid: Uid,
    /// Octets as claimed.
    pub size: u64,
}

/// Why a wanted message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is not there any more.
    Gone,
    /// It is there, but the server gives no body; with what it said.
    Withheld(String),
}

/// Where mail comes from.
pub trait Source: Mailbox {
    /// Delivers the messages through the outlet in the order wanted, many in flight; out of order only what the budget
    /// cannot hold back. Returns those that were
    /// not delivered. Ends early, without an error, when nobody listens to the outlet any more.
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

    /// The subjects of these messages, decoded, for people who are told about them; messages without one are left out.
    fn subjects(
        &mut self,
        folder: &FolderPath,
        uids: &UidSet,
    ) -> impl Future<Output = Result<Vec<(Uid, String)>, Error>> + Send;
}

/// The same change of flags for some messages of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagChange {
    /// UIDs on the target.
    pub uids: UidSet,
    /// To be set.
    pub add: Flags,
    /// To be taken away.
    pub remove: Flags,
}

/// A folder that is to be on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFolder {
    /// Where.
    pub path: FolderPath,
    /// Whether the user is to see it.
    pub subscribe: bool,
}

/// Messages as the target shows them.
#[derive(Clone, Debug, Default)]
pub struct StoredMessages {
    /// Flags, date of arrival and stored size.
    pub messages: Vec<MessageInfo>,
    /// Of the messages whose bodies were read; those that are gone are left out.
    pub digests: Vec<(Uid, Digests)>,
}

/// How a target is known to treat messages that it accepts. All `false` for a server that stores what it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageHabits {
    /// It stores one copy of identical messages and returns the UID of that copy (Gmail).
    pub merges_copies: bool,
    /// It returns OK before the message shows in the folder (uploads by Gmail's API).
    pub shows_late: bool,
    /// It is a directory of this machine: a full disk is no answer to one message.
    pub is_local: bool,
}

/// Where mail goes.
pub trait Target: Mailbox {
    /// Makes the folders, their parents included, and shows them to the user if asked. One that exists is fine. What
    /// became of each is in their order.
    fn create_folders(
        &mut self,
        folders: &[NewFolder],
    ) -> impl Future<Output = Result<Vec<Result<(), Error>>, Error>> + Send;

    /// The folder's state now, like [`status`](Mailbox::status). The folder is open for changes afterwards.
    fn open_to_write(
        &mut self,
        folder: &FolderPath,
    ) -> impl Future<Output = Result<FolderStatus, Error>> + Send {
        self.status(folder)
    }

    /// Octets of the largest message that the folder takes, as far as is known; after a
    /// [`status`](Mailbox::status) of the folder or [`open_to_write`](Self::open_to_write).
    fn largest(&self, _folder: &FolderPath) -> Option<u64> {
        None
    }

    /// Appends what the feed offers, at most `batch` messages in one command, and reports every answer as it comes.
    /// Returns when the feed has ended and every answer is in.
    fn append<F: Feed>(
        &mut self,
        folder: &FolderPath,
        batch: usize,
        feed: F,
        acks: Acks,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// The messages with this UID or a greater one, as the target shows them now: flags, date and stored size. A message
    /// that was just appended over this connection must be among them. `last` is the greatest UID that the target
    /// returned; `None` if it did not return all of them. The bodies of the messages `read` are read.
    fn stored(
        &mut self,
        folder: &FolderPath,
        first: Uid,
        last: Option<Uid>,
        read: &UidSet,
    ) -> impl Future<Output = Result<StoredMessages, Error>> + Send;

    /// Names the user whose mailbox it is, without the server: the same under every name of the server.
    fn owner(&self) -> String {
        self.describe()
    }

    /// How the target is known to treat messages that it accepts.
    fn habits(&self) -> StorageHabits {
        StorageHabits::default()
    }

    /// Changes flags.
    fn store_flags(
        &mut self,
        folder: &FolderPath,
        changes: &[FlagChange],
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Moves messages; returns old and new UIDs of those that were moved, where the server tells them.
    fn move_messages(
        &mut self,
        from: &FolderPath,
        to: &FolderPath,
        uids: &UidSet,
    ) -> impl Future<Output = Result<Vec<(Uid, Uid)>, Error>> + Send;

    /// Gives a folder another name, with all that is in it, and shows it to the user if asked.
    fn rename_folder(
        &mut self,
        _from: &FolderPath,
        _to: &NewFolder,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        async { Err(cannot("rename a folder")) }
    }

    /// Removes a folder if no message is in it. False where it was left, because there are messages.
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

/// The memory of one mailbox's migration.
pub trait Ledger: Send + Sync {
    /// All folders.
    fn folders(&self) -> impl Future<Output = Result<Vec<FolderRecord>, Error>> + Send;

    /// A folder with its messages; `None` where it was never opened.
    fn folder(&self, folder: &FolderPath) -> impl Future<Output = Result<Option<FolderState>, Error>> + Send;

    /// A folder with these messages and with all of which something is open: not on the target, or there without a known
    /// place, or with flags in doubt. The others are counted ([`FolderState::rest`]): a change of a few messages costs
    /// little in a folder of many. `None` where it was never opened.
    fn folder_around(
        &self,
        folder: &FolderPath,
        uids: &UidSet,
    ) -> impl Future<Output = Result<Option<FolderState>, Error>> + Send;

    /// Reserves the target mailbox of this user until the ledger is dropped. An error while another pass fills it, also where
    /// that pass knows the server by another name.
    fn reserve_target(&self, _owner: &str) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }

    /// Writes the records, all or none; durable when it returns.
    fn record(&self, records: &[LedgerRecord]) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Time, so that tests can do without it.
pub trait Clock: Send + Sync {
    /// Since 1970. It never goes back within a process.
    fn now(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// Somebody who is told how it goes.
pub trait Progress: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// What happens during a pass.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The pass knows its folders.
    Planned {
        /// The source folders that are looked into, each with the messages that it holds as listed; 0 where the listing
        /// does not tell.
        folders: &'a [(FolderPath, u64)],
    },
    /// An option of the operator matches no folder; before anything is written.
    Unmatched {
        /// Which one.
        option: &'a Unmatched,
    },
    /// A folder's messages are known, and these are to be sent.
    Folder {
        /// The source folder.
        folder: &'a FolderPath,
        /// Why it is looked at.
        reason: &'a str,
        /// Messages to send.
        messages: u64,
        /// Octets to send, as claimed.
        bytes: u64,
    },
    /// A folder is done with; its numbers are final but for what vanished.
    FolderDone {
        /// The source folder.
        folder: &'a FolderPath,
        /// Its numbers.
        tally: &'a FolderTally,
    },
    /// A folder needs nothing.
    Unchanged {
        /// The source folder.
        folder: &'a FolderPath,
    },
    /// Messages arrived on the target.
    Arrived {
        /// The source folder.
        folder: &'a FolderPath,
        /// How many.
        messages: u64,
        /// Their octets.
        bytes: u64,
    },
    /// A message was skipped.
    Skipped {
        /// The source folder.
        folder: &'a FolderPath,
        /// Its UID there.
        uid: Uid,
        /// Why.
        reason: &'a str,
    },
    /// A message was edited, and the target took it.
    Repaired {
        /// The source folder.
        folder: &'a FolderPath,
        /// What and how.
        item: &'a RepairedItem,
    },
    /// Copies of messages that vanished are not removed yet.
    Waiting {
        /// The source folder.
        folder: &'a FolderPath,
        /// How many, why, and what removes them.
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
    /// A folder was left.
    FolderFailed {
        /// The source folder.
        folder: &'a FolderPath,
        /// Why.
        error: &'a Error,
    },
    /// A further lane met something, and ended; the mailbox's other lanes go on.
    ConnectionPairEnded {
        /// What it met.
        error: &'a Error,
    },
    /// Something broke, and is tried again after a while.
    Retrying {
        /// What broke.
        error: &'a Error,
        /// After how long.
        after: Duration,
    },
}
