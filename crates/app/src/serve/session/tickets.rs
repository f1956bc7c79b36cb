//! One-time tickets of `mailhaul console`. Pure.

use jiff::{SignedDuration, Timestamp};
use mailhaul_operations::Caller;

/// Time in which a ticket can be used.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_secs(60);
/// Maximum number of unused tickets; the oldest ends for a new one.
const MAX_TICKETS: usize = 100;

/// Tickets that are not used yet.
#[derive(Default)]
pub(super) struct Tickets(Vec<Ticket>);

struct Ticket {
    digest: [u8; 32],
    caller: Caller,
    made: Timestamp,
}

impl Ticket {
    fn is_over(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.made);
        age >= LIFETIME || age.is_negative()
    }
}

impl Tickets {
    pub(super) fn add(&mut self, digest: [u8; 32], caller: Caller, now: Timestamp) {
        self.0.retain(|it| !it.is_over(now));
        if self.0.len() >= MAX_TICKETS {
            self.0.remove(0);
        }
        self.0.push(Ticket { digest, caller, made: now });
    }

    /// Uses a ticket up. Returns its caller; `None` if it is unknown, used, or too old.
    pub(super) fn take(&mut self, digest: &[u8; 32], now: Timestamp) -> Option<Caller> {
        self.0.retain(|it| !it.is_over(now));
        let index = self.0.iter().position(|it| it.digest == *digest)?;
        Some(self.0.remove(index).caller)
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_operations::Role;

    use super::*;

    #[test]
    fn a_ticket_opens_once_and_for_a_minute() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let caller = Caller { name: "root".to_owned(), role: Role::Admin, is_local: true };
        let mut tickets = Tickets::default();
        tickets.add([1; 32], caller.clone(), at(0));
        tickets.add([2; 32], caller.clone(), at(0));
        assert_eq!(tickets.take(&[3; 32], at(59)), None);
        assert_eq!(tickets.take(&[1; 32], at(59)), Some(caller));
        assert_eq!(tickets.take(&[1; 32], at(59)), None);
        assert_eq!(tickets.take(&[2; 32], at(60)), None);
    }
}
