//! Verdict on a finished pass: the user's next status, the next attempt, and the failure. Pure.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_engine::{Error, ErrorKind, Report};
use mailhaul_mail::{Retry, Scope};
use mailhaul_migration::{BatchSettings, FailureClass, PassFailure, UserEvent};
use mailhaul_store::{Due, PassKind};

use super::{
    outage::{Outage, outage},
    workers::EndReason,
};
use crate::{
    advice::{
        DAMAGED_DATA,
        remedies::{ENDPOINT, remedy},
        topic,
    },
    output::text,
};

/// Attempts before the user fails.
const MAX_ATTEMPTS: u32 = 8;
/// Wait after the first attempt. It doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// Attempts at a server that throttles, in two days: Gmail closes a mailbox for one day.
const MAX_THROTTLED_ATTEMPTS: u32 = 48;
/// First wait if the server throttles without stating a duration.
const THROTTLED_WAIT: Duration = Duration::from_mins(2);
/// First wait if the server refuses further connections.
const CROWDED_WAIT: Duration = Duration::from_secs(10);
/// Wait after an outage of the endpoint. Its parking may last longer.
const ENDPOINT_WAIT: Duration = Duration::from_secs(10);
/// Wait after an outage of this machine.
const MACHINE_WAIT: Duration = Duration::from_mins(1);
/// Wait after an outage of a database on a server: a standby takes over in seconds.
const DATABASE_WAIT: Duration = Duration::from_secs(10);
/// Longest wait between attempts.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Consequences of a finished pass.
pub(crate) struct Verdict {
    pub(crate) event: UserEvent,
    pub(crate) due: Due,
    /// Time up to which the mailbox is synced.
    pub(crate) synced: Option<Timestamp>,
    pub(crate) failure: Option<PassFailure>,
    pub(crate) report: Report,
    /// True if the cause is an outage, which is no attempt of the user.
    pub(crate) is_outage: bool,
    /// True if the batch wants no further passes.
    pub(crate) is_last: bool,
}

/// Facts of a finished pass.
pub(crate) struct FinishedPass<'a> {
    pub(crate) kind: PassKind,
    /// Earlier attempts without success.
    pub(crate) attempts: u32,
    pub(crate) settings: &'a BatchSettings,
    /// True if messages were copied.
    pub(crate) has_gained: bool,
    /// True if the mail goes to the archive.
    pub(crate) is_archive: bool,
    /// True if the ledger is in a database on a server.
    pub(crate) is_on_server: bool,
    /// Reason if the worker had to end.
    pub(crate) end_reason: Option<EndReason>,
    pub(crate) started: Timestamp,
    pub(crate) now: Timestamp,
}

impl FinishedPass<'_> {
    /// Returns the verdict.
    pub(crate) fn judge(&self, mut report: Report) -> Verdict {
        // The next pass must not be delayed if the clock was set back during this one.
        let started = self.started.min(self.now);
        let next = after(started, self.settings.sync_interval).max(self.now);
        let is_last = !self.settings.allow_incremental_syncs;
        if report.error.is_none() && report.folders.iter().all(|it| it.error.is_none()) && !report.is_synced()
        {
            let words = "the numbers of this sync do not add up";
            report.error = Some(Error::new(Scope::Endpoint, Retry::Never, ErrorKind::Internal, words));
        }
        let of_folder = report.folders.iter().find_map(|folder| folder.error.as_ref());
        let error = report.error.as_ref().or(of_folder);
        let (event, due, failure) = match (self.end_reason, error) {
            (_, None) => {
                let is_whole = report.skipped().next().is_none();
                let event = if is_whole { UserEvent::Synced } else { UserEvent::SyncedWithSkippedItems };
                let due = if is_last || self.kind == PassKind::Final { Due::Never } else { Due::At(next) };
                (event, due, None)
            }
            (Some(EndReason::Stopped), Some(_)) => (UserEvent::Halted, Due::Never, None),
            (Some(_), Some(_)) => (UserEvent::Deferred, Due::At(self.now), None),
            (None, Some(error)) if self.outage(error).is_some() => {
                let due = after(self.now, self.outage(error).unwrap_or_default());
                (UserEvent::Deferred, Due::At(due), Some(failure(error, true)))
            }
            (None, Some(error)) => {
                match retry_after(error, if self.has_gained { 0 } else { self.attempts }) {
                    Some(wait) => {
                        (UserEvent::Deferred, Due::At(after(self.now, wait)), Some(failure(error, true)))
                    }
                    None if self.kind == PassKind::Incremental => {
                        (UserEvent::Failed, Due::At(next), Some(failure(error, false)))
                    }
                    None => (UserEvent::Failed, Due::Never, Some(failure(error, false))),
                }
            }
        };
        // Messages that arrived after the start of the pass may be missing, so the start counts.
        let synced = if error.is_none() { Some(started) } else { None };
        let is_outage = self.end_reason.is_none() && error.is_some_and(|it| self.outage(it).is_some());
        Verdict { event, due, synced, failure, report, is_outage, is_last }
    }

    /// Wait for the end of the outage; `None` if there is none.
    fn outage(&self, error: &Error) -> Option<Duration> {
        outage(error, self.is_archive).map(|outage| match outage {
            Outage::Endpoint => ENDPOINT_WAIT,
            Outage::Machine if self.is_on_server && error.kind == ErrorKind::Ledger => DATABASE_WAIT,
            Outage::Machine => MACHINE_WAIT,
        })
    }
}

fn after(time: Timestamp, duration: Duration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// Wait before the next attempt; `None` if a retry would not help.
fn retry_after(error: &Error, attempts: u32) -> Option<Duration> {
    let doubled = |first: Duration| (first * (1 << attempts.min(8))).min(LONGEST_WAIT);
    match (error.retry, error.kind) {
        (Retry::Never, _) => None,
        // The server stated the duration, so the number of attempts does not count.
        (Retry::After(Some(exactly)), _) => Some(exactly),
        // The cap on connections was lowered. Other programs of the mailbox's owner may still have all of them.
        (_, ErrorKind::TooManyConnections) => {
            (attempts + 1 < MAX_THROTTLED_ATTEMPTS).then(|| doubled(CROWDED_WAIT))
        }
        (_, ErrorKind::Throttled | ErrorKind::Busy) => {
            (attempts + 1 < MAX_THROTTLED_ATTEMPTS).then(|| doubled(THROTTLED_WAIT))
        }
        (Retry::Now | Retry::After(None), _) => (attempts + 1 < MAX_ATTEMPTS).then(|| doubled(FIRST_WAIT)),
    }
}

/// Returns the failure with its advice. `is_retried` means that the service tries again by itself.
pub(crate) fn failure(error: &Error, is_retried: bool) -> PassFailure {
    let (class, advice) = match error.kind {
        ErrorKind::Authentication => (
            FailureClass::Authentication,
            "Check the user name and the password; Set-MigrationBatch -AddUsers -CSVData takes new ones, and \
             Start-MigrationBatch tries again.",
        ),
        ErrorKind::Tls => (
            FailureClass::Connection,
            "Check the endpoint's port and security and the server's certificate; then Start-MigrationBatch tries again.",
        ),
        ErrorKind::Protocol => (
            FailureClass::Connection,
            "Start-MigrationBatch tries again; if the error comes back, please report it.",
        ),
        ErrorKind::Connection => {
            (FailureClass::Connection, "Run Start-MigrationBatch when the server is reachable.")
        }
        ErrorKind::Throttled | ErrorKind::Busy => {
            (FailureClass::Throttled, "Start-MigrationBatch tries again later.")
        }
        ErrorKind::TooManyConnections => (
            FailureClass::Throttled,
            "Close other programs that use the mailbox, or lower the endpoint's MaxConcurrentMigrations; \
             Start-MigrationBatch tries again.",
        ),
        ErrorKind::Quota => (
            FailureClass::Quota,
            "Raise the quota of the target mailbox; then Start-MigrationBatch continues.",
        ),
        ErrorKind::Refused | ErrorKind::TooLarge | ErrorKind::Renumbered => {
            (FailureClass::Refused, "See the server's words; Start-MigrationBatch tries again.")
        }
        ErrorKind::Options => (
            FailureClass::Refused,
            "Correct IncludeFolders, ExcludeFolders or FolderMap with Set-MigrationBatch; Get-MigrationFolderPlan shows \
             the folders. Then Start-MigrationBatch tries again.",
        ),
        ErrorKind::Ledger => (
            FailureClass::Storage,
            "Make the data directory writable and free some disk space; then Start-MigrationBatch continues.",
        ),
        ErrorKind::Damaged => (FailureClass::Storage, DAMAGED_DATA),
        ErrorKind::Interrupted | ErrorKind::Internal => {
            (FailureClass::Internal, "This is a bug in mailhaul; please report it.")
        }
    };
    let remedy = topic(error).and_then(|topic| remedy(topic, &error.message, &ENDPOINT));
    let advice = match remedy {
        _ if is_retried => "The service retries by itself; see NextSyncTime.".to_owned(),
        Some(remedy) => format!("{}; then Start-MigrationBatch tries again.", text::capitalised(&remedy)),
        None => advice.to_owned(),
    };
    PassFailure { class, message: error.message.clone(), advice: Some(advice) }
}

#[cfg(test)]
mod tests {
    use mailhaul_engine::{FolderReport, FolderTally};
    use mailhaul_mail::FolderPath;

    use super::*;

    const HOUR: i64 = 3600;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn judged(
        kind: PassKind,
        attempts: u32,
        end_reason: Option<EndReason>,
        error: impl Into<Option<Error>>,
    ) -> (UserEvent, Due, Option<Timestamp>) {
        let settings = BatchSettings::default();
        let passed = FinishedPass {
            kind,
            attempts,
            settings: &settings,
            has_gained: false,
            is_archive: false,
            is_on_server: false,
            end_reason,
            started: at(0),
            now: at(HOUR),
        };
        let verdict = passed.judge(Report { folders: Vec::new(), error: error.into() });
        (verdict.event, verdict.due, verdict.synced)
    }

    fn first_pass(settings: &BatchSettings, started: Timestamp, now: Timestamp) -> FinishedPass<'_> {
        FinishedPass {
            kind: PassKind::First,
            attempts: 0,
            settings,
            has_gained: false,
            is_archive: false,
            is_on_server: false,
            end_reason: None,
            started,
            now,
        }
    }

    fn error(retry: Retry, kind: ErrorKind) -> Error {
        Error::new(Scope::Endpoint, retry, kind, "words")
    }

    #[test]
    fn a_complete_pass_is_synced_up_to_its_start() {
        let next = Due::At(at(24 * HOUR));
        assert_eq!(judged(PassKind::First, 0, None, None), (UserEvent::Synced, next, Some(at(0))));
        assert_eq!(judged(PassKind::Final, 0, None, None), (UserEvent::Synced, Due::Never, Some(at(0))));
        // The worker had to end, but the pass was complete.
        let stopped = judged(PassKind::Incremental, 0, Some(EndReason::Stopped), None);
        assert_eq!(stopped, (UserEvent::Synced, next, Some(at(0))));
        let settings = BatchSettings { allow_incremental_syncs: false, ..BatchSettings::default() };
        let passed = first_pass(&settings, at(0), at(1));
        let verdict = passed.judge(Report::default());
        assert_eq!((verdict.due, verdict.is_last), (Due::Never, true));
    }

    #[test]
    fn a_clock_that_is_set_back_delays_nothing() {
        let settings = BatchSettings::default();
        let passed = first_pass(&settings, at(48 * HOUR), at(0));
        let verdict = passed.judge(Report::default());
        assert_eq!((verdict.due, verdict.synced), (Due::At(at(24 * HOUR)), Some(at(0))));
    }

    #[test]
    fn retries_and_their_waits() {
        let lost = || Error::new(Scope::Session, Retry::Now, ErrorKind::Connection, "words");
        let wait = |seconds| Due::At(at(HOUR + seconds));
        assert_eq!(judged(PassKind::First, 0, None, lost()), (UserEvent::Deferred, wait(30), None));
        assert_eq!(judged(PassKind::First, 3, None, lost()), (UserEvent::Deferred, wait(240), None));
        assert_eq!(judged(PassKind::First, 7, None, lost()), (UserEvent::Failed, Due::Never, None));
        let busy = error(Retry::After(Some(Duration::from_mins(5))), ErrorKind::Throttled);
        assert_eq!(judged(PassKind::First, 99, None, busy), (UserEvent::Deferred, wait(300), None));
        // A server that throttles gets more attempts.
        let asked = || error(Retry::After(None), ErrorKind::Throttled);
        assert_eq!(judged(PassKind::First, 0, None, asked()), (UserEvent::Deferred, wait(120), None));
        assert_eq!(judged(PassKind::First, 46, None, asked()), (UserEvent::Deferred, wait(HOUR), None));
        assert_eq!(judged(PassKind::First, 47, None, asked()), (UserEvent::Failed, Due::Never, None));
        let crowded = || error(Retry::After(None), ErrorKind::TooManyConnections);
        assert_eq!(judged(PassKind::First, 0, None, crowded()), (UserEvent::Deferred, wait(10), None));
        assert_eq!(judged(PassKind::Final, 46, None, crowded()), (UserEvent::Deferred, wait(2560), None));
        let refused = || error(Retry::Never, ErrorKind::Authentication);
        assert_eq!(judged(PassKind::First, 0, None, refused()), (UserEvent::Failed, Due::Never, None));
        // An outage counts no attempts, however long it lasts.
        let unreachable = || error(Retry::Never, ErrorKind::Connection);
        assert_eq!(judged(PassKind::First, 99, None, unreachable()), (UserEvent::Deferred, wait(10), None));
        let full = || error(Retry::Never, ErrorKind::Ledger);
        assert_eq!(judged(PassKind::Final, 99, None, full()), (UserEvent::Deferred, wait(60), None));
        let settings = BatchSettings::default();
        let on_server = FinishedPass { is_on_server: true, ..first_pass(&settings, at(0), at(HOUR)) };
        assert_eq!(on_server.judge(Report { folders: Vec::new(), error: Some(full()) }).due, wait(10));
        // After a failed incremental pass the next one is due as usual.
        let later = judged(PassKind::Incremental, 0, None, refused());
        assert_eq!(later, (UserEvent::Failed, Due::At(at(24 * HOUR)), None));
        // Only a restored backup repairs the damage.
        let damaged = || error(Retry::Never, ErrorKind::Damaged);
        assert_eq!(judged(PassKind::First, 0, None, damaged()), (UserEvent::Failed, Due::Never, None));
        let interrupted = Error::interrupted;
        let stopped = judged(PassKind::First, 0, Some(EndReason::Stopped), interrupted());
        assert_eq!(stopped, (UserEvent::Halted, Due::Never, None));
        let preempted = judged(PassKind::First, 0, Some(EndReason::Preempted), interrupted());
        assert_eq!(preempted, (UserEvent::Deferred, wait(0), None));
    }

    #[test]
    fn progress_resets_the_attempts() {
        let settings = BatchSettings::default();
        let passed = |has_gained| FinishedPass {
            kind: PassKind::First,
            attempts: 40,
            settings: &settings,
            has_gained,
            is_archive: false,
            is_on_server: false,
            end_reason: None,
            started: at(0),
            now: at(HOUR),
        };
        let asked = || Some(error(Retry::After(None), ErrorKind::Throttled));
        let due = |has_gained| passed(has_gained).judge(Report { folders: Vec::new(), error: asked() }).due;
        assert_eq!((due(true), due(false)), (Due::At(at(HOUR + 120)), Due::At(at(2 * HOUR))));
    }

    #[test]
    fn sums_that_do_not_close_are_a_failure() {
        let tally = FolderTally { seen: 2, copied: 1, ..FolderTally::default() };
        let folder = FolderReport {
            source: FolderPath::inbox(),
            target: Some(FolderPath::inbox()),
            reason: String::new(),
            tally,
            error: None,
        };
        let settings = BatchSettings::default();
        let passed = first_pass(&settings, at(0), at(1));
        let verdict = passed.judge(Report { folders: vec![folder], error: None });
        assert_eq!((verdict.event, verdict.synced), (UserEvent::Failed, None));
        assert_eq!(verdict.failure.map(|it| it.class), Some(FailureClass::Internal));
    }
}
