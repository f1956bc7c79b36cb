//! Pauses of endpoints: the time until which a throttled or unreachable server is left alone. Pure.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_store::Parking;

/// Duration of a pause, if the server does not state it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    first: Duration,
    /// Upper bound of repeated pauses.
    max: Duration,
}

/// Pauses of a server that throttles.
const THROTTLED: Bounds = Bounds { first: Duration::from_mins(1), max: Duration::from_hours(1) };
/// Pauses of an unreachable server. One attempt in ten minutes is no load on it.
const OUTAGE: Bounds = Bounds { first: Duration::from_secs(15), max: Duration::from_mins(10) };

/// Request to pause an endpoint.
pub(crate) struct ParkingRequest {
    /// Duration that the server stated.
    wait: Option<Duration>,
    bounds: Bounds,
    reason: String,
}

impl ParkingRequest {
    pub(crate) fn throttled(wait: Option<Duration>, reason: String) -> Self {
        Self { wait, bounds: THROTTLED, reason }
    }

    pub(crate) fn outage(reason: String) -> Self {
        Self { wait: None, bounds: OUTAGE, reason }
    }
}

/// Returns the new pause.
///
/// Requests during a pause count as one. A request soon after a pause doubles its duration.
pub(crate) fn parking(before: Option<Parking>, request: ParkingRequest, now: Timestamp) -> Parking {
    let ParkingRequest { wait, bounds, reason } = request;
    let until = |wait: Duration| now.checked_add(wait).unwrap_or(Timestamp::MAX);
    match (before, wait) {
        (Some(parked), None) if parked.until > now => parked,
        (Some(parked), Some(wait)) if parked.until > now => {
            Parking { until: parked.until.max(until(wait)), ..parked }
        }
        (_, Some(wait)) => Parking { since: now, until: until(wait), reason },
        (before, None) => {
            let last = before.map(|parked| (length(parked.since, parked.until), length(parked.until, now)));
            let wait = match last {
                Some((length, ago)) if ago < length => (length * 2).clamp(bounds.first, bounds.max),
                _ => bounds.first,
            };
            Parking { since: now, until: until(wait), reason }
        }
    }
}

fn length(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn asked(before: Option<Parking>, wait: Option<u64>, now: i64) -> Parking {
        let request = ParkingRequest::throttled(wait.map(Duration::from_secs), format!("at {now}"));
        parking(before, request, at(now))
    }

    fn times(parked: &Parking) -> (i64, i64, &str) {
        (parked.since.as_second(), parked.until.as_second(), &parked.reason)
    }

    #[test]
    fn the_servers_duration_counts() {
        let parked = asked(None, Some(300), 0);
        assert_eq!(times(&parked), (0, 300, "at 0"));
        // Other mailboxes get the same refusal a moment later. The longest duration counts.
        let parked = asked(Some(parked), Some(200), 1);
        assert_eq!(times(&parked), (0, 300, "at 0"));
        assert_eq!(times(&asked(Some(parked.clone()), Some(400), 2)), (0, 402, "at 0"));
        assert_eq!(times(&asked(Some(parked), Some(5), 300)), (300, 305, "at 300"));
    }

    #[test]
    fn a_repeated_request_doubles_the_pause() {
        let first = asked(None, None, 0);
        assert_eq!(times(&first), (0, 60, "at 0"));
        assert_eq!(asked(Some(first.clone()), None, 59), first);
        let second = asked(Some(first.clone()), None, 61);
        assert_eq!(times(&second), (61, 61 + 120, "at 61"));
        let mut parked = second;
        for _ in 0..10 {
            let now = parked.until.as_second() + 1;
            parked = asked(Some(parked), None, now);
        }
        assert_eq!(parked.until.as_second() - parked.since.as_second(), 3600);
        // Long after the pause, the durations start again.
        assert_eq!(times(&asked(Some(first), None, 121)), (121, 181, "at 121"));
    }

    #[test]
    fn pauses_of_an_outage_grow() {
        let unreachable =
            |before, now| parking(before, ParkingRequest::outage("refused".to_owned()), at(now));
        let mut parked = unreachable(None, 0);
        assert_eq!(times(&parked), (0, 15, "refused"));
        for expected in [30, 60, 120, 240, 480, 600, 600] {
            let now = parked.until.as_second() + 1;
            parked = unreachable(Some(parked), now);
            assert_eq!(parked.until.as_second() - now, expected);
        }
    }
}
