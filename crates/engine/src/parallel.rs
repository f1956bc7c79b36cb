//! Parallel connection pairs that copy folders of one mailbox concurrently.
//!
//! A folder costs some round trips in which nothing is sent, and a server uses one processor for a connection. Other
//! pairs copy other folders meanwhile. The first pair is the mailbox's own and retries. A further pair that meets a
//! refusal or a broken connection gives its folder back and ends, because most servers allow few connections of one
//! user.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use mailhaul_mail::Scope;
use parking_lot::Mutex;

use crate::{
    context::{FAR_ROUND_TRIP, Ports, SyncContext},
    error::{Error, ErrorKind},
    folder_sync::{
        job::{FolderHistory, FolderJob},
        sync_folder,
    },
    limits::slots::Slot,
    ports::{Event, Ledger, Mailbox, Progress},
    retry::{RetryCounter, recover_from},
};

/// Pairs of one mailbox to servers far away. Exchange Online and Gmail allow more connections, some servers few.
const MAX_PAIRS_FAR: usize = 4;
/// Pairs of a mailbox without others beside it: two keep two processors of the server busy. With other mailboxes,
/// which do that already, a further pair to a near server slows down all of them.
const MAX_PAIRS_ALONE: usize = 2;

/// Folders that share a target folder. One pair copies them one after the other.
type Group<'w> = VecDeque<&'w mut FolderJob>;

/// State that the pairs share.
struct FolderQueue<'w> {
    waiting: Mutex<VecDeque<Group<'w>>>,
    /// One wait is enough: commands on the wire for any folder take effect during it.
    has_waited: AtomicBool,
    /// Words of the target's last refusal, and the number of equal ones in a row. A full mailbox refuses in every
    /// folder.
    alike: Mutex<(String, u32)>,
    /// True after the first pair has given up.
    is_over: AtomicBool,
}

impl<'w> FolderQueue<'w> {
    fn new(jobs: &'w mut [FolderJob]) -> Self {
        let mut groups: VecDeque<Group<'w>> = VecDeque::new();
        for job in jobs.iter_mut().filter(|it| !it.has_failed()) {
            match groups.iter_mut().find(|group| group.iter().any(|it| it.target == job.target)) {
                Some(group) => group.push_back(job),
                None => groups.push_back(VecDeque::from([job])),
            }
        }
        Self {
            waiting: Mutex::new(groups),
            has_waited: AtomicBool::new(false),
            alike: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    fn with<R>(&self, change: impl FnOnce(&mut VecDeque<Group<'w>>) -> R) -> R {
        change(&mut self.waiting.lock())
    }

    fn next(&self) -> Option<Group<'w>> {
        self.with(VecDeque::pop_front)
    }
}

/// Number of pairs that are worth their connections.
fn useful_pairs(round_trip: Option<Duration>, is_alone: bool, groups: usize) -> usize {
    let most = match round_trip {
        Some(it) if it >= FAR_ROUND_TRIP => MAX_PAIRS_FAR,
        _ if is_alone => MAX_PAIRS_ALONE,
        _ => 1,
    };
    groups.clamp(1, most)
}

/// Connects both servers and a second pair before changes are known, if an operator waits for this mailbox alone.
///
/// The service does not: its passes repeat, and an unchanged mailbox must cost the target nothing.
pub(crate) async fn connect_early<M: Ports>(cx: &mut SyncContext<'_, M>) -> Result<(), Error> {
    if !cx.limits.is_last {
        return Ok(());
    }
    let folders = cx.ledger.folders().await?.len();
    // The first pass lists both servers anyway.
    if folders > 0 {
        let has_room = cx.limits.max_connection_pairs > 1 && cx.slots.try_take().is_some();
        let further = usize::from(folders > 1 && has_room);
        cx.source.connect_ahead(further);
        cx.target.connect_ahead(further);
    }
    Ok(())
}

/// Connects the pairs for folders that changed, while the folders are scanned. Returns the slots of the further pairs.
pub(crate) fn connect_pairs_ahead<M: Ports>(cx: &mut SyncContext<'_, M>, jobs: &[FolderJob]) -> Vec<Slot> {
    let known = jobs.iter().filter(|job| job.history == FolderHistory::Known).count();
    if known == 0 {
        return Vec::new();
    }
    let wanted = max_pairs(cx, known, cx.slots.is_alone());
    let slots: Vec<Slot> = (1..wanted).map_while(|_| cx.slots.try_take()).collect();
    cx.source.connect_ahead(slots.len());
    cx.target.connect_ahead(slots.len());
    slots
}

/// Number of pairs that are worth their connections, for this number of groups of folders.
fn max_pairs<M: Ports>(cx: &SyncContext<'_, M>, groups: usize, is_alone: bool) -> usize {
    let round_trip = cx.source.round_trip().max(cx.target.round_trip());
    useful_pairs(round_trip, is_alone, groups).min(cx.limits.max_connection_pairs)
}

/// Synchronizes all folders that have not failed. `slots` are those of further pairs, which may be connected.
pub(crate) async fn sync_all<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    jobs: &mut [FolderJob],
    mut slots: Vec<Slot>,
) -> Result<(), Error> {
    // A move writes into the records of two folders.
    let any_moves = jobs.iter().any(|it| !it.moves.is_empty());
    let queue = FolderQueue::new(jobs);
    let is_alone = cx.slots.taken() <= 1 + slots.len();
    let wanted = if any_moves { 1 } else { max_pairs(cx, queue.with(|it| it.len()), is_alone) };
    if slots.len() >= wanted {
        slots.truncate(wanted - 1);
        cx.source.connect_ahead(slots.len());
        cx.target.connect_ahead(slots.len());
    }
    let further = (slots.len() + 1..wanted).map_while(|_| cx.slots.try_take());
    slots.extend(further);
    let mut others: Vec<(M::Source, M::Target)> =
        slots.iter().map(|_| (cx.source.another(), cx.target.another())).collect();
    let (ledger, progress, clock) = (cx.ledger, cx.progress, cx.clock);
    let (budget, slots, stop, options) = (cx.budget, cx.slots, cx.stop, cx.options);
    let limits = cx.limits;
    let further = join_all(others.iter_mut().map(|(source, target)| {
        let mut context = SyncContext::<M> {
            source,
            target,
            ledger,
            progress,
            clock,
            budget,
            slots,
            stop,
            limits,
            options,
        };
        let queue = &queue;
        async move {
            drive_further(&mut context, queue).await;
            end_connections(&mut context).await;
        }
    }));
    let (first, _) = futures_util::join!(drive_first(cx, &queue), further);
    first?;
    // A further pair may have given a folder back after the first one had nothing more to do.
    drive_first(cx, &queue).await
}

/// Ends both connections. Waits for the servers if other connections may follow.
async fn end_connections<M: Ports>(cx: &mut SyncContext<'_, M>) {
    if cx.limits.is_last {
        futures_util::join!(cx.source.leave(), cx.target.leave());
    } else {
        futures_util::join!(cx.source.close(), cx.target.close());
    }
}

async fn drive_first<M: Ports>(cx: &mut SyncContext<'_, M>, queue: &FolderQueue<'_>) -> Result<(), Error> {
    while let Some(mut group) = queue.next() {
        while let Some(job) = group.pop_front() {
            let carried = sync_with_retries(cx, job, queue).await;
            if carried.is_err() {
                queue.is_over.store(true, Ordering::SeqCst);
                return carried;
            }
        }
    }
    Ok(())
}

async fn drive_further<M: Ports>(cx: &mut SyncContext<'_, M>, queue: &FolderQueue<'_>) {
    while !queue.is_over.load(Ordering::SeqCst)
        && !cx.stop.is_cancelled()
        && let Some(mut group) = queue.next()
    {
        while let Some(job) = group.pop_front() {
            if let Err(error) = sync_once(cx, job, queue).await {
                // If the error lasts, the first pair meets it too.
                if error.kind != ErrorKind::Interrupted {
                    cx.progress.event(Event::ConnectionPairEnded { error: &error });
                }
                group.push_front(job);
                queue.with(|it| it.push_front(group));
                return;
            }
        }
    }
}

async fn sync_with_retries<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    queue: &FolderQueue<'_>,
) -> Result<(), Error> {
    let mut retries = RetryCounter::default();
    loop {
        if cx.stop.is_cancelled() {
            return Err(Error::interrupted());
        }
        let before = job.progress();
        let Err(error) = sync_once(cx, job, queue).await else { return Ok(()) };
        if job.progress() > before {
            retries.renew();
        }
        if let Err(error) = recover_from(cx, error, &mut retries).await {
            job.fail(error.clone());
            return Err(error);
        }
    }
}

/// Synchronizes a folder once. An error that concerns the folder alone is stored in its job; others are returned.
async fn sync_once<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    queue: &FolderQueue<'_>,
) -> Result<(), Error> {
    job.has_waited |= queue.has_waited.load(Ordering::SeqCst);
    job.refusals.follow(&queue.alike.lock());
    let carried = Box::pin(sync_folder(cx, job)).await;
    queue.alike.lock().clone_from(job.refusals.alike());
    queue.has_waited.fetch_or(job.has_waited, Ordering::SeqCst);
    match carried {
        Err(error) if error.kind == ErrorKind::Renumbered && job.start_again() => {
            Err(Error { scope: Scope::Session, ..error })
        }
        Err(error) if error.scope <= Scope::Folder => {
            cx.progress.event(Event::FolderFailed { folder: job.source(), error: &error });
            job.fail(error);
            Ok(())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_pairs_are_for_far_servers_and_single_mailboxes() {
        let far = Some(Duration::from_millis(20));
        assert_eq!(
            (useful_pairs(far, false, 10), useful_pairs(far, true, 2), useful_pairs(far, true, 0)),
            (MAX_PAIRS_FAR, 2, 1)
        );
        let near = Some(Duration::from_micros(300));
        assert_eq!(
            (useful_pairs(near, true, 10), useful_pairs(near, false, 10), useful_pairs(None, false, 10)),
            (MAX_PAIRS_ALONE, 1, 1)
        );
    }
}
