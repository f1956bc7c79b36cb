//! Worker: runs one claimed user's pass, from the claim to the release of the lease.

pub(crate) mod job;
mod monitor;
mod release;

use jiff::Timestamp;
use mailhaul_engine::{Error, ErrorKind, Report, Slot};
use mailhaul_mail::{Retry, Scope};
use mailhaul_migration::UserEvent;
use mailhaul_store::Due;

use self::{
    job::WorkerJob,
    monitor::PassMonitor,
    release::{JobEnd, release},
};
use super::verdict::{Verdict, failure};

/// Runs the pass and releases the lease, also if the pass panics. Holds the place until the end.
pub(super) async fn run_job(job: WorkerJob, place: Slot) {
    let running = tokio::spawn({
        let job = job.clone();
        async move {
            let end = PassMonitor::new(&job).run().await;
            release(&job, end).await;
        }
    });
    if running.await.is_err() {
        release(&job, panicked(job.context.store.now())).await;
    }
    drop(place);
    job.context.workers.ended(job.user.guid);
}

fn panicked(now: Timestamp) -> JobEnd {
    let words = "internal error in this mailbox; other mailboxes are not affected";
    let error = Error::new(Scope::Endpoint, Retry::Never, ErrorKind::Internal, words);
    let verdict = Verdict {
        event: UserEvent::Failed,
        due: Due::Never,
        synced: None,
        failure: Some(failure(&error, false)),
        report: Report { folders: Vec::new(), error: Some(error) },
        is_outage: false,
        is_last: false,
    };
    JobEnd { verdict, closed: None, entries: Vec::new(), started: now }
}
