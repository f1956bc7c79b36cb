//! Reservations of bytes of a day: the amounts that a node asks for, and the use of the answers. Pure.

use std::time::Duration;

use mailhaul_engine::{DayReservation, ReservationRequest, Throttle, Usage};
use mailhaul_migration::Guid;
use mailhaul_store::{ByteAnswer, ByteRequest};

/// Reservations in a day, if each has the usual size. Other nodes lack no more than what few of them keep unused.
const RESERVATIONS_PER_DAY: u64 = 1000;
/// Below this size the database would be asked for each message.
const MIN_RESERVATION: u64 = 1 << 20;
/// A lost node keeps no more than this.
const MAX_RESERVATION: u64 = 64 << 20;
/// Reservations in a small day.
const MIN_RESERVATIONS_PER_DAY: u64 = 20;

/// State of this node's reservation at an endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NodeBytes {
    /// Bytes of mailboxes of the endpoint that this node has put into the database.
    pub(super) saved: u64,
    /// Bytes that the last answer has reserved.
    reserved: u64,
}

/// Request on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReservationOnItsWay {
    pub(crate) request: ByteRequest,
    taken: ReservationRequest,
}

impl NodeBytes {
    /// True if the database must be asked.
    pub(super) fn is_due(self, throttle: &Throttle, is_at_work: bool, now: Duration) -> bool {
        throttle.needs_bytes(now) || self.reserved > 0 && !is_at_work
    }

    /// Begins a request. A node without a worker at the endpoint gives back what it has.
    pub(super) fn begin(
        self,
        endpoint: Guid,
        throttle: &Throttle,
        limit: Option<u64>,
        is_at_work: bool,
        now: Duration,
    ) -> ReservationOnItsWay {
        let taken = throttle.begin_reservation(now);
        let is_wanted = is_at_work && limit.is_some();
        let needed = if is_wanted { taken.needed.max(1) } else { 0 };
        let limit = limit.unwrap_or(u64::MAX);
        let request = ByteRequest {
            endpoint,
            limit,
            unsaved: taken.passed.saturating_sub(self.saved),
            needed,
            wanted: if is_wanted { needed.max(usual(limit)) } else { 0 },
            first_hour: Usage::first_hour(now),
            hour: Usage::hour(now),
        };
        ReservationOnItsWay { request, taken }
    }

    /// Uses the answer; `None` if there is none.
    pub(super) fn end(
        &mut self,
        begun: &ReservationOnItsWay,
        answer: Option<ByteAnswer>,
        throttle: &Throttle,
        now: Duration,
    ) {
        let ReservationOnItsWay { request, taken } = begun;
        let Some(ByteAnswer { reserved, used }) = answer else {
            // The database still counts these as reserved.
            let left = taken.left;
            return throttle.end_reservation(now, DayReservation { left, low: left, refused: None }, None);
        };
        self.reserved = reserved;
        let refused = if reserved < request.needed { Some(request.needed) } else { None };
        let low = reserved.min(usual(request.limit)) / 2;
        let used = used.into_iter().chain([(request.hour, request.unsaved)]).collect();
        throttle.end_reservation(now, DayReservation { left: reserved, low, refused }, Some(used));
    }

    /// Forgets what another node of this process had: it is counted as used.
    pub(super) fn begin_node(&mut self, throttle: &Throttle, now: Duration) {
        let taken = throttle.begin_reservation(now);
        *self = Self { saved: taken.passed, reserved: 0 };
        throttle.clear_reservation(now);
    }
}

/// Bytes that a node reserves at once.
fn usual(limit: u64) -> u64 {
    let part = (limit / RESERVATIONS_PER_DAY).clamp(MIN_RESERVATION, MAX_RESERVATION);
    part.min(limit / MIN_RESERVATIONS_PER_DAY).max(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mailhaul_engine::RateLimits;

    use super::*;

    const NOW: Duration = Duration::from_hours(480_000);
    const ENDPOINT: Guid = Guid::from_u128(1);

    fn throttle(bytes_per_day: u64) -> Throttle {
        let rates = RateLimits { bytes_per_day: Some(bytes_per_day), ..RateLimits::default() };
        Throttle::shared("the endpoint \"Old\"", rates, Arc::default())
    }

    #[test]
    fn a_reservation_is_a_small_part_of_a_day() {
        let sizes = [1, 100, 1 << 20, 100 << 20, 1_000_000_000, 10 << 30, 1 << 50].map(usual);
        assert_eq!(sizes, [1, 5, 52_428, 1 << 20, 1 << 20, 10_737_418, 64 << 20]);
    }

    #[test]
    fn a_node_asks_for_what_it_needs_and_gives_back_what_it_does_not() {
        let (throttle, mut bytes) = (throttle(1_000_000_000), NodeBytes { saved: 0, reserved: 0 });
        let begun = bytes.begin(ENDPOINT, &throttle, Some(1_000_000_000), true, NOW);
        assert_eq!((begun.request.needed, begun.request.wanted), (1, 1 << 20));
        let answer = ByteAnswer { reserved: 500, used: vec![(480_000, 7)] };
        bytes.end(&begun, Some(answer), &throttle, NOW);
        assert!(!bytes.is_due(&throttle, true, NOW) && bytes.is_due(&throttle, false, NOW));
        let begun = bytes.begin(ENDPOINT, &throttle, Some(1_000_000_000), false, NOW);
        assert_eq!((begun.request.needed, begun.request.wanted, begun.taken.left), (0, 0, 500));
        // Without an answer it still has them.
        bytes.end(&begun, None, &throttle, NOW);
        let begun = bytes.begin(ENDPOINT, &throttle, Some(1_000_000_000), false, NOW);
        assert_eq!(begun.taken.left, 500);
        bytes.end(&begun, Some(ByteAnswer::default()), &throttle, NOW);
        assert!(!bytes.is_due(&throttle, false, NOW));
        bytes.begin_node(&throttle, NOW);
        assert!(bytes.is_due(&throttle, true, NOW));
    }
}
