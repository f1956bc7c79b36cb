//! Names under which the target created new folders.
//!
//! A server may take two names for one, cut them, or spell them differently, and answer OK. Two folders of the source
//! would then become one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mailhaul_mail::{FolderPath, Retry, Scope, ignoring_case};

use crate::{
    context::{Ports, SyncContext},
    creation::create::create_with_retries,
    error::{Error, ErrorKind},
    folder::{Folder, FolderStatus},
    folder_plan::separate_names,
    folder_sync::job::FolderJob,
    ports::{Event, Ledger, Mailbox, NewFolder, Progress},
    retry::{RetryCounter, recover_from},
};

/// Finds the listed folder that the server may have created for this name. Pure.
///
/// Returns `None` if the name is listed unchanged, or not at all.
fn made_of<'a>(place: &FolderPath, listed: &'a [Folder]) -> Option<&'a Folder> {
    if place.is_inbox() || listed.iter().any(|it| it.path == *place) {
        return None;
    }
    let there =
        || listed.iter().filter(|it| it.selectable && it.path.segments().len() == place.segments().len());
    let pairs = |other: &Folder| -> Vec<(String, String)> {
        let segments = place.segments().iter().zip(other.path.segments());
        segments.map(|(one, other)| (ignoring_case(one), ignoring_case(other))).collect()
    };
    let is_same = |it: &&Folder| pairs(it).iter().all(|(one, other)| one == other);
    let is_cut =
        |it: &&Folder| pairs(it).iter().all(|(one, other)| !other.is_empty() && one.starts_with(other));
    let longest = |it: &&Folder| it.path.segments().iter().map(String::len).sum::<usize>();
    there().find(is_same).or_else(|| there().filter(is_cut).max_by_key(longest))
}

/// A new folder whose name the server takes for another one.
struct MergedFolder {
    /// Index of the job.
    index: usize,
    /// The folder that the server takes it for.
    shown: FolderPath,
    /// Names that were not tried yet.
    others: VecDeque<FolderPath>,
}

/// Compares the names of new folders with the target's listing.
///
/// A folder with another spelling is renamed in its job. A folder that is another one gets a different name, or fails.
pub(crate) async fn check_made_names<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &mut [FolderJob],
    new: &[usize],
) -> Result<(), Error> {
    let open: Vec<usize> =
        new.iter().copied().filter(|it| !jobs[*it].has_failed() && !jobs[*it].target().is_inbox()).collect();
    if open.is_empty() {
        return Ok(());
    }
    let mut used: BTreeMap<FolderPath, FolderPath> =
        cx.ledger.folders().await?.into_iter().map(|it| (it.target, it.folder)).collect();
    for (_, job) in jobs.iter().enumerate().filter(|(index, _)| !open.contains(index)) {
        used.entry(job.target().clone()).or_insert_with(|| job.source().clone());
    }
    let listed = list_target(cx).await?;
    // Folders that are listed unchanged keep their names.
    let is_listed = |job: &FolderJob| listed.iter().any(|it| it.path == *job.target());
    for job in open.iter().map(|it| &jobs[*it]).filter(|it| is_listed(it)) {
        used.entry(job.target().clone()).or_insert_with(|| job.source().clone());
    }
    let mut merged = Vec::new();
    for index in open {
        let place = jobs[index].target().clone();
        let Some(shown) = made_as(cx, &place, &listed).await? else { continue };
        if used.contains_key(&shown) {
            let others = separate_names(&place, &shown).into();
            merged.push(MergedFolder { index, shown, others });
        } else {
            used.insert(shown.clone(), jobs[index].source().clone());
            jobs[index].replace(shown, "the target lists it so");
        }
    }
    for it in merged {
        create_separate(cx, jobs, it, &mut used).await?;
    }
    Ok(())
}

async fn list_target<M: Ports>(cx: &mut SyncContext<'_, M>) -> Result<Vec<Folder>, Error> {
    let mut retries = RetryCounter::default();
    loop {
        match cx.target.folders().await {
            Ok(listed) => return Ok(listed),
            Err(error) => recover_from(cx, error, &mut retries).await?,
        }
    }
}

/// Returns the folder that the target shows for this one, if it is another. A different state rules that out.
async fn made_as<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    place: &FolderPath,
    listed: &[Folder],
) -> Result<Option<FolderPath>, Error> {
    let Some(shown) = made_of(place, listed) else { return Ok(None) };
    let mut retries = RetryCounter::default();
    let (own, its) = loop {
        let both = match cx.target.status(place).await {
            Ok(own) => cx.target.status(&shown.path).await.map(|its| (own, its)),
            Err(error) => Err(error),
        };
        match both {
            Ok(both) => break both,
            // The folder cannot be opened: copying reports the reason.
            Err(error) if error.scope <= Scope::Folder => return Ok(None),
            Err(error) => recover_from(cx, error, &mut retries).await?,
        }
    };
    let state = |it: &FolderStatus| (it.uid_validity, it.uid_next, it.messages);
    Ok((state(&own) == state(&its)).then(|| shown.path.clone()))
}

/// Tries names until the target has a separate folder for one of them.
async fn create_separate<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &mut [FolderJob],
    merged: MergedFolder,
    used: &mut BTreeMap<FolderPath, FolderPath>,
) -> Result<(), Error> {
    let MergedFolder { index, shown, mut others } = merged;
    let planned: BTreeSet<FolderPath> = jobs.iter().map(|it| it.target().clone()).collect();
    while let Some(path) = others.pop_front() {
        if used.contains_key(&path) || planned.contains(&path) {
            continue;
        }
        let folder = NewFolder { path, subscribe: jobs[index].new_folder().subscribe };
        let made = create_with_retries(cx, std::slice::from_ref(&folder)).await?;
        let listed = list_target(cx).await?;
        let own = match made_as(cx, &folder.path, &listed).await? {
            Some(spelled) => spelled,
            None if listed.iter().any(|it| it.path == folder.path) => folder.path,
            None => continue,
        };
        if made.iter().all(Result::is_ok) && !used.contains_key(&own) {
            let why = format!("the target takes the name \"{}\" for \"{shown}\"", jobs[index].target());
            used.insert(own.clone(), jobs[index].source().clone());
            jobs[index].set_separate(own, &why);
            return Ok(());
        }
    }
    let job = &mut jobs[index];
    let other = used.get(&shown).map_or_else(|| shown.to_string(), ToString::to_string);
    let message = format!(
        "folder {}: the target has one folder, \"{shown}\", for this one and for {other}, and takes no other name for it",
        job.source()
    );
    let error = Error::new(Scope::Folder, Retry::Never, ErrorKind::Refused, message);
    cx.progress.event(Event::FolderFailed { folder: job.source(), error: &error });
    job.fail(error);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: &[&str]) -> Vec<Folder> {
        let folder = |name: &&str| Folder {
            path: FolderPath::parse(name),
            special_use: None,
            selectable: true,
            subscribed: false,
            status: None,
            leave_out: None,
        };
        names.iter().map(folder).collect()
    }

    #[test]
    fn names_that_differ_in_case_or_are_cut_are_found() {
        let folders = listed(&["INBOX", "Work", "Pro", "Projects", "Wörter", "a/Projects"]);
        let made = |name: &str| made_of(&FolderPath::parse(name), &folders).map(|it| it.path.to_string());
        assert_eq!(made("work").as_deref(), Some("Work"));
        assert_eq!(made("Projects 2024").as_deref(), Some("Projects"));
        assert_eq!(made("A/Projects 2024").as_deref(), Some("a/Projects"));
        assert_eq!(made("wo\u{308}rter").as_deref(), Some("Wörter"));
        for name in ["Work", "inbox", "Other", "a"] {
            assert_eq!(made(name), None, "{name}");
        }
    }
}
