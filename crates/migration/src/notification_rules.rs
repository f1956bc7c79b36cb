//! Rules of notifications: what is told, when, and how often a delivery is tried. Pure.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    batch::BatchSettings,
    cutover_facts::Verdict,
    notification::NotificationEvent,
    status::{BatchIntent, BatchStatus},
};

/// Time for which failures are gathered into one notification.
pub const GATHER_TIME: SignedDuration = SignedDuration::from_mins(15);
/// Shortest time between two reports.
pub const MIN_REPORT_INTERVAL: Duration = Duration::from_mins(1);
/// Time of a pause from which on it is told.
const LONG_PARKING: SignedDuration = SignedDuration::from_hours(1);
/// Longest TTL of MX records at a move.
const MAX_MOVE_TTL: u32 = 3_600;
/// Time before the planned move from which on a long TTL is told.
const TTL_NOTICE: SignedDuration = SignedDuration::from_hours(72);
/// Time between two notifications of a state that lasts.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Time before the end of a certificate from which on it is told.
const EXPIRY_NOTICE: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Waits after each try but the last, in minutes. Together they are 24 hours.
const WAITS: [i64; 7] = [5, 15, 40, 120, 240, 420, 600];

/// Tries of a delivery, after which it is given up.
pub const MAX_TRIES: u32 = 8;

/// Returns the wait after this number of tries; `None` after the last one.
pub fn wait_after(tries: u32) -> Option<SignedDuration> {
    let index = usize::try_from(tries.checked_sub(1)?).ok()?;
    WAITS.get(index).map(|minutes| SignedDuration::from_mins(*minutes))
}

/// Returns the event that the status of a batch is, the first time that it is reached.
pub fn status_event(status: BatchStatus) -> Option<NotificationEvent> {
    match status {
        BatchStatus::Synced
        | BatchStatus::SyncedWithErrors
        | BatchStatus::IncrementalSyncing
        | BatchStatus::Completing => Some(NotificationEvent::BatchSynced),
        BatchStatus::Completed | BatchStatus::CompletedWithErrors => Some(NotificationEvent::BatchCompleted),
        BatchStatus::Created
        | BatchStatus::Starting
        | BatchStatus::Waiting
        | BatchStatus::Syncing
        | BatchStatus::Stopping
        | BatchStatus::Stopped
        | BatchStatus::Failed => None,
    }
}

/// Times of the last notifications about one subject, by event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToldBefore(pub BTreeMap<NotificationEvent, Timestamp>);

impl ToldBefore {
    /// Time of the last notification of this event.
    pub fn last(&self, event: NotificationEvent) -> Option<Timestamp> {
        self.0.get(&event).copied()
    }

    /// True if the event was told last at this time or later.
    fn is_told_since(&self, event: NotificationEvent, time: Timestamp) -> bool {
        self.last(event).is_some_and(|last| last >= time)
    }

    /// True if a day has passed since the event was told.
    ///
    /// After the clock went back, a notification of the future does not count.
    fn is_day_over(&self, event: NotificationEvent, now: Timestamp) -> bool {
        self.last(event).is_none_or(|last| last > now || now.duration_since(last) >= DAY)
    }
}

/// Returns the event of a verdict that differs from the one that was told last.
///
/// An unknown verdict is not told: a resolver that is silent for an hour makes no mail.
pub fn verdict_event(verdict: Verdict, told: &ToldBefore) -> Option<NotificationEvent> {
    let (safe, unsafe_again) = (NotificationEvent::SafeToRemove, NotificationEvent::NoLongerSafe);
    let is_told_safe = told.last(safe) > told.last(unsafe_again);
    match verdict {
        Verdict::SafeToRemove if !is_told_safe => Some(safe),
        Verdict::NotSafe if is_told_safe => Some(unsafe_again),
        Verdict::SafeToRemove | Verdict::NotSafe | Verdict::Unknown => None,
    }
}

/// True if mail that still arrives on the source is told now: once a day.
pub fn is_arrival_due(told: &ToldBefore, now: Timestamp) -> bool {
    told.is_day_over(NotificationEvent::StillArriving, now)
}

/// True if a long TTL is told now: once a day in the 72 hours before the planned move.
pub fn is_ttl_due(ttl: u32, expected_at: Option<Timestamp>, told: &ToldBefore, now: Timestamp) -> bool {
    let Some(expected) = expected_at else { return false };
    let rest = expected.duration_since(now);
    ttl > MAX_MOVE_TTL
        && rest <= TTL_NOTICE
        && rest.is_positive()
        && told.is_day_over(NotificationEvent::TtlTooLong, now)
}

/// True if the pause of an endpoint is told now: once for each pause of more than an hour.
pub fn is_parking_due(since: Timestamp, told: &ToldBefore, now: Timestamp) -> bool {
    now.duration_since(since) >= LONG_PARKING && !told.is_told_since(NotificationEvent::EndpointParked, since)
}

/// True if the end of a certificate is told now: once, 14 days before.
pub fn is_expiry_due(ends: Timestamp, told: &ToldBefore, now: Timestamp) -> bool {
    let notice = ends.checked_sub(EXPIRY_NOTICE).unwrap_or(Timestamp::MIN);
    now >= notice && !told.is_told_since(NotificationEvent::TokenExpiring, notice)
}

/// True if a report of the batch is due.
///
/// A batch that does not run, or is completed, has none. An interval of 0 is no report.
pub fn is_report_due(
    settings: &BatchSettings,
    intent: BatchIntent,
    started: Option<Timestamp>,
    told: &ToldBefore,
    now: Timestamp,
) -> bool {
    let is_completed = told.last(NotificationEvent::BatchCompleted).is_some();
    if settings.skip_reports
        || intent != BatchIntent::Run
        || settings.report_interval.is_zero()
        || is_completed
    {
        return false;
    }
    let last = told.last(NotificationEvent::Report).filter(|last| *last <= now);
    let Some(from) = last.max(started) else { return false };
    let interval = SignedDuration::try_from(settings.report_interval).unwrap_or(SignedDuration::MAX);
    now.duration_since(from) >= interval
}

#[cfg(test)]
mod tests {
    use strum::VariantArray as _;

    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3_600).unwrap()
    }

    fn told(events: &[(NotificationEvent, i64)]) -> ToldBefore {
        ToldBefore(events.iter().map(|(event, hours)| (*event, at(*hours))).collect())
    }

    #[test]
    fn eight_tries_take_24_hours() {
        let waits: Vec<SignedDuration> = (0..20).filter_map(wait_after).collect();
        assert_eq!(waits.len() + 1, MAX_TRIES as usize);
        assert_eq!(waits.iter().sum::<SignedDuration>(), SignedDuration::from_hours(24));
        assert!(waits.is_sorted());
        assert_eq!((wait_after(0), wait_after(MAX_TRIES)), (None, None));
    }

    #[test]
    fn a_batch_is_told_when_it_is_synced_and_completed() {
        let of = |event| {
            BatchStatus::VARIANTS.iter().filter(move |status| status_event(**status) == Some(event)).count()
        };
        assert_eq!((of(NotificationEvent::BatchSynced), of(NotificationEvent::BatchCompleted)), (4, 2));
        assert_eq!(status_event(BatchStatus::Failed), None);
    }

    #[test]
    fn a_verdict_is_told_at_the_change() {
        use NotificationEvent::{NoLongerSafe, SafeToRemove};
        let (safe, again, twice) =
            (told(&[(SafeToRemove, 1)]), told(&[(SafeToRemove, 1), (NoLongerSafe, 2)]), told(&[]));
        for (verdict, told, event) in [
            (Verdict::SafeToRemove, &twice, Some(SafeToRemove)),
            (Verdict::NotSafe, &twice, None),
            (Verdict::SafeToRemove, &safe, None),
            (Verdict::Unknown, &safe, None),
            (Verdict::NotSafe, &safe, Some(NoLongerSafe)),
            (Verdict::NotSafe, &again, None),
            (Verdict::SafeToRemove, &again, Some(SafeToRemove)),
        ] {
            assert_eq!(verdict_event(verdict, told), event, "{verdict} {told:?}");
        }
    }

    #[test]
    fn a_long_ttl_is_told_daily_before_the_move() {
        use NotificationEvent::TtlTooLong;
        for (ttl, expected, told, now, due) in [
            (3_601, Some(72), told(&[]), 0, true),
            (3_600, Some(72), told(&[]), 0, false),
            (86_400, Some(73), told(&[]), 0, false),
            (86_400, None, told(&[]), 0, false),
            (86_400, Some(72), told(&[(TtlTooLong, 0)]), 23, false),
            (86_400, Some(72), told(&[(TtlTooLong, 0)]), 24, true),
            (86_400, Some(72), told(&[(TtlTooLong, 60)]), 24, true),
            (86_400, Some(72), told(&[]), 72, false),
        ] {
            assert_eq!(is_ttl_due(ttl, expected.map(at), &told, at(now)), due, "{ttl} {expected:?} {now}");
        }
    }

    #[test]
    fn each_long_pause_and_each_certificate_is_told_once() {
        use NotificationEvent::{EndpointParked, TokenExpiring};
        for (since, told, now, due) in [
            (0, told(&[]), 0, false),
            (0, told(&[]), 1, true),
            (0, told(&[(EndpointParked, 1)]), 5, false),
            (3, told(&[(EndpointParked, 1)]), 4, true),
        ] {
            assert_eq!(is_parking_due(at(since), &told, at(now)), due, "{since} {now}");
        }
        for (told, now, due) in [
            (told(&[]), 0, false),
            (told(&[]), 24, true),
            (told(&[(TokenExpiring, 24)]), 48, false),
            (told(&[(TokenExpiring, -500)]), 48, true),
        ] {
            assert_eq!(is_expiry_due(at(15 * 24), &told, at(now)), due, "{now}");
        }
    }

    #[test]
    fn reports_come_at_each_interval_until_they_are_skipped() {
        use NotificationEvent::{BatchCompleted, Report};
        let usual = BatchSettings::default();
        let skipped = BatchSettings { skip_reports: true, ..BatchSettings::default() };
        let none = BatchSettings { report_interval: Duration::ZERO, ..BatchSettings::default() };
        let (run, stop) = (BatchIntent::Run, BatchIntent::Stop);
        for (settings, intent, started, told, now, due) in [
            (&usual, run, Some(0), told(&[]), 23, false),
            (&usual, run, Some(0), told(&[]), 24, true),
            (&usual, run, None, told(&[]), 24, false),
            (&usual, stop, Some(0), told(&[]), 24, false),
            (&skipped, run, Some(0), told(&[]), 24, false),
            (&none, run, Some(0), told(&[]), 24, false),
            (&usual, run, Some(0), told(&[(Report, 24)]), 47, false),
            (&usual, run, Some(0), told(&[(Report, 24)]), 48, true),
            (&usual, run, Some(30), told(&[(Report, 24)]), 48, false),
            (&usual, run, Some(0), told(&[(BatchCompleted, 30)]), 48, false),
        ] {
            let is_due = is_report_due(settings, intent, started.map(at), &told, at(now));
            assert_eq!(is_due, due, "{intent} {started:?} {told:?} {now}");
        }
    }
}
