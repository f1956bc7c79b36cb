//! Long pauses of endpoints. One outage is many pauses: after each the server is tried again. Pure.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use mailhaul_migration::Guid;

/// Time without a pause after which the outage has ended.
const GAP: SignedDuration = SignedDuration::from_mins(5);

/// Endpoints that are parked, each with the begin of its outage and the last look at it.
#[derive(Default)]
pub(in crate::service) struct Pauses(HashMap<Guid, (Timestamp, Timestamp)>);

impl Pauses {
    /// Adds a look at the parked endpoints, each with the begin of its pause.
    pub(super) fn look(&mut self, parked: impl IntoIterator<Item = (Guid, Timestamp)>, now: Timestamp) {
        for (endpoint, since) in parked {
            let known = self.0.entry(endpoint).or_insert((since, now));
            known.1 = now;
        }
        self.0.retain(|_, (_, last)| now.duration_since(*last).abs() <= GAP);
    }

    /// Returns the begin of an endpoint's outage.
    pub(super) fn since(&self, endpoint: Guid) -> Option<Timestamp> {
        self.0.get(&endpoint).map(|(since, _)| *since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_lasts_over_tries_and_ends_after_a_gap() {
        let (endpoint, mut pauses) = (Guid::from_u128(1), Pauses::default());
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        for (minute, parked, since) in [
            (0, Some(0), Some(0)),
            (4, None, Some(0)),
            (5, Some(5), Some(0)),
            (11, None, None),
            (12, Some(12), Some(12)),
        ] {
            pauses.look(parked.map(|since| (endpoint, at(since))), at(minute));
            assert_eq!(pauses.since(endpoint), since.map(at), "{minute}");
        }
    }
}
