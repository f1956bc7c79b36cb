//! Creation of folders that are new on the target.
//!
//! If a name is refused without a known rule, other names are tried that can be read back: mail must not be left out
//! because of its folder's name.

pub(crate) mod create;
pub(crate) mod made_names;

use std::collections::{BTreeSet, VecDeque};

use mailhaul_mail::FolderPath;

use crate::{
    context::{Ports, SyncContext},
    creation::{create::create_with_retries, made_names::check_made_names},
    error::{Error, ErrorKind},
    folder_plan::other_names,
    folder_sync::job::FolderJob,
    name_rules::NameRules,
    ports::{Event, Ledger, NewFolder, Progress},
};

/// Creates the folders over one connection.
///
/// Quirk: Dovecot 2.3 can fail when several connections begin in a new mailbox.
pub(crate) async fn create_folders<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &mut [FolderJob],
    names: &NameRules,
) -> Result<(), Error> {
    let new: Vec<usize> =
        (0..jobs.len()).filter(|it| jobs[*it].is_new() && !jobs[*it].has_failed()).collect();
    let folders: Vec<NewFolder> = new.iter().map(|it| jobs[*it].new_folder()).collect();
    let mut refused = Vec::new();
    for (index, created) in new.iter().copied().zip(create_with_retries(cx, &folders).await?) {
        match created {
            Ok(()) => {}
            Err(error) => {
                let others = match error.kind {
                    ErrorKind::Refused => other_names(jobs[index].target(), names),
                    _ => Vec::new(),
                };
                refused.push(Refused { index, error, others: others.into_iter().collect() });
            }
        }
    }
    if !refused.is_empty() {
        refused = try_other_names(cx, jobs, refused).await?;
    }
    for Refused { index, error, .. } in refused {
        let job = &mut jobs[index];
        cx.progress.event(Event::FolderFailed { folder: job.source(), error: &error });
        job.fail(error);
    }
    check_made_names(cx, jobs, &new).await
}

/// Tries other names for refused folders; returns those that are refused under all names.
async fn try_other_names<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &mut [FolderJob],
    mut refused: Vec<Refused>,
) -> Result<Vec<Refused>, Error> {
    let mut taken: BTreeSet<FolderPath> =
        cx.ledger.folders().await?.into_iter().map(|it| it.target).collect();
    taken.extend(jobs.iter().map(|it| it.target().clone()));
    loop {
        let mut tried: Vec<(usize, NewFolder)> = Vec::new();
        for (place, it) in refused.iter_mut().enumerate() {
            let free = std::iter::from_fn(|| it.others.pop_front()).find(|it| taken.insert(it.clone()));
            let subscribe = jobs[it.index].new_folder().subscribe;
            tried.extend(free.map(|path| (place, NewFolder { path, subscribe })));
        }
        if tried.is_empty() {
            return Ok(refused);
        }
        let folders: Vec<NewFolder> = tried.iter().map(|(_, it)| it.clone()).collect();
        let mut made = BTreeSet::new();
        for ((place, folder), created) in tried.into_iter().zip(create_with_retries(cx, &folders).await?) {
            if created.is_ok() {
                jobs[refused[place].index].rename(folder.path, &refused[place].error);
                made.insert(refused[place].index);
            }
        }
        refused.retain(|it| !made.contains(&it.index));
    }
}

/// A folder whose name the target refused.
struct Refused {
    /// Index of the job.
    index: usize,
    error: Error,
    /// Names that were not tried yet.
    others: VecDeque<FolderPath>,
}
