//! Permit of a run without a lease: proof that this process was not stopped meanwhile.

use std::{sync::Arc, thread, time::Duration};

use mailhaul_mail::{CurrentPermit, Permit};

use crate::boot_clock::boot_clock;

/// Validity of the permit after each renewal.
///
/// Longer than any pause of a busy machine. Shorter than the time in which a second run can take over: it starts,
/// signs in twice, and waits until the target is quiet.
const VALIDITY: Duration = Duration::from_secs(3);
const RENEWAL_INTERVAL: Duration = Duration::from_millis(250);

/// Returns a permit that is renewed as long as this process runs.
///
/// A stopped process, or a suspended machine, finds it expired: connections that are open then are reset. Connections
/// that are opened afterwards get a new one, and the pass compares the target with the ledger first.
pub(super) fn keep_permit() -> CurrentPermit {
    let clock = boot_clock();
    let now = clock();
    let permit = CurrentPermit::from(Permit::new(Arc::clone(&clock), now, VALIDITY));
    let renewed = permit.clone();
    // A thread and not a task: it runs also while all tasks compute.
    thread::spawn(move || {
        loop {
            thread::sleep(RENEWAL_INTERVAL);
            renewed.renew_or_replace(VALIDITY);
        }
    });
    permit
}
