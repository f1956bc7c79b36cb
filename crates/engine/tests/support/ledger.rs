//! A ledger in memory, with crashes on demand.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use mailhaul_engine::{Arrival, Error, FolderRecord, FolderState, Ledger, LedgerRecord};
use mailhaul_mail::{FolderPath, UidSet};

/// The point at which the ledger fails for good, as if the process had been killed there.
#[derive(Clone, Copy, Debug)]
pub enum Crash {
    Before(u32),
    After(u32),
}

#[derive(Clone, Default)]
pub struct MemoryLedger {
    folders: Arc<Mutex<BTreeMap<FolderPath, FolderState>>>,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
    calls: Arc<Mutex<u32>>,
    crash: Option<Crash>,
}

impl MemoryLedger {
    pub fn calls(&self) -> u32 {
        *self.calls.lock().unwrap()
    }

    /// The recorded arrivals in the order of their times.
    pub fn arrivals(&self) -> Vec<Arrival> {
        let mut arrivals = self.arrivals.lock().unwrap().clone();
        arrivals.sort_by_key(|arrival| arrival.at);
        arrivals
    }

    /// A copy of its current state, separate from later changes.
    pub fn backup(&self) -> Self {
        let folders = self.folders.lock().unwrap().clone();
        Self { folders: Arc::new(Mutex::new(folders)), ..Self::default() }
    }

    pub fn crashing(&self, crash: Option<Crash>) -> Self {
        Self { folders: self.folders.clone(), arrivals: self.arrivals.clone(), calls: Arc::default(), crash }
    }
}

impl Ledger for MemoryLedger {
    async fn folders(&self) -> Result<Vec<FolderRecord>, Error> {
        Ok(self.folders.lock().unwrap().values().map(|it| it.record.clone()).collect())
    }

    async fn folder(&self, folder: &FolderPath) -> Result<Option<FolderState>, Error> {
        Ok(self.folders.lock().unwrap().get(folder).cloned())
    }

    async fn folder_around(&self, folder: &FolderPath, uids: &UidSet) -> Result<Option<FolderState>, Error> {
        Ok(self.folders.lock().unwrap().get(folder).cloned().map(|it| it.around(uids)))
    }

    async fn record(&self, records: &[LedgerRecord]) -> Result<(), Error> {
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        let call = *calls;
        if matches!(self.crash, Some(Crash::Before(at)) if call >= at)
            || matches!(self.crash, Some(Crash::After(at)) if call > at)
        {
            return Err(Error::ledger("killed"));
        }
        let mut folders = self.folders.lock().unwrap();
        for record in records {
            if let LedgerRecord::Arrived { arrivals, .. } = record {
                self.arrivals.lock().unwrap().extend(arrivals.iter().cloned());
            }
            if let LedgerRecord::Opened { folder, target, uid_validity } = record {
                folders
                    .entry(folder.clone())
                    .or_insert_with(|| FolderState::opened(folder.clone(), target.clone(), *uid_validity));
            }
            folders.get_mut(record.folder()).expect("opened before anything else").apply(record);
            if let LedgerRecord::Renamed { folder, to, .. } = record {
                let state = folders.remove(folder).expect("opened before anything else");
                folders.insert(to.clone(), state);
            } else if let LedgerRecord::Closed { folder } = record {
                folders.remove(folder);
            }
        }
        drop(folders);
        match self.crash {
            Some(Crash::After(at)) if call == at => Err(Error::ledger("killed")),
            _ => Ok(()),
        }
    }
}
