//! Messages at which connections broke. All connections to one mailbox share them.

use std::{collections::BTreeMap, sync::Arc};

use mailhaul_imap as imap;
use mailhaul_mail::{FolderPath, Scope, Uid, UidSet, UidValidity};
use parking_lot::{Mutex, MutexGuard};

/// Broken connections at one message before the message is to blame.
pub(crate) const MOST_BREAKS: u32 = 3;
/// Silent messages of a folder after which one silence is enough for each further message. Otherwise a pass
/// would not end.
const MANY_SILENT: u32 = 3;

/// A folder with the UIDVALIDITY of its UIDs.
pub(crate) type NumberedFolder = (FolderPath, Option<UidValidity>);

/// Counts broken connections: by the requested message, and by the scanned folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Culprits(Arc<Mutex<CulpritState>>);

#[derive(Debug, Default)]
struct CulpritState {
    messages: BTreeMap<NumberedFolder, BTreeMap<Uid, Breaks>>,
    scans: BTreeMap<NumberedFolder, u32>,
    /// Number of messages that are to blame because the server did not answer.
    silent: BTreeMap<NumberedFolder, u32>,
}

#[derive(Debug, Default)]
struct Breaks {
    times: u32,
    /// The reason not to request the message again.
    verdict: Option<String>,
}

impl Culprits {
    fn inner(&self) -> MutexGuard<'_, CulpritState> {
        self.0.lock()
    }

    /// Counts a connection that broke at this message. `is_alone` is true if nothing else was requested.
    /// Returns the verdict once the message is to blame.
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

    /// True if the server did not answer for several messages of the folder, each several times.
    pub(crate) fn are_many_silent(&self, folder: &NumberedFolder) -> bool {
        self.inner().silent.get(folder).is_some_and(|silent| *silent >= MANY_SILENT)
    }

    /// Forgets the message, because it arrived.
    pub(crate) fn acquit(&self, folder: &NumberedFolder, uid: Uid) {
        if let Some(breaks) = self.inner().messages.get_mut(folder) {
            breaks.remove(&uid);
        }
    }

    /// The messages at which connections broke. Messages with a verdict are not requested again.
    pub(crate) fn in_folder(&self, folder: &NumberedFolder) -> BTreeMap<Uid, Option<String>> {
        let inner = self.inner();
        let breaks = inner.messages.get(folder).into_iter().flatten();
        breaks.map(|(uid, it)| (*uid, it.verdict.clone())).collect()
    }

    /// Counts a connection that broke during a scan of the folder. True if it is not the first.
    pub(crate) fn broke_scan(&self, folder: &NumberedFolder) -> bool {
        let mut inner = self.inner();
        let times = inner.scans.entry(folder.clone()).or_default();
        *times += 1;
        *times > 1
    }

    /// True if connections broke during scans of the folder, and no scan was complete since.
    pub(crate) fn breaks_scans(&self, folder: &NumberedFolder) -> bool {
        self.inner().scans.contains_key(folder)
    }

    /// Forgets the broken scans after a complete one.
    pub(crate) fn scanned(&self, folder: &NumberedFolder) {
        self.inner().scans.remove(folder);
    }

    /// Counts a connection that broke while all of these were requested. Only messages that broke others
    /// before are suspected.
    pub(crate) fn broke_among(&self, folder: &NumberedFolder, uids: &UidSet, error: &imap::Error) {
        for uid in self.in_folder(folder).into_keys().filter(|uid| uids.contains(*uid)) {
            _ = self.broke(folder, uid, error, false);
        }
    }
}

/// True if the connection broke without a reason beyond the request.
pub(crate) fn is_break(error: &imap::Error) -> bool {
    use imap::ErrorKind as K;
    error.scope == Scope::Session && matches!(error.kind, K::Connection | K::Timeout | K::Protocol)
}

/// True if the connection ended or timed out without a reason beyond the command.
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
