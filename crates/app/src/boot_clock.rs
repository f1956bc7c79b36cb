//! Clock of permits: the time since the start of the machine, with the time for which it was suspended.

use std::{sync::Arc, time::Duration};

use mailhaul_mail::PermitClock;
use nix::time::{ClockId, clock_gettime};

/// `Instant` does not count suspended time on Linux.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::CLOCK_BOOTTIME;
/// Counts suspended time on macOS.
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::CLOCK_MONOTONIC;

pub(crate) fn boot_clock() -> PermitClock {
    // Without a clock, every permit has expired.
    Arc::new(|| clock_gettime(CLOCK).map_or(Duration::MAX, Duration::from))
}
