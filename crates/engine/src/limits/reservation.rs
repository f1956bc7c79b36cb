//! Bytes of a day that a process has reserved, where several processes share the limit. Pure.

/// Bytes that may pass without another question, and the need for more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reservation {
    left: u64,
    /// More is requested below this amount.
    low: u64,
    /// The largest message that waits for more.
    needed: u64,
    /// The amount that was refused: so many bytes of the day are not free.
    refused: Option<u64>,
    /// True if a request must be made.
    is_due: bool,
}

/// Decision about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReservationDecision {
    Fits,
    /// More must be reserved first.
    Wait,
    /// The bytes of the day are used up.
    UsedUp,
}

/// State of a process for its request. The process passes nothing until the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReservationRequest {
    /// Bytes that have passed here so far.
    pub passed: u64,
    /// Bytes that were reserved and have not passed. [`crate::Throttle::end_reservation`] returns them after an error.
    pub left: u64,
    /// The largest message that waits; 0 if none does.
    pub needed: u64,
}

/// Answer to a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayReservation {
    /// Bytes that may pass now.
    pub left: u64,
    /// Amount below which the process asks again.
    pub low: u64,
    /// The amount that is not free; `None` if the request was granted.
    pub refused: Option<u64>,
}

impl Reservation {
    pub(crate) fn decide(&mut self, octets: u64) -> ReservationDecision {
        if octets <= self.left {
            return ReservationDecision::Fits;
        }
        if self.refused.is_some_and(|refused| octets >= refused) {
            return ReservationDecision::UsedUp;
        }
        self.needed = self.needed.max(octets);
        self.is_due = true;
        ReservationDecision::Wait
    }

    pub(crate) fn take(&mut self, octets: u64) {
        self.left = self.left.saturating_sub(octets);
        if self.left < self.low && self.refused.is_none() {
            self.is_due = true;
        }
    }

    pub(crate) fn take_back(&mut self, octets: u64) {
        self.left = self.left.saturating_add(octets);
    }

    /// Forgets what was reserved: the limit has changed, or the process has lost it.
    pub(crate) fn clear(&mut self) {
        *self = Self { needed: self.needed, is_due: true, ..Self::default() };
    }

    /// Lets refused messages ask again.
    pub(crate) fn forget_refusal(&mut self) {
        self.refused = None;
    }

    pub(crate) fn is_due(&self) -> bool {
        self.is_due
    }

    pub(crate) fn begin(&mut self, passed: u64) -> ReservationRequest {
        let request = ReservationRequest { passed, left: self.left, needed: self.needed };
        (self.left, self.needed, self.is_due) = (0, 0, false);
        request
    }

    pub(crate) fn end(&mut self, reserved: DayReservation) {
        // A message may have been taken back meanwhile.
        self.left = self.left.saturating_add(reserved.left);
        (self.low, self.refused) = (reserved.low, reserved.refused);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserved(left: u64, low: u64, refused: Option<u64>) -> DayReservation {
        DayReservation { left, low, refused }
    }

    #[test]
    fn only_reserved_bytes_pass() {
        let mut reservation = Reservation::default();
        assert_eq!((reservation.decide(5), reservation.is_due()), (ReservationDecision::Wait, true));
        assert_eq!(reservation.decide(3), ReservationDecision::Wait);
        assert_eq!(reservation.begin(7), ReservationRequest { passed: 7, left: 0, needed: 5 });
        reservation.end(reserved(10, 4, None));
        assert!(!reservation.is_due());
        assert_eq!(reservation.decide(5), ReservationDecision::Fits);
        reservation.take(5);
        assert!(!reservation.is_due());
        // Few are left: it is time to ask, while messages still pass.
        reservation.take(2);
        assert_eq!((reservation.decide(3), reservation.is_due()), (ReservationDecision::Fits, true));
        assert_eq!(reservation.begin(14), ReservationRequest { passed: 14, left: 3, needed: 0 });
        assert_eq!(reservation.decide(1), ReservationDecision::Wait, "until the answer");
    }

    #[test]
    fn a_refusal_counts_for_messages_of_its_size_until_it_is_forgotten() {
        let mut reservation = Reservation::default();
        reservation.decide(50);
        reservation.begin(0);
        reservation.end(reserved(8, 10, Some(50)));
        assert_eq!(reservation.decide(50), ReservationDecision::UsedUp);
        assert_eq!(reservation.decide(8), ReservationDecision::Fits);
        reservation.take(8);
        assert!(!reservation.is_due(), "there is no more");
        // A smaller message may fit.
        assert_eq!((reservation.decide(20), reservation.is_due()), (ReservationDecision::Wait, true));
        reservation.forget_refusal();
        assert_eq!(reservation.decide(50), ReservationDecision::Wait);
    }

    #[test]
    fn a_message_that_is_taken_back_during_a_request_is_free_again() {
        let mut reservation = Reservation::default();
        reservation.end(reserved(10, 0, None));
        reservation.take(6);
        let request = reservation.begin(6);
        reservation.take_back(6);
        reservation.end(reserved(request.left, 0, None));
        assert_eq!(reservation.decide(10), ReservationDecision::Fits);
        reservation.clear();
        assert_eq!((reservation.decide(1), reservation.is_due()), (ReservationDecision::Wait, true));
    }
}
