//! Until when an endpoint is left alone whose server asked for it. A pure decision.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_store::Parking;

/// How long an endpoint is left alone where its server does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    first: Duration,
    /// Where the same happens again and again.
    longest: Duration,
}

/// The server asks for patience.
pub(crate) const PATIENCE: Bounds =
    Bounds { first: Duration::from_mins(1), longest: Duration::from_hours(1) };
/// The server cannot be reached. Short outages cost little, and one attempt in ten minutes costs a server nothing.
pub(crate) const OUTAGE: Bounds = Bounds { first: Duration::from_secs(15), longest: Duration::from_mins(10) };

/// The server asks now, with its figure where it has one. What several mailboxes are told at the same time is one request;
/// one that comes soon after the time is over gets twice as long.
pub(crate) fn parking(
    before: Option<Parking>,
    (wait, bounds): (Option<Duration>, Bounds),
    reason: String,
    now: Timestamp,
) -> Parking {
    let until = |wait: Duration| now.checked_add(wait).unwrap_or(Timestamp::MAX);
    match (before, wait) {
        (Some(parked), None) if parked.until > now => parked,
        (Some(parked), Some(wait)) if parked.until > now => {
            Parking { until: parked.until.max(until(wait)), ..parked }
        }
        (_, Some(wait)) => Parking { since: now, until: until(wait), reason },
        (before, None) => {
            let last = before.map(|it| (length(it.since, it.until), length(it.until, now)));
            let wait = match last {
                Some((length, ago)) if ago < length => (length * 2).clamp(bounds.first, bounds.longest),
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
        parking(before, (wait.map(Duration::from_secs), PATIENCE), format!("at {now}"), at(now))
    }

    fn told(it: &Parking) -> (i64, i64, &str) {
        (it.since.as_second(), it.until.as_second(), &it.reason)
    }

    #[test]
    fn the_servers_figure_counts() {
        let parked = asked(None, Some(300), 0);
        assert_eq!(told(&parked), (0, 300, "at 0"));
        // Others hear the same, a moment later: the longest counts.
        let parked = asked(Some(parked), Some(200), 1);
        assert_eq!(told(&parked), (0, 300, "at 0"));
        assert_eq!(told(&asked(Some(parked.clone()), Some(400), 2)), (0, 402, "at 0"));
        assert_eq!(told(&asked(Some(parked), Some(5), 300)), (300, 305, "at 300"));
    }

    #[test]
    fn a_server_that_asks_again_soon_gets_longer() {
        let first = asked(None, None, 0);
        assert_eq!(told(&first), (0, 60, "at 0"));
        assert_eq!(asked(Some(first.clone()), None, 59), first);
        let second = asked(Some(first.clone()), None, 61);
        assert_eq!(told(&second), (61, 61 + 120, "at 61"));
        let mut parked = second;
        for _ in 0..10 {
            let now = parked.until.as_second() + 1;
            parked = asked(Some(parked), None, now);
        }
        assert_eq!(parked.until.as_second() - parked.since.as_second(), 3600);
        // Long after, it begins anew.
        assert_eq!(told(&asked(Some(first), None, 121)), (121, 181, "at 121"));
    }

    #[test]
    fn an_outage_is_looked_at_again_soon_and_then_less_often() {
        let unreachable = |before, now| parking(before, (None, OUTAGE), "refused".to_owned(), at(now));
        let mut parked = unreachable(None, 0);
        assert_eq!(told(&parked), (0, 15, "refused"));
        for expected in [30, 60, 120, 240, 480, 600, 600] {
            let now = parked.until.as_second() + 1;
            parked = unreachable(Some(parked), now);
            assert_eq!(parked.until.as_second() - now, expected);
        }
    }
}
