//! The table of transitions, every status with every event, and the status of batches.

use super::*;

/// The statuses in the order of the columns below.
const STATES: [UserStatus; 14] = [
    UserStatus::Queued,
    UserStatus::Validating,
    UserStatus::Syncing,
    UserStatus::Synced,
    UserStatus::IncrementalSyncing,
    UserStatus::IncrementalFailed,
    UserStatus::IncrementalStopped,
    UserStatus::Stopping,
    UserStatus::Stopped,
    UserStatus::Completing,
    UserStatus::CompletionFailed,
    UserStatus::Completed,
    UserStatus::CompletedWithWarnings,
    UserStatus::Failed,
];

/// One line for each event: the next status for each status, by the letters of `letter`; `.` is
/// illegal.
#[rustfmt::skip]
const TABLE: [(UserEvent, &str); 10] = [
    //                                   QVSYIfpTPCxDWF
    (UserEvent::Start,                  ".....YY.Q.C.CQ"),
    (UserEvent::Claimed,                "VVVIII...C...."),
    (UserEvent::Validated,              ".SS.I..T.C...."),
    (UserEvent::Synced,                 ".YY.Y..p.D...."),
    (UserEvent::SyncedWithSkippedItems, ".YY.Y..p.W...."),
    (UserEvent::Failed,                 ".FF.f..h.x...."),
    (UserEvent::Deferred,               ".QQ.Y..h.C...."),
    (UserEvent::Stop,                   "PTTpTp...Tp..."),
    (UserEvent::Halted,                 ".......h......"),
    (UserEvent::Complete,               "...C.CC...C.C."),
];

#[expect(clippy::match_same_arms, reason = "one line for each letter")]
fn state(letter: char, has_synced: bool) -> Option<UserStatus> {
    Some(match letter {
        'Q' => UserStatus::Queued,
        'V' => UserStatus::Validating,
        'S' => UserStatus::Syncing,
        'Y' => UserStatus::Synced,
        'I' => UserStatus::IncrementalSyncing,
        'f' => UserStatus::IncrementalFailed,
        'p' => UserStatus::IncrementalStopped,
        'T' => UserStatus::Stopping,
        'P' => UserStatus::Stopped,
        'C' => UserStatus::Completing,
        'x' => UserStatus::CompletionFailed,
        'D' => UserStatus::Completed,
        'W' => UserStatus::CompletedWithWarnings,
        'F' => UserStatus::Failed,
        // Halted: the next status depends on an earlier successful pass.
        'h' if has_synced => UserStatus::IncrementalStopped,
        'h' => UserStatus::Stopped,
        _ => return None,
    })
}

#[test]
fn each_state_and_each_event() {
    assert_eq!(STATES, UserStatus::VARIANTS);
    assert_eq!(TABLE.map(|(event, _)| event), UserEvent::VARIANTS);
    for (event, line) in TABLE {
        assert_eq!(line.len(), STATES.len(), "{event}");
        for (status, letter) in STATES.into_iter().zip(line.chars()) {
            for has_synced in [false, true] {
                let expected = state(letter, has_synced).ok_or(IllegalEvent { status, event });
                assert_eq!(status.on(event, has_synced), expected, "{status} {event}");
            }
        }
    }
}

#[test]
fn nothing_stays_active_without_a_way_out() {
    for status in STATES.into_iter().filter(|it| it.summary() == StatusSummary::Active) {
        assert!(
            UserEvent::VARIANTS.iter().any(|it| status.on(*it, true).is_ok_and(|next| next != status)),
            "{status}"
        );
        // A stop ends every activity of a worker.
        let stopping = status.on(UserEvent::Stop, false).unwrap_or(status);
        let stopped = if stopping == UserStatus::Stopping {
            stopping.on(UserEvent::Halted, false).unwrap()
        } else {
            stopping
        };
        assert_eq!(stopped, UserStatus::Stopped, "{status}");
    }
}

fn rolled_up(intent: BatchIntent, is_waiting: bool, users: &[(UserStatus, u64)]) -> BatchStatus {
    let mut counts = StatusCounts::default();
    for (status, many) in users {
        counts.add(*status, *many);
    }
    BatchStatus::of(intent, is_waiting, &counts)
}

#[test]
fn a_batch_stands_where_its_users_stand() {
    use UserStatus as U;
    let run = |users: &[(U, u64)]| rolled_up(BatchIntent::Run, false, users);
    assert_eq!(rolled_up(BatchIntent::Created, false, &[(U::Stopped, 3)]), BatchStatus::Created);
    assert_eq!(rolled_up(BatchIntent::Run, true, &[(U::Queued, 3)]), BatchStatus::Waiting);
    assert_eq!(run(&[(U::Queued, 3)]), BatchStatus::Starting);
    assert_eq!(run(&[(U::Queued, 2), (U::Validating, 1)]), BatchStatus::Syncing);
    assert_eq!(run(&[(U::Queued, 2), (U::Synced, 1)]), BatchStatus::Syncing);
    assert_eq!(run(&[(U::Syncing, 1), (U::Failed, 9)]), BatchStatus::Syncing);
    assert_eq!(run(&[(U::Synced, 3)]), BatchStatus::Synced);
    assert_eq!(run(&[(U::Synced, 3), (U::IncrementalStopped, 1)]), BatchStatus::Synced);
    assert_eq!(run(&[(U::Synced, 3), (U::Failed, 1)]), BatchStatus::SyncedWithErrors);
    assert_eq!(run(&[(U::Synced, 3), (U::IncrementalFailed, 1)]), BatchStatus::SyncedWithErrors);
    assert_eq!(run(&[(U::Failed, 4)]), BatchStatus::Failed);
    assert_eq!(run(&[(U::Synced, 3), (U::IncrementalSyncing, 1)]), BatchStatus::IncrementalSyncing);
    assert_eq!(run(&[(U::Synced, 3), (U::Stopping, 1)]), BatchStatus::Stopping);
    assert_eq!(run(&[(U::Completing, 1), (U::Completed, 3)]), BatchStatus::Completing);
    assert_eq!(run(&[(U::Completed, 3)]), BatchStatus::Completed);
    assert_eq!(run(&[(U::Completed, 3), (U::Failed, 1)]), BatchStatus::CompletedWithErrors);
    assert_eq!(run(&[(U::CompletedWithWarnings, 1)]), BatchStatus::CompletedWithErrors);
    assert_eq!(run(&[(U::Completed, 3), (U::Synced, 1)]), BatchStatus::Synced);
    assert_eq!(run(&[(U::IncrementalStopped, 3), (U::Stopped, 1)]), BatchStatus::Stopped);
    assert_eq!(run(&[]), BatchStatus::Stopped);
    let stop = |users: &[(U, u64)]| rolled_up(BatchIntent::Stop, false, users);
    assert_eq!(stop(&[(U::Stopping, 1), (U::Stopped, 3)]), BatchStatus::Stopping);
    assert_eq!(stop(&[(U::Stopped, 3), (U::Failed, 1)]), BatchStatus::Stopped);
}

#[test]
fn names_are_read_in_any_case() {
    assert_eq!("incrementalSYNCING".parse(), Ok(UserStatus::IncrementalSyncing));
    assert_eq!("syncedwitherrors".parse(), Ok(BatchStatus::SyncedWithErrors));
    assert_eq!(UserStatus::CompletedWithWarnings.to_string(), "CompletedWithWarnings");
    assert!("Sunk".parse::<UserStatus>().is_err());
}
