//! The pacers that a pass asks before it gives out a message, shared by all mailboxes of a server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use mailhaul_mail::{Retry, Scope};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{
    error::{Error, ErrorKind, Side},
    pace::{Pacer, Rates, Turn, Usage},
    ports::Clock,
    sample::ReadBack,
};

/// What takes longer is not waited for with connections open.
pub(crate) const SHORT: Duration = Duration::from_mins(1);
/// So long a change of rates may go unnoticed.
const LONGEST_NAP: Duration = Duration::from_secs(1);
/// To wake up more often gains nothing: what may pass at once makes up for it.
const SHORTEST_NAP: Duration = Duration::from_millis(100);

/// What is limited: a server as a whole, or one mailbox on it. Clones share it.
#[derive(Clone, Debug)]
pub struct Throttle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// For people.
    name: String,
    scope: Scope,
    /// Where nothing is limited, nobody looks any further.
    is_limited: AtomicBool,
    /// What passed meanwhile.
    uncounted: AtomicU64,
    pacer: Mutex<Pacer>,
}

impl Throttle {
    /// Of a whole server (`scope` is [`Scope::Endpoint`]) or of one mailbox ([`Scope::Mailbox`]), of which so much was used
    /// before. The name is for people: `the endpoint "Old"`.
    pub fn new(name: impl Into<String>, scope: Scope, rates: Rates, used: Usage) -> Self {
        Self(Arc::new(Shared {
            name: name.into(),
            scope,
            is_limited: AtomicBool::new(rates.limit_something()),
            uncounted: AtomicU64::new(0),
            pacer: Mutex::new(Pacer::new(rates, used)),
        }))
    }

    /// From now on these limits. To be called now and then also where they stay: what passed without limits is counted then.
    pub fn set_rates(&self, now: Duration, rates: Rates) {
        self.with(now, |pacer| pacer.set_rates(rates));
        self.0.is_limited.store(rates.limit_something(), Ordering::Relaxed);
    }

    /// Octets that may pass in 24 hours, and how many of them still may now; `None` where they are not limited.
    pub fn day(&self, now: Duration) -> Option<(u64, u64)> {
        self.with(now, |pacer| pacer.day(now))
    }

    /// The octets that passed, by hours since 1970, since this was asked last.
    pub fn tell(&self, now: Duration) -> Vec<(u64, u64)> {
        self.with(now, |pacer| pacer.tell(now))
    }

    fn with<T>(&self, now: Duration, ask: impl FnOnce(&mut Pacer) -> T) -> T {
        let mut pacer = self.0.pacer.lock();
        let uncounted = self.0.uncounted.swap(0, Ordering::Relaxed);
        if uncounted > 0 {
            pacer.count(now, uncounted);
        }
        ask(&mut pacer)
    }

    fn message(&self, clock: &impl Clock, octets: u64) -> Turn {
        if !self.0.is_limited.load(Ordering::Relaxed) {
            self.0.uncounted.fetch_add(octets, Ordering::Relaxed);
            return Turn::Now;
        }
        let now = clock.now();
        self.with(now, |pacer| pacer.message(now, octets))
    }

    fn octets(&self, clock: &impl Clock, octets: u64) -> Turn {
        if !self.0.is_limited.load(Ordering::Relaxed) {
            return Turn::Now;
        }
        let now = clock.now();
        self.with(now, |pacer| pacer.octets(now, octets))
    }

    fn take_back(&self, clock: &impl Clock, octets: u64) {
        let now = clock.now();
        self.with(now, |pacer| pacer.take_back(now, octets));
    }

    fn used_up(&self, side: Side, wait: Duration) -> Error {
        let words = format!("{} has used up its octets of 24 hours", self.0.name);
        Error::new(self.0.scope, Retry::After(Some(wait)), ErrorKind::Throttled, words).at(side)
    }

    fn too_slow(&self, side: Side, wait: Duration) -> Error {
        let words = format!("{} has let pass all that its rate allows", self.0.name);
        Error::new(self.0.scope, Retry::After(Some(wait)), ErrorKind::Throttled, words).at(side)
    }
}

/// What the servers of a pass put up with, and whoever runs it.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of copies that this pass may read back.
    pub read_back: Arc<ReadBack>,
    /// All are asked for every message, each on behalf of one side.
    pub throttles: Vec<(Side, Throttle)>,
    /// Pairs of connections of this mailbox, at most.
    pub most_lanes: usize,
    /// Whether somebody takes the mailbox up again later. Then nothing is waited for that takes longer than a minute, nor
    /// for a connection where the server has enough: the pass ends, and its places are free for others.
    pub is_resumed: bool,
    /// The program ends with this pass, and an operator waits for it.
    pub is_last: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            read_back: Arc::default(),
            throttles: Vec::new(),
            most_lanes: usize::MAX,
            is_resumed: false,
            is_last: false,
        }
    }
}

impl Limits {
    /// Waits until a message of so many octets may begin, of which so many pass at once. An error tells after how long
    /// it may where that is long; then the message was not counted.
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
                    Turn::Now => break None,
                    Turn::After(wait) if wait > SHORT => break Some(throttle.too_slow(*side, wait)),
                    Turn::After(_) if stop.is_cancelled() => break Some(Error::interrupted()),
                    Turn::After(wait) => sleep(clock, stop, wait).await,
                    Turn::UsedUp(wait) => break Some(throttle.used_up(*side, wait)),
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

    /// Waits until so many octets of a message that has begun may pass; however long that takes, because a message cannot be
    /// given up half-way.
    pub(crate) async fn octets(&self, clock: &impl Clock, stop: &CancellationToken, octets: u64) {
        for (_, throttle) in &self.throttles {
            while !stop.is_cancelled()
                && let Turn::After(wait) | Turn::UsedUp(wait) = throttle.octets(clock, octets)
            {
                sleep(clock, stop, wait).await;
            }
        }
    }
}

async fn sleep(clock: &impl Clock, stop: &CancellationToken, wait: Duration) {
    tokio::select! {
        () = clock.sleep(wait.clamp(SHORTEST_NAP, LONGEST_NAP)) => {}
        () = stop.cancelled() => {}
    }
}
