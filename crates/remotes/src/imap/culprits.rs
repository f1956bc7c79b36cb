//! Messages at which connections broke: shared by all connections to one mailbox.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mailhaul_imap as imap;
use mailhaul_mail::{FolderPath, Scope, Uid, UidSet, UidValidity};

/// Connections that may break at one message before the message is to blame.
pub(crate) const MOST_BREAKS: u32 = 3;
/// Messages of a folder at which the server fell silent so often, before once is enough for each further one: with many of
/// them a pass would not end.
const MANY_SILENT: u32 = 3;

/// A folder, while its UIDs mean the same.
pub(crate) type NumberedFolder = (FolderPath, Option<UidValidity>);

/// How often connections broke while a message was the one that was asked for, or while a folder was scanned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Culprits(Arc<Mutex<CulpritState>>);

#[derive(Debug, Default)]
struct CulpritState {
    messages: BTreeMap<NumberedFolder, BTreeMap<Uid, Breaks>>,
    scans: BTreeMap<NumberedFolder, u32>,
    /// Messages with a verdict because the server fell silent.
    silent: BTreeMap<NumberedFolder, u32>,
}

#[derive(Debug, Default)]
struct Breaks {
    times: u32,
    /// Why it is not asked for any more.
    verdict: Option<String>,
}

impl Culprits {
    fn inner(&self) -> MutexGuard<'_, CulpritState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection broke at this message; `is_alone` where nothing else was asked for. Returns the verdict once the message
    /// is to blame.
    pub(crate) fn broke(
        &self,
        folder: &NumberedFolder,
        uid: Uid,
        error: &imap::Error,
        is_alone: bool,
    ) -> Option<String> {
        let mut inner = self.inner();
        let is_silence = error.kind == imap::ErrorKind::Timeout;
        let silent = inner.silent.get(folder).copied().unwrap_or(0);
        let is_enough = is_silence && is_alone && silent >= MANY_SILENT;
        let breaks = inner.messages.entry(folder.clone()).or_default().entry(uid).or_default();
        breaks.times += 1;
        if breaks.verdict.is_none() && (is_enough || breaks.times >= MOST_BREAKS) {
            breaks.verdict = Some(verdict(error, breaks.times));
            let verdict = breaks.verdict.clone();
            *inner.silent.entry(folder.clone()).or_default() += u32::from(is_silence);
            return verdict;
        }
        breaks.verdict.clone()
    }

    /// True if the server fell silent at several messages of the folder, each time.
    pub(crate) fn are_many_silent(&self, folder: &NumberedFolder) -> bool {
        self.inner().silent.get(folder).is_some_and(|silent| *silent >= MANY_SILENT)
    }

    /// The message came: it was not to blame.
    pub(crate) fn acquit(&self, folder: &NumberedFolder, uid: Uid) {
        if let Some(breaks) = self.inner().messages.get_mut(folder) {
            breaks.remove(&uid);
        }
    }

    /// The messages at which connections broke. With a verdict, they are not asked for any more.
    pub(crate) fn in_folder(&self, folder: &NumberedFolder) -> BTreeMap<Uid, Option<String>> {
        let inner = self.inner();
        let breaks = inner.messages.get(folder).into_iter().flatten();
        breaks.map(|(uid, it)| (*uid, it.verdict.clone())).collect()
    }

    /// A connection broke while the folder was scanned. True if that happened before.
    pub(crate) fn broke_scan(&self, folder: &NumberedFolder) -> bool {
        let mut inner = self.inner();
        let times = inner.scans.entry(folder.clone()).or_default();
        *times += 1;
        *times > 1
    }

    /// True if connections broke while the folder was scanned, and it was not scanned to its end since.
    pub(crate) fn breaks_scans(&self, folder: &NumberedFolder) -> bool {
        self.inner().scans.contains_key(folder)
    }

    /// The folder was scanned to its end.
    pub(crate) fn scanned(&self, folder: &NumberedFolder) {
        self.inner().scans.remove(folder);
    }

    /// A connection broke while all of these were asked for: those that broke others before are suspected of it.
    pub(crate) fn broke_among(&self, folder: &NumberedFolder, uids: &UidSet, error: &imap::Error) {
        for uid in self.in_folder(folder).into_keys().filter(|uid| uids.contains(*uid)) {
            _ = self.broke(folder, uid, error, false);
        }
    }
}

/// True where the connection broke, for no reason beyond what was asked for.
pub(crate) fn is_break(error: &imap::Error) -> bool {
    use imap::ErrorKind as K;
    error.scope == Scope::Session && matches!(error.kind, K::Connection | K::Timeout | K::Protocol)
}

/// Whether the connection ended, or nothing came, without a reason that lies beyond the command.
pub(crate) fn is_hangup(error: &imap::Error) -> bool {
    error.scope == Scope::Session
        && matches!(error.kind, imap::ErrorKind::Connection | imap::ErrorKind::Timeout)
}

fn verdict(error: &imap::Error, times: u32) -> String {
    let times = match times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        3 => "three times".to_owned(),
        more => format!("{more} times"),
    };
    match error.kind {
        imap::ErrorKind::Timeout => format!("the server stopped answering within this message {times}"),
        imap::ErrorKind::Protocol => {
            format!("the server's answer with this message could not be read {times}: {error}")
        }
        _ => format!("the server closed the connection within this message {times}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_break_is_the_verdict() {
        let culprits = Culprits::default();
        let (inbox, uid) = ((FolderPath::inbox(), UidValidity::new(1)), Uid::FIRST);
        let error = imap::Error::session(imap::ErrorKind::Connection, "gone");
        let verdicts = [(); 3].map(|()| culprits.broke(&inbox, uid, &error, true));
        let words = "the server closed the connection within this message three times".to_owned();
        assert_eq!(verdicts, [None, None, Some(words.clone())]);
        assert_eq!(culprits.in_folder(&inbox), BTreeMap::from([(uid, Some(words))]));
        assert!(culprits.in_folder(&(FolderPath::inbox(), UidValidity::new(2))).is_empty());
        culprits.acquit(&inbox, uid);
        culprits.broke_among(&inbox, &UidSet::range(uid, uid), &error);
        assert!(culprits.in_folder(&inbox).is_empty());
    }

    #[test]
    fn after_three_silent_messages_one_silence_is_enough() {
        let culprits = Culprits::default();
        let inbox = (FolderPath::inbox(), UidValidity::new(1));
        let silence = imap::Error::session(imap::ErrorKind::Timeout, "silent");
        let uid = |number| Uid::new(number).unwrap();
        for number in 1..=3 {
            let verdicts = [(); 3].map(|()| culprits.broke(&inbox, uid(number), &silence, true).is_some());
            assert_eq!(verdicts, [false, false, true]);
        }
        assert!(culprits.are_many_silent(&inbox));
        assert_eq!(culprits.broke(&inbox, uid(4), &silence, false), None, "another one may be the reason");
        let words = culprits.broke(&inbox, uid(5), &silence, true).unwrap();
        assert_eq!(words, "the server stopped answering within this message once");
        let closed = imap::Error::session(imap::ErrorKind::Connection, "gone");
        assert_eq!(culprits.broke(&inbox, uid(6), &closed, true), None);
    }
}
