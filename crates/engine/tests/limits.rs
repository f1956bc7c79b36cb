//! Passes that keep to rates and budgets, and servers that ask for delays: in simulated time.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use mailhaul_engine::{
    Budget, Clock, Error, ErrorKind, Event, Pass, PassLimits, PassOptions, Progress, RateLimits, Report,
    Side, Slots, Throttle, Usage,
};
use mailhaul_mail::{Retry, Scope};
use support::{MemoryLedger, Remote};
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_hours(1);

/// A clock that sleepers move forward.
///
/// The engine's waits for more answers take no time. All time that passes is spent on limits.
#[derive(Clone)]
struct Moved(Arc<Mutex<Duration>>);

impl Moved {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(HOUR * 480_000)))
    }

    fn since(&self, begin: Duration) -> Duration {
        self.now().saturating_sub(begin)
    }
}

impl Clock for Moved {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        let end = self.now() + duration;
        // Other tasks may have something to do meanwhile.
        tokio::task::yield_now().await;
        if duration >= Duration::from_millis(100) {
            let mut now = self.0.lock().unwrap();
            *now = end.max(*now);
        }
    }
}

/// Records the delays.
#[derive(Default)]
struct Waits(Mutex<Vec<Duration>>);

impl Progress for Waits {
    fn event(&self, event: Event<'_>) {
        if let Event::Retrying { after, .. } = event {
            self.0.lock().unwrap().push(after);
        }
    }
}

struct Site {
    clock: Moved,
    source: Remote,
    target: Remote,
    ledger: MemoryLedger,
    waits: Waits,
}

impl Site {
    /// With this number of messages of 100 bytes in one folder.
    fn new(messages: usize) -> Self {
        let source = Remote::default();
        for number in 0..messages {
            let body = format!("Message-ID: <{number:04}@example.net>\r\n\r\n");
            let body = format!("{body}{}\r\n", "x".repeat(98 - body.len()));
            source.server().folder("INBOX").add("", &body);
        }
        Self {
            clock: Moved::new(),
            source,
            target: Remote::default(),
            ledger: MemoryLedger::default(),
            waits: Waits::default(),
        }
    }

    async fn pass(&self, limits: &PassLimits) -> Report {
        Pass {
            source: &mut self.source.clone(),
            target: &mut self.target.clone(),
            ledger: &self.ledger,
            progress: &self.waits,
            clock: &self.clock,
            budget: &Budget::new(10_000),
            slots: &Slots::new(1),
            stop: &CancellationToken::new(),
            limits,
            options: &PassOptions::default(),
        }
        .run()
        .await
    }

    fn waits(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.waits.0.lock().unwrap())
    }

    fn arrived(&self) -> usize {
        self.target.server().folders.values().map(|it| it.messages.len()).sum()
    }

    #[track_caller]
    fn assert_same(&self) {
        assert_eq!(self.source.contents(), self.target.contents());
    }
}

fn throttled(scope: Scope, rates: RateLimits) -> Throttle {
    Throttle::new("the test", scope, rates, Usage::default())
}

fn of(throttle: &Throttle, is_resumed: bool) -> PassLimits {
    PassLimits { throttles: vec![(Side::Source, throttle.clone())], is_resumed, ..PassLimits::default() }
}

fn synced(report: &Report) {
    assert!(report.is_synced(), "{report:#?}");
}

#[tokio::test]
async fn mailboxes_share_the_rate_of_their_server() {
    let rates = RateLimits { messages_per_second: Some(5), ..RateLimits::default() };
    let throttle = throttled(Scope::Endpoint, rates);
    let (one, mut other) = (Site::new(60), Site::new(40));
    other.clock = one.clock.clone();
    let begin = one.clock.now();
    let limits = of(&throttle, true);
    let (first, second) = tokio::join!(one.pass(&limits), other.pass(&limits));
    synced(&first);
    synced(&second);
    // 100 messages: the burst of a second passes at once, and one more opens the next second.
    assert_eq!(one.clock.since(begin).as_secs(), 19 - 1);
    // Alone, without a delay.
    let free = Site::new(100);
    let begin = free.clock.now();
    synced(&free.pass(&of(&throttled(Scope::Endpoint, RateLimits::default()), true)).await);
    assert_eq!(free.clock.since(begin), Duration::ZERO);
}

#[tokio::test]
async fn bytes_are_paced_within_messages_too() {
    let rates = RateLimits { bytes_per_second: Some(50), ..RateLimits::default() };
    let site = Site::new(30);
    let begin = site.clock.now();
    synced(&site.pass(&of(&throttled(Scope::Endpoint, rates), true)).await);
    site.assert_same();
    // 3000 bytes at 50 in a second; the first second's and the last part go at once.
    let seconds = site.clock.since(begin).as_secs();
    assert!((57..=60).contains(&seconds), "{seconds}");
    assert!(site.waits().is_empty(), "nothing broke");
}

#[tokio::test]
async fn a_day_that_is_used_up_ends_the_pass_and_a_later_one_goes_on() {
    let rates = RateLimits { bytes_per_day: Some(1_050), ..RateLimits::default() };
    let site = Site::new(25);
    let limits = of(&throttled(Scope::Mailbox, rates), true);
    let begin = site.clock.now();
    for (arrived, free) in [(10, begin + HOUR * 25), (20, begin + HOUR * 50)] {
        let error = site.pass(&limits).await.error.unwrap();
        let wait = free.saturating_sub(site.clock.now());
        let expected = (ErrorKind::Throttled, Scope::Mailbox, Retry::After(Some(wait)), Some(Side::Source));
        assert_eq!((error.kind, error.scope, error.retry, error.side), expected, "{error}");
        assert_eq!(site.arrived(), arrived);
        // Nothing passes too early.
        let again = site.pass(&limits).await.error.unwrap();
        assert_eq!((again.kind, site.arrived()), (ErrorKind::Throttled, arrived));
        site.clock.sleep(free.saturating_sub(site.clock.now())).await;
    }
    synced(&site.pass(&limits).await);
    site.assert_same();
    assert!(site.waits().is_empty(), "the pass itself waited for nothing");
}

#[tokio::test]
async fn without_a_later_pass_the_pass_waits_for_the_next_day() {
    let rates = RateLimits { bytes_per_day: Some(1_050), ..RateLimits::default() };
    let site = Site::new(25);
    synced(&site.pass(&of(&throttled(Scope::Mailbox, rates), false)).await);
    site.assert_same();
    // Each wait lasts until the hour; recovery has used some seconds of it.
    let waits = site.waits();
    assert_eq!(waits.len(), 2);
    assert!(waits.iter().all(|it| it.as_secs().div_ceil(60) == 25 * 60), "{waits:?}");
}

#[tokio::test]
async fn a_message_that_one_limit_delays_is_not_counted_by_another() {
    let shared =
        throttled(Scope::Endpoint, RateLimits { bytes_per_day: Some(10_000), ..RateLimits::default() });
    let own = throttled(Scope::Mailbox, RateLimits { bytes_per_day: Some(300), ..RateLimits::default() });
    let site = Site::new(25);
    let limits = PassLimits {
        throttles: vec![(Side::Source, shared.clone()), (Side::Target, own.clone())],
        is_resumed: true,
        ..PassLimits::default()
    };
    let error = site.pass(&limits).await.error.unwrap();
    assert_eq!((error.scope, error.side), (Scope::Mailbox, Some(Side::Target)));
    for throttle in [shared, own] {
        assert_eq!(throttle.take_passed(site.clock.now()), [(480_000, 300)]);
    }
}

#[tokio::test]
async fn a_changed_rate_applies_to_passes_that_wait() {
    let slow = RateLimits { messages_per_second: Some(1), ..RateLimits::default() };
    let throttle = throttled(Scope::Endpoint, slow);
    let site = Site::new(1000);
    // Messages arrive one by one: no command stays open while a rate makes it wait.
    site.target.server().is_cautious = true;
    let begin = site.clock.now();
    let limits = of(&throttle, true);
    let changing = async {
        while site.arrived() < 10 {
            tokio::task::yield_now().await;
        }
        throttle.set_rates(site.clock.now(), RateLimits::default());
    };
    let (report, ()) = tokio::join!(site.pass(&limits), changing);
    synced(&report);
    let seconds = site.clock.since(begin).as_secs();
    assert!(seconds < 500, "{seconds}");
}

fn asked(wait: Duration) -> Error {
    Error::new(Scope::Mailbox, Retry::After(Some(wait)), ErrorKind::Throttled, "NO throttled")
}

#[tokio::test]
async fn a_server_gets_the_delay_that_it_asks_for() {
    let (short, long) = (Duration::from_secs(30), Duration::from_mins(50));
    // If the caller repeats the pass later, only short delays are waited for.
    let site = Site::new(5);
    site.target.server().answers = vec![asked(long), asked(short)];
    let resumed = PassLimits { is_resumed: true, ..PassLimits::default() };
    let report = site.pass(&resumed).await;
    assert_eq!(report.error.unwrap().retry, Retry::After(Some(long)));
    assert_eq!((site.waits(), site.arrived()), (vec![short], 0));
    synced(&site.pass(&resumed).await);
    site.assert_same();
    // If it does not, every delay is waited for, as often as it is asked for.
    let site = Site::new(5);
    site.target.server().answers = vec![asked(long); 20];
    synced(&site.pass(&PassLimits::default()).await);
    assert_eq!(site.waits(), [long; 20]);
    site.assert_same();
}

/// A server that asks without end gets a day.
#[tokio::test]
async fn stated_delays_without_progress_end_after_a_day() {
    for (figure, waits) in [(Duration::from_mins(1), 24 * 60), (Duration::from_hours(24), 5)] {
        let site = Site::new(5);
        site.target.server().answers = vec![asked(figure); 2000];
        let error = site.pass(&PassLimits::default()).await.error.unwrap();
        assert_eq!(site.waits(), vec![figure; waits]);
        let words = format!("the server asked for a delay {waits} times without any progress");
        assert!(error.message.starts_with(&words), "{error}");
    }
}

/// A request without a duration may concern a state that never ends.
#[tokio::test]
async fn unstated_delays_without_progress_end_soon() {
    let site = Site::new(5);
    let asked = Error::new(Scope::Mailbox, Retry::After(None), ErrorKind::Throttled, "NO later");
    site.target.server().answers = vec![asked; 20];
    let error = site.pass(&PassLimits::default()).await.error.unwrap();
    assert_eq!(site.waits(), [15, 30, 60, 120, 240].map(Duration::from_secs));
    assert_eq!((error.kind, error.retry), (ErrorKind::Throttled, Retry::After(None)));
    assert!(error.message.starts_with("the server asked for a delay 5 times"), "{error}");
}

#[tokio::test]
async fn a_slot_without_a_connection_is_given_back() {
    let full = || Error::new(Scope::Mailbox, Retry::After(None), ErrorKind::TooManyConnections, "NO enough");
    let site = Site::new(5);
    site.target.server().answers = vec![full()];
    let report = site.pass(&PassLimits { is_resumed: true, ..PassLimits::default() }).await;
    assert_eq!((report.error.unwrap().kind, site.waits()), (ErrorKind::TooManyConnections, Vec::new()));
    site.target.server().answers = vec![full()];
    synced(&site.pass(&PassLimits::default()).await);
    assert_eq!(site.waits(), [Duration::from_secs(15)]);
}
