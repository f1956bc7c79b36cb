//! What the end of a pass means for its user: a pure decision.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_engine::{Error, ErrorKind, Report};
use mailhaul_mail::{Retry, Scope};
use mailhaul_migration::{BatchSettings, Failure, FailureClass, UserEvent};
use mailhaul_store::{Due, PassKind};

use super::{
    outage::{Outage, outage},
    workers::Ending,
};
use crate::{
    advice::{
        DAMAGED_DATA,
        remedies::{ENDPOINT, remedy},
        topic,
    },
    output::text,
};

/// So often a pass that breaks off is tried again before the user fails.
const ATTEMPTS: u32 = 8;
/// After the first break; twice as long after each further one.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// A server that asks for patience gets it so often, for two days in all: Gmail closes a mailbox for one.
const THROTTLED_ATTEMPTS: u32 = 48;
/// The same where the server asks for patience and does not say for how long.
const THROTTLED_WAIT: Duration = Duration::from_mins(2);
/// The same where the server has connections enough.
const CROWDED_WAIT: Duration = Duration::from_secs(10);
/// After an outage of the endpoint, which is left alone longer by its parking; and of this machine.
const ENDPOINT_WAIT: Duration = Duration::from_secs(10);
const MACHINE_WAIT: Duration = Duration::from_mins(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// How a pass ended.
pub(crate) struct Ended {
    pub(crate) event: UserEvent,
    pub(crate) due: Due,
    /// When the mailbox was in step.
    pub(crate) synced: Option<Timestamp>,
    pub(crate) failure: Option<Failure>,
    pub(crate) report: Report,
    /// Something other than the user is to blame: it is no attempt.
    pub(crate) is_outage: bool,
    /// The batch wants no later ones.
    pub(crate) is_last: bool,
}

/// The pass that has ended.
pub(crate) struct Passed<'a> {
    pub(crate) kind: PassKind,
    /// How often it broke off before.
    pub(crate) attempts: u32,
    pub(crate) settings: &'a BatchSettings,
    /// Whether messages arrived in this one.
    pub(crate) has_gained: bool,
    /// True if the mail goes to the archive.
    pub(crate) is_archive: bool,
    /// Why it was told to end, if it was.
    pub(crate) ending: Option<Ending>,
    pub(crate) begun: Timestamp,
    pub(crate) now: Timestamp,
}

impl Passed<'_> {
    /// What its end means for the user.
    pub(crate) fn judge(&self, mut report: Report) -> Ended {
        // A clock that was set back during the pass must not put the next one off.
        let begun = self.begun.min(self.now);
        let next = after(begun, self.settings.sync_interval).max(self.now);
        let is_last = !self.settings.allow_incremental_syncs;
        if report.error.is_none() && report.folders.iter().all(|it| it.error.is_none()) && !report.is_synced()
        {
            let words = "the numbers of this sync do not add up";
            report.error = Some(Error::new(Scope::Endpoint, Retry::Never, ErrorKind::Internal, words));
        }
        let of_folder = report.folders.iter().find_map(|it| it.error.as_ref());
        let error = report.error.as_ref().or(of_folder);
        let (event, due, failure) = match (self.ending, error) {
            (_, None) => {
                let is_whole = report.skipped().next().is_none();
                let event = if is_whole { UserEvent::Synced } else { UserEvent::SyncedWithSkippedItems };
                let due = if is_last || self.kind == PassKind::Final { Due::Never } else { Due::At(next) };
                (event, due, None)
            }
            (Some(Ending::Stopped), Some(_)) => (UserEvent::Halted, Due::Never, None),
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
        // What arrived on the source after the pass began may be missing: that is the moment that counts.
        let synced = error.is_none().then_some(begun);
        let is_outage = self.ending.is_none() && error.is_some_and(|it| self.outage(it).is_some());
        Ended { event, due, synced, failure, report, is_outage, is_last }
    }

    /// How long to wait for the end of the outage; `None` where it is none.
    fn outage(&self, error: &Error) -> Option<Duration> {
        outage(error, self.is_archive).map(|it| match it {
            Outage::Endpoint => ENDPOINT_WAIT,
            Outage::Machine => MACHINE_WAIT,
        })
    }
}

fn after(moment: Timestamp, duration: Duration) -> Timestamp {
    moment.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// How long to wait before the next try; `None` where none would help.
fn retry_after(error: &Error, attempts: u32) -> Option<Duration> {
    let doubled = |first: Duration| (first * (1 << attempts.min(8))).min(LONGEST_WAIT);
    match (error.retry, error.kind) {
        (Retry::Never, _) => None,
        // Whoever says how long it takes is waited for.
        (Retry::After(Some(exactly)), _) => Some(exactly),
        // There are as many places as there are connections now, unless others of the mailbox's programs have them all.
        (_, ErrorKind::TooManyConnections) => {
            (attempts + 1 < THROTTLED_ATTEMPTS).then(|| doubled(CROWDED_WAIT))
        }
        (_, ErrorKind::Throttled | ErrorKind::Busy) => {
            (attempts + 1 < THROTTLED_ATTEMPTS).then(|| doubled(THROTTLED_WAIT))
        }
        (Retry::Now | Retry::After(None), _) => (attempts + 1 < ATTEMPTS).then(|| doubled(FIRST_WAIT)),
    }
}

/// The failure as it is kept, with advice. `goes_on`: it is tried again by itself.
pub(crate) fn failure(error: &Error, goes_on: bool) -> Failure {
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
            "Start-MigrationBatch tries again; if the server does the same again, please report it.",
        ),
        ErrorKind::Connection => {
            (FailureClass::Connection, "Start-MigrationBatch tries again when the server can be reached.")
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
            "Raise the quota of the target mailbox; then Start-MigrationBatch goes on where it stopped.",
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
            "The data directory must be writable and have room; then Start-MigrationBatch goes on where it stopped.",
        ),
        ErrorKind::Damaged => (FailureClass::Storage, DAMAGED_DATA),
        ErrorKind::Interrupted | ErrorKind::Internal => {
            (FailureClass::Internal, "This is a mistake in mailhaul: please report it.")
        }
    };
    let remedy = topic(error).and_then(|topic| remedy(topic, &error.message, &ENDPOINT));
    let advice = match remedy {
        _ if goes_on => "It goes on by itself; NextSyncTime says when.".to_owned(),
        Some(remedy) => format!("{}; then Start-MigrationBatch tries again.", text::capitalised(&remedy)),
        None => advice.to_owned(),
    };
    Failure { class, message: error.message.clone(), advice: Some(advice) }
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
        ending: Option<Ending>,
        error: impl Into<Option<Error>>,
    ) -> (UserEvent, Due, Option<Timestamp>) {
        let settings = BatchSettings::default();
        let passed = Passed {
            kind,
            attempts,
            settings: &settings,
            has_gained: false,
            is_archive: false,
            ending,
            begun: at(0),
            now: at(HOUR),
        };
        let ended = passed.judge(Report { folders: Vec::new(), error: error.into() });
        (ended.event, ended.due, ended.synced)
    }

    fn first_pass(settings: &BatchSettings, begun: Timestamp, now: Timestamp) -> Passed<'_> {
        Passed {
            kind: PassKind::First,
            attempts: 0,
            settings,
            has_gained: false,
            is_archive: false,
            ending: None,
            begun,
            now,
        }
    }

    fn error(retry: Retry, kind: ErrorKind) -> Error {
        Error::new(Scope::Endpoint, retry, kind, "words")
    }

    #[test]
    fn a_pass_that_reached_its_end_was_in_step_when_it_began() {
        let next = Due::At(at(24 * HOUR));
        assert_eq!(judged(PassKind::First, 0, None, None), (UserEvent::Synced, next, Some(at(0))));
        assert_eq!(judged(PassKind::Final, 0, None, None), (UserEvent::Synced, Due::Never, Some(at(0))));
        // Told to end, and at its end all the same.
        let stopped = judged(PassKind::Incremental, 0, Some(Ending::Stopped), None);
        assert_eq!(stopped, (UserEvent::Synced, next, Some(at(0))));
        let settings = BatchSettings { allow_incremental_syncs: false, ..BatchSettings::default() };
        let passed = first_pass(&settings, at(0), at(1));
        let ended = passed.judge(Report::default());
        assert_eq!((ended.due, ended.is_last), (Due::Never, true));
    }

    #[test]
    fn a_clock_that_is_set_back_during_a_pass_puts_nothing_off() {
        let settings = BatchSettings::default();
        let passed = first_pass(&settings, at(48 * HOUR), at(0));
        let ended = passed.judge(Report::default());
        assert_eq!((ended.due, ended.synced), (Due::At(at(24 * HOUR)), Some(at(0))));
    }

    #[test]
    fn what_is_tried_again_and_when() {
        let lost = || Error::new(Scope::Session, Retry::Now, ErrorKind::Connection, "words");
        let wait = |seconds| Due::At(at(HOUR + seconds));
        assert_eq!(judged(PassKind::First, 0, None, lost()), (UserEvent::Deferred, wait(30), None));
        assert_eq!(judged(PassKind::First, 3, None, lost()), (UserEvent::Deferred, wait(240), None));
        assert_eq!(judged(PassKind::First, 7, None, lost()), (UserEvent::Failed, Due::Never, None));
        let busy = error(Retry::After(Some(Duration::from_mins(5))), ErrorKind::Throttled);
        assert_eq!(judged(PassKind::First, 99, None, busy), (UserEvent::Deferred, wait(300), None));
        // Whoever asks for patience gets it.
        let asked = || error(Retry::After(None), ErrorKind::Throttled);
        assert_eq!(judged(PassKind::First, 0, None, asked()), (UserEvent::Deferred, wait(120), None));
        assert_eq!(judged(PassKind::First, 46, None, asked()), (UserEvent::Deferred, wait(HOUR), None));
        assert_eq!(judged(PassKind::First, 47, None, asked()), (UserEvent::Failed, Due::Never, None));
        let crowded = || error(Retry::After(None), ErrorKind::TooManyConnections);
        assert_eq!(judged(PassKind::First, 0, None, crowded()), (UserEvent::Deferred, wait(10), None));
        assert_eq!(judged(PassKind::Final, 46, None, crowded()), (UserEvent::Deferred, wait(2560), None));
        let refused = || error(Retry::Never, ErrorKind::Authentication);
        assert_eq!(judged(PassKind::First, 0, None, refused()), (UserEvent::Failed, Due::Never, None));
        // An outage is no fault of the user, however long it lasts.
        let unreachable = || error(Retry::Never, ErrorKind::Connection);
        assert_eq!(judged(PassKind::First, 99, None, unreachable()), (UserEvent::Deferred, wait(10), None));
        let full = || error(Retry::Never, ErrorKind::Ledger);
        assert_eq!(judged(PassKind::Final, 99, None, full()), (UserEvent::Deferred, wait(60), None));
        // A later pass that failed has another chance when the next one is due.
        let later = judged(PassKind::Incremental, 0, None, refused());
        assert_eq!(later, (UserEvent::Failed, Due::At(at(24 * HOUR)), None));
        // Damage lasts until a backup is restored.
        let damaged = || error(Retry::Never, ErrorKind::Damaged);
        assert_eq!(judged(PassKind::First, 0, None, damaged()), (UserEvent::Failed, Due::Never, None));
        let interrupted = Error::interrupted;
        let stopped = judged(PassKind::First, 0, Some(Ending::Stopped), interrupted());
        assert_eq!(stopped, (UserEvent::Halted, Due::Never, None));
        let preempted = judged(PassKind::First, 0, Some(Ending::Preempted), interrupted());
        assert_eq!(preempted, (UserEvent::Deferred, wait(0), None));
    }

    #[test]
    fn whoever_gets_on_begins_to_count_anew() {
        let settings = BatchSettings::default();
        let passed = |has_gained| Passed {
            kind: PassKind::First,
            attempts: 40,
            settings: &settings,
            has_gained,
            is_archive: false,
            ending: None,
            begun: at(0),
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
        let ended = passed.judge(Report { folders: vec![folder], error: None });
        assert_eq!((ended.event, ended.synced), (UserEvent::Failed, None));
        assert_eq!(ended.failure.map(|it| it.class), Some(FailureClass::Internal));
    }
}
