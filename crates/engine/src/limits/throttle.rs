//! Rate limits that a pass asks before each message, shared by all mailboxes of a server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use mailhaul_mail::{Retry, Scope};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    error::{Error, ErrorKind, Side},
    limits::{
        rate::{PaceDecision, Pacer, RateLimits, Usage},
        read_back_budget::ReadBack,
        reservation::{DayReservation, Reservation, ReservationRequest},
    },
    ports::Clock,
};

/// Longer waits release the connections.
pub(crate) const MAX_INLINE_WAIT: Duration = Duration::from_mins(1);
/// Longest sleep between checks; a changed rate takes effect within this time.
const MAX_SLEEP: Duration = Duration::from_secs(1);
/// Shortest sleep between checks. The burst of a rate makes up for it.
const MIN_SLEEP: Duration = Duration::from_millis(100);

/// Rate limits of a server, or of one mailbox on it. Clones share them.
#[derive(Clone, Debug)]
pub struct Throttle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Name for error messages.
    name: String,
    scope: Scope,
    /// False skips the lock.
    is_limited: AtomicBool,
    /// Bytes that passed while nothing was limited.
    uncounted: AtomicU64,
    pacer: Mutex<Pacer>,
    /// Notified if bytes of the day must be reserved. Without it, no other process uses the limits.
    bytes_wanted: Option<Arc<Notify>>,
}

impl Throttle {
    /// Creates the limits of a server ([`Scope::Endpoint`]) or of one mailbox ([`Scope::Mailbox`]).
    ///
    /// `used` are the bytes of earlier passes. The name is for error messages: `the endpoint "Old"`.
    pub fn new(name: impl Into<String>, scope: Scope, rates: RateLimits, used: Usage) -> Self {
        Self::with_pacer(name.into(), scope, rates, Pacer::new(rates, used), None)
    }

    /// Creates the limits of a server that other processes use too.
    ///
    /// Nothing passes before [`Self::set_share`], and no byte of a limited day before [`Self::end_reservation`]. `bytes_wanted`
    /// is notified when [`Self::needs_bytes`] becomes true.
    pub fn shared(name: impl Into<String>, rates: RateLimits, bytes_wanted: Arc<Notify>) -> Self {
        Self::with_pacer(name.into(), Scope::Endpoint, rates, Pacer::shared(rates), Some(bytes_wanted))
    }

    fn with_pacer(
        name: String,
        scope: Scope,
        rates: RateLimits,
        pacer: Pacer,
        bytes_wanted: Option<Arc<Notify>>,
    ) -> Self {
        Self(Arc::new(Shared {
            name,
            scope,
            is_limited: AtomicBool::new(rates.is_any_set()),
            uncounted: AtomicU64::new(0),
            pacer: Mutex::new(pacer),
            bytes_wanted,
        }))
    }

    /// Sets new limits.
    ///
    /// Call it from time to time even without a change: bytes that passed without limits are counted then.
    pub fn set_rates(&self, now: Duration, rates: RateLimits) {
        self.with(now, |pacer| pacer.set_rates(rates));
        self.0.is_limited.store(rates.is_any_set(), Ordering::Relaxed);
    }

    /// Sets the part of the rates per second that may pass here, in thousandths.
    ///
    /// Other processes pass the rest. A larger part than before begins without a burst.
    pub fn set_share(&self, now: Duration, thousandths: u64) {
        self.with(now, |pacer| pacer.set_share(now, thousandths));
    }

    /// Returns the bytes that may pass in 24 hours, and the rest of them; `None` without a limit.
    pub fn day(&self, now: Duration) -> Option<(u64, u64)> {
        self.with(now, |pacer| pacer.day(now))
    }

    /// True if bytes of the day must be reserved.
    pub fn needs_bytes(&self, now: Duration) -> bool {
        self.with(now, |pacer| pacer.reservation().is_some_and(Reservation::is_due))
    }

    /// Lets messages that a reservation refused ask again.
    pub fn forget_refusal(&self, now: Duration) {
        self.with(now, Pacer::forget_refusal);
    }

    /// Gives up the reserved bytes, which other processes have counted as used.
    pub fn clear_reservation(&self, now: Duration) {
        self.with(now, Pacer::clear_reservation);
    }

    /// Begins a request for bytes of the day. Until its end nothing passes that needs reserved bytes.
    pub fn begin_reservation(&self, now: Duration) -> ReservationRequest {
        self.with(now, Pacer::begin_reservation)
    }

    /// Ends a request with its answer, or with the `left` bytes of the request after an error.
    ///
    /// `used` are the bytes of all processes; `None` keeps those of the last answer.
    pub fn end_reservation(&self, now: Duration, reserved: DayReservation, used: Option<Usage>) {
        self.with(now, |pacer| pacer.end_reservation(reserved, used));
    }

    /// Takes the bytes that passed since the last call, by hours since 1970.
    pub fn take_passed(&self, now: Duration) -> Vec<(u64, u64)> {
        self.with(now, |pacer| pacer.take_passed(now))
    }

    fn with<T>(&self, now: Duration, ask: impl FnOnce(&mut Pacer) -> T) -> T {
        let mut pacer = self.0.pacer.lock();
        let uncounted = self.0.uncounted.swap(0, Ordering::Relaxed);
        if uncounted > 0 {
            pacer.count(now, uncounted);
        }
        ask(&mut pacer)
    }

    fn message(&self, clock: &impl Clock, octets: u64) -> PaceDecision {
        if !self.0.is_limited.load(Ordering::Relaxed) {
            self.0.uncounted.fetch_add(octets, Ordering::Relaxed);
            return PaceDecision::Now;
        }
        let now = clock.now();
        let (decision, is_due) = self.with(now, |pacer| {
            (pacer.message(now, octets), pacer.reservation().is_some_and(Reservation::is_due))
        });
        if let Some(wanted) = self.0.bytes_wanted.as_ref().filter(|_| is_due) {
            wanted.notify_one();
        }
        decision
    }

    fn octets(&self, clock: &impl Clock, octets: u64) -> PaceDecision {
        if !self.0.is_limited.load(Ordering::Relaxed) {
            return PaceDecision::Now;
        }
        let now = clock.now();
        self.with(now, |pacer| pacer.octets(now, octets))
    }

    fn take_back(&self, clock: &impl Clock, octets: u64) {
        let now = clock.now();
        self.with(now, |pacer| pacer.take_back(now, octets));
    }

    fn used_up(&self, side: Side, wait: Duration) -> Error {
        let words = format!("{} has used up its bytes of 24 hours", self.0.name);
        Error::new(self.0.scope, Retry::After(Some(wait)), ErrorKind::Throttled, words).at(side)
    }

    fn too_slow(&self, side: Side, wait: Duration) -> Error {
        let words = format!("{} has reached its rate limit", self.0.name);
        Error::new(self.0.scope, Retry::After(Some(wait)), ErrorKind::Throttled, words).at(side)
    }
}

/// Limits of a pass: those of its servers, and those of the caller.
#[derive(Clone, Debug)]
pub struct PassLimits {
    /// Bytes of copies that this pass may read back.
    pub read_back: Arc<ReadBack>,
    /// All of them are asked for every message. The side names the server of an error.
    pub throttles: Vec<(Side, Throttle)>,
    /// Maximum connection pairs of this mailbox.
    pub max_connection_pairs: usize,
    /// True if the caller repeats the pass later.
    ///
    /// The pass then ends instead of waiting for more than a minute or for a free connection, and its slots are free
    /// for others.
    pub is_resumed: bool,
    /// True if the program ends with this pass, and an operator waits for it.
    pub is_last: bool,
}

impl Default for PassLimits {
    fn default() -> Self {
        Self {
            read_back: Arc::default(),
            throttles: Vec::new(),
            max_connection_pairs: usize::MAX,
            is_resumed: false,
            is_last: false,
        }
    }
}

impl PassLimits {
    /// Waits until a message of this size may begin, of which `at_once` bytes pass at once.
    ///
    /// If the wait is long, the error has its length, and the message is not counted.
    pub(crate) async fn message(
        &self,
        clock: &impl Clock,
        stop: &CancellationToken,
        octets: u64,
        at_once: u64,
    ) -> Result<(), Error> {
        for (index, (side, throttle)) in self.throttles.iter().enumerate() {
            let refused = loop {
                match throttle.message(clock, octets) {
                    PaceDecision::Now => break None,
                    PaceDecision::After(wait) if wait > MAX_INLINE_WAIT => {
                        break Some(throttle.too_slow(*side, wait));
                    }
                    PaceDecision::After(_) if stop.is_cancelled() => break Some(Error::interrupted()),
                    PaceDecision::After(wait) => sleep(clock, stop, wait).await,
                    PaceDecision::UsedUp(wait) => break Some(throttle.used_up(*side, wait)),
                }
            };
            if let Some(error) = refused {
                for (_, passed) in &self.throttles[..index] {
                    passed.take_back(clock, octets);
                }
                return Err(error);
            }
        }
        self.octets(clock, stop, at_once).await;
        Ok(())
    }

    /// Waits until these bytes of a message that has begun may pass.
    ///
    /// The wait has no limit, because a message cannot be abandoned half-way.
    pub(crate) async fn octets(&self, clock: &impl Clock, stop: &CancellationToken, octets: u64) {
        for (_, throttle) in &self.throttles {
            while !stop.is_cancelled()
                && let PaceDecision::After(wait) | PaceDecision::UsedUp(wait) = throttle.octets(clock, octets)
            {
                sleep(clock, stop, wait).await;
            }
        }
    }
}

async fn sleep(clock: &impl Clock, stop: &CancellationToken, wait: Duration) {
    tokio::select! {
        () = clock.sleep(wait.clamp(MIN_SLEEP, MAX_SLEEP)) => {}
        () = stop.cancelled() => {}
    }
}
