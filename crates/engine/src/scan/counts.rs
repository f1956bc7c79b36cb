//! Two answers about the state of a folder must agree: STATUS and EXAMINE.

use mailhaul_mail::{FolderPath, Retry, Scope, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::{Error, ErrorKind, Side},
    folder::{FolderStatus, Present, Scan},
    folder_sync::job::FolderJob,
    ports::Mailbox,
};

/// True if STATUS counts more messages than a scan showed, and no new message explains it.
fn contradicts(status: &FolderStatus, scanned: &FolderStatus) -> bool {
    status.uid_validity == scanned.uid_validity
        && status.messages > scanned.messages
        && status.uid_next == scanned.uid_next
}

/// Finds another folder that is listed with this state. Pure.
pub(crate) fn twin<'a>(job: &'a FolderJob, state: &FolderStatus) -> Option<&'a FolderPath> {
    let numbers = |it: &FolderStatus| (it.uid_validity, it.messages, it.uid_next);
    let is_twin = |it: &&(FolderPath, FolderStatus)| it.0 != job.source && numbers(&it.1) == numbers(state);
    job.listing.iter().find(is_twin).filter(|_| state.messages > 0).map(|(folder, _)| folder)
}

/// Finds the folder that has this state, if the state is not that of the requested folder. Pure.
fn opened_instead<'a>(job: &'a FolderJob, state: &FolderStatus) -> Option<&'a FolderPath> {
    let (_, own) = job.listing.iter().find(|(folder, _)| *folder == job.source)?;
    let is_other = own.messages != state.messages && own.uid_next != state.uid_next;
    twin(job, state).filter(|_| is_other)
}

/// Returns the scan if the server counts no more messages than it showed.
///
/// Fewer messages than listed are usual in a mailbox in use. STATUS is read again, and the folder is scanned again if
/// both still differ. If they always differ, the shown messages are copied, none counts as gone, and the folder fails.
pub(crate) async fn check_count<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    scan: Scan,
) -> Result<Scan, Error> {
    let scan = check_folder(cx, job, scan).await?;
    if u64::from(scan.status.messages) >= job.listed() || scan.incomplete.is_some() {
        return Ok(scan);
    }
    let told = cx.source.status(&job.source).await?;
    if !contradicts(&told, &scan.status) {
        return Ok(scan);
    }
    let mut scan = cx.source.scan(&job.source, None).await?;
    let told = cx.source.status(&job.source).await?;
    if contradicts(&told, &scan.status) && scan.incomplete.is_none() {
        scan.present = Present::AllBut(UidSet::new());
        scan.incomplete = Some(format!(
            "the server counts {} messages (STATUS) and shows {} when the folder is opened",
            told.messages, scan.status.messages
        ));
    }
    Ok(scan)
}

/// Fails if the target counts more messages than it shows: missing messages may be there.
pub(crate) async fn check_target_count<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
) -> Result<(), Error> {
    let scan = cx.target.scan(&job.target, None).await?;
    let told = cx.target.status(&job.target).await?;
    if !contradicts(&told, &scan.status) {
        return Ok(());
    }
    let words = format!(
        "the target counts {} messages (STATUS) and shows {} when the folder is opened",
        told.messages, scan.status.messages
    );
    Err(Error::new(Scope::Folder, Retry::Never, ErrorKind::Protocol, words))
}

/// Returns the scan, if the server did not open another folder.
///
/// If it seems so, and STATUS does not confirm the new numbers, the folder is opened once more, and then fails.
async fn check_folder<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    scan: Scan,
) -> Result<Scan, Error> {
    if opened_instead(job, &scan.status).is_none() || is_confirmed(cx, job, &scan).await? {
        return Ok(scan);
    }
    let scan = cx.source.scan(&job.source, None).await?;
    match opened_instead(job, &scan.status) {
        Some(other) if !is_confirmed(cx, job, &scan).await? => {
            let words = format!("the server opens folder {other} in its place");
            Err(Error::new(Scope::Folder, Retry::Never, ErrorKind::Protocol, words).at(Side::Source))
        }
        _ => Ok(scan),
    }
}

/// True if STATUS returns the same numbers.
async fn is_confirmed<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    scan: &Scan,
) -> Result<bool, Error> {
    let told = cx.source.status(&job.source).await?;
    Ok((told.messages, told.uid_next) == (scan.status.messages, scan.status.uid_next))
}
