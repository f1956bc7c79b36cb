//! One-time tickets: of `mailhaul console`, and of downloads. Pure.

use jiff::{SignedDuration, Timestamp};

/// Time in which a ticket can be used.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_secs(60);
/// Maximum number of unused tickets; the oldest ends for a new one.
const MAX_TICKETS: usize = 100;

/// Tickets that are not used yet.
pub(super) struct Tickets<T>(Vec<Ticket<T>>);

struct Ticket<T> {
    digest: [u8; 32],
    /// Object that the ticket opens.
    object: T,
    made: Timestamp,
}

impl<T> Default for Tickets<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Ticket<T> {
    fn is_over(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.made);
        age >= LIFETIME || age.is_negative()
    }
}

impl<T> Tickets<T> {
    pub(super) fn add(&mut self, digest: [u8; 32], object: T, now: Timestamp) {
        self.0.retain(|it| !it.is_over(now));
        if self.0.len() >= MAX_TICKETS {
            self.0.remove(0);
        }
        self.0.push(Ticket { digest, object, made: now });
    }

    /// Uses a ticket up. Returns its object; `None` if it is unknown, used, or too old.
    pub(super) fn take(&mut self, digest: &[u8; 32], now: Timestamp) -> Option<T> {
        self.0.retain(|it| !it.is_over(now));
        let index = self.0.iter().position(|it| it.digest == *digest)?;
        Some(self.0.remove(index).object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_opens_once_and_for_a_minute() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut tickets = Tickets::default();
        tickets.add([1; 32], "one", at(0));
        tickets.add([2; 32], "two", at(0));
        assert_eq!(tickets.take(&[3; 32], at(59)), None);
        assert_eq!(tickets.take(&[1; 32], at(59)), Some("one"));
        assert_eq!(tickets.take(&[1; 32], at(59)), None);
        assert_eq!(tickets.take(&[2; 32], at(60)), None);
    }
}
