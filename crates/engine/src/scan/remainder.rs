//! Views (`\All`, `\Flagged`, `\Important`): only messages that are in no other folder are copied.
//!
//! A view is scanned after all other folders, because the ledger then has the fingerprints of their messages. A
//! message is held by another folder if fingerprint and size are equal, and the view shows no more of them than the
//! folders hold. Else the digests decide. Held messages are removed from the scan of a view.

use std::collections::{BTreeMap, HashMap, HashSet};

use mailhaul_mail::{Digest, Digests, Fingerprint, FolderPath, Scope, Uid, UidSet, UidValidity};

use crate::{
    error::Error,
    folder::{Present, Scan},
    ledger_state::FolderState,
    ports::{Ledger, Mailbox},
};

/// State of a view during a pass.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Folders that may hold the same messages.
    holders: Vec<FolderPath>,
    /// Views that were scanned before. Messages that were copied from them are not copied again.
    before: Vec<FolderPath>,
    /// Messages of those folders that vanished, and that the ledger still has.
    gone: BTreeMap<FolderPath, UidSet>,
    /// An earlier pass compared all lower UIDs: messages below without a record are in other folders.
    compared_below: Option<Uid>,
    uid_validity: Option<UidValidity>,
    /// Messages that are in another folder.
    held: UidSet,
    /// Messages that are in no other folder.
    rest: UidSet,
}

/// A message of the view.
struct Shown {
    uid: Uid,
    size: u64,
    digests: Option<Digests>,
}

/// A message of another folder with the same fingerprint.
struct Twin<'a> {
    size: u64,
    digests: Option<Digests>,
    folder: &'a FolderPath,
    uid: Uid,
}

/// Messages that share a fingerprint.
#[derive(Default)]
struct Alike<'a> {
    shown: Vec<Shown>,
    twins: Vec<Twin<'a>>,
}

impl Alike<'_> {
    /// Messages of the view in excess of those in other folders.
    fn undecided(&self) -> impl Iterator<Item = &Shown> {
        self.shown.iter().filter(|it| {
            let of_size = |size: u64| size == it.size;
            let shown = self.shown.iter().filter(|other| of_size(other.size)).count();
            shown > self.twins.iter().filter(|other| of_size(other.size)).count()
        })
    }
}

impl View {
    /// A view without compared messages in this pass.
    pub(crate) fn new(holders: Vec<FolderPath>, before: Vec<FolderPath>) -> Self {
        Self {
            holders,
            before,
            gone: BTreeMap::new(),
            compared_below: None,
            uid_validity: None,
            held: UidSet::new(),
            rest: UidSet::new(),
        }
    }

    /// The same view after an earlier pass compared all messages below this UID.
    pub(crate) fn compared_below(self, below: Uid, uid_validity: UidValidity) -> Self {
        Self { compared_below: Some(below), uid_validity: Some(uid_validity), ..self }
    }

    /// The same view after these messages vanished from a folder.
    pub(crate) fn without(mut self, folder: &FolderPath, vanished: impl Iterator<Item = Uid>) -> Self {
        self.gone.entry(folder.clone()).or_default().extend(vanished);
        self
    }

    /// Number of the view's messages that are in other folders.
    pub(crate) fn held(&self) -> u64 {
        self.held.len()
    }

    /// The scan without the messages that are in other folders.
    pub(crate) async fn remainder<M: Mailbox, L: Ledger>(
        &mut self,
        source: &mut M,
        ledger: &L,
        state: &FolderState,
        mut scan: Scan,
    ) -> Result<Scan, Error> {
        if self.uid_validity != Some(scan.status.uid_validity) {
            self.compared_below = None;
            (self.held, self.rest) = (UidSet::new(), UidSet::new());
            self.uid_validity = Some(scan.status.uid_validity);
        }
        let folder = &state.record.folder;
        let records: BTreeMap<Uid, _> = state.done().collect();
        let is_compared = |it: &Self, uid: Uid| it.held.contains(uid) || it.rest.contains(uid);
        let mut alike: HashMap<Fingerprint, Alike<'_>> = HashMap::new();
        for (uid, copied) in &records {
            if scan.present.contains(*uid) && !is_compared(self, *uid) {
                let shown = Shown { uid: *uid, size: copied.size, digests: copied.digests };
                alike.entry(copied.fingerprint).or_default().shown.push(shown);
                self.rest.insert(*uid);
            }
        }
        let mut sizes: BTreeMap<Uid, u64> = BTreeMap::new();
        for message in &scan.messages {
            if is_compared(self, message.uid) {
                continue;
            }
            let is_old = self.compared_below.is_some_and(|below| message.uid < below);
            if is_old && !state.messages.contains_key(&message.uid) {
                self.held.insert(message.uid);
            } else {
                sizes.insert(message.uid, message.size);
            }
        }
        let new: UidSet = sizes.keys().copied().collect();
        for (uid, fingerprint) in source.fingerprints(folder, &new).await? {
            let size = sizes.get(&uid).copied().unwrap_or_default();
            alike.entry(fingerprint).or_default().shown.push(Shown { uid, size, digests: None });
        }
        let held = self.held_elsewhere(source, ledger, folder, alike).await?;
        self.held.extend(held.iter());
        self.rest = self.rest.iter().chain(new.iter()).filter(|it| !held.contains(*it)).collect();
        scan.messages.retain(|it| !self.held.contains(it.uid));
        scan.present = match scan.present {
            Present::These(uids) => {
                Present::These(uids.iter().filter(|it| !self.held.contains(*it)).collect())
            }
            Present::AllBut(gone) => Present::AllBut(gone.iter().chain(held.iter()).collect()),
        };
        Ok(scan)
    }

    /// Returns those of the messages that are in other folders.
    async fn held_elsewhere<M: Mailbox, L: Ledger>(
        &self,
        source: &mut M,
        ledger: &L,
        view: &FolderPath,
        mut alike: HashMap<Fingerprint, Alike<'_>>,
    ) -> Result<UidSet, Error> {
        if alike.is_empty() {
            return Ok(UidSet::new());
        }
        for folder in self.holders.iter().chain(&self.before) {
            let Some(state) = ledger.folder(folder).await? else { continue };
            let gone = self.gone.get(folder);
            for (uid, copied) in state.done().filter(|(uid, _)| !gone.is_some_and(|it| it.contains(*uid))) {
                if let Some(alike) = alike.get_mut(&copied.fingerprint) {
                    alike.twins.push(Twin { size: copied.size, digests: copied.digests, folder, uid });
                }
            }
        }
        for folder in &self.holders {
            if alike.values().any(|it| it.undecided().next().is_some()) {
                for (uid, size, fingerprint) in unrecorded(source, ledger, folder).await? {
                    if let Some(alike) = alike.get_mut(&fingerprint) {
                        alike.twins.push(Twin { size, digests: None, folder, uid });
                    }
                }
            }
        }
        let mut held: UidSet = alike.values().flat_map(|it| it.shown.iter().map(|it| it.uid)).collect();
        let mut lacking = UidSet::new();
        for it in alike.values() {
            let undecided: Vec<&Shown> = it.undecided().collect();
            if !undecided.is_empty() {
                lacking.extend(unequal(source, view, &undecided, &it.twins).await?);
            }
        }
        held = held.iter().filter(|uid| !lacking.contains(*uid)).collect();
        Ok(held)
    }
}

/// Returns messages of a folder without a fingerprint in the ledger: they were not copied, and may never be.
async fn unrecorded<M: Mailbox, L: Ledger>(
    source: &mut M,
    ledger: &L,
    folder: &FolderPath,
) -> Result<Vec<(Uid, u64, Fingerprint)>, Error> {
    let known = ledger.folder(folder).await?;
    let look = async {
        let scan = source.scan(folder, None).await?;
        let known = known.filter(|it| it.record.uid_validity == scan.status.uid_validity);
        let recorded: UidSet = known.iter().flat_map(|it| it.done().map(|(uid, _)| uid)).collect();
        let sizes: BTreeMap<Uid, u64> = scan
            .messages
            .iter()
            .filter(|it| !recorded.contains(it.uid))
            .map(|it| (it.uid, it.size))
            .collect();
        let prints = source.fingerprints(folder, &sizes.keys().copied().collect()).await?;
        let with_size = |(uid, it): (Uid, Fingerprint)| Some((uid, *sizes.get(&uid)?, it));
        Ok(prints.into_iter().filter_map(with_size).collect())
    };
    match look.await {
        // A folder that cannot be read holds nothing reliable.
        Err(Error { scope, .. }) if scope <= Scope::Folder => Ok(Vec::new()),
        other => other,
    }
}

/// Returns the messages whose bytes are not those of any of the twins.
async fn unequal<M: Mailbox>(
    source: &mut M,
    view: &FolderPath,
    shown: &[&Shown],
    twins: &[Twin<'_>],
) -> Result<Vec<Uid>, Error> {
    if twins.is_empty() {
        return Ok(shown.iter().map(|it| it.uid).collect());
    }
    let mut known: HashSet<Digest> = twins.iter().filter_map(|it| Some(it.digests?.whole)).collect();
    let mut unread: BTreeMap<&FolderPath, UidSet> = BTreeMap::new();
    for twin in twins.iter().filter(|it| it.digests.is_none()) {
        unread.entry(twin.folder).or_default().insert(twin.uid);
    }
    for (folder, uids) in unread {
        match source.digests(folder, &uids).await {
            Err(error) if error.scope <= Scope::Folder => {}
            other => known.extend(other?.into_iter().map(|(_, it)| it.whole)),
        }
    }
    let unread: UidSet = shown.iter().filter(|it| it.digests.is_none()).map(|it| it.uid).collect();
    let mut digests: BTreeMap<Uid, Digests> = source.digests(view, &unread).await?.into_iter().collect();
    digests.extend(shown.iter().filter_map(|it| Some((it.uid, it.digests?))));
    let is_equal = |uid: Uid| digests.get(&uid).is_some_and(|it| known.contains(&it.whole));
    Ok(shown.iter().map(|it| it.uid).filter(|uid| !is_equal(*uid)).collect())
}
