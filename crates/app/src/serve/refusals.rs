//! Refusals in the audit log: a caller who is refused again and again fills no disk. Pure.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

/// Refusals of one caller that are recorded one by one within [`WINDOW`].
const RECORDED: u32 = 20;
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// Callers that are remembered; the others are those of a token that was revoked long ago.
const CALLERS: usize = 1000;

/// What is recorded of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// The refusal. Before it, so many of the last window were not recorded.
    Yes { left_out: u32 },
    /// The last one of this window that is recorded.
    Last,
    /// Only counted.
    No,
}

/// The refusals of each caller.
#[derive(Default)]
pub(crate) struct Refusals(HashMap<String, Window>);

struct Window {
    begun: Timestamp,
    refusals: u32,
}

impl Window {
    /// Refusals that were only counted.
    fn left_out(&self) -> u32 {
        self.refusals.saturating_sub(RECORDED)
    }
}

impl Refusals {
    /// Callers with refusals that were only counted, and how many these are. They are forgotten.
    pub(crate) fn take_left_out(&mut self) -> Vec<(String, u32)> {
        let all = std::mem::take(&mut self.0).into_iter();
        let mut left_out: Vec<_> = all.map(|(caller, window)| (caller, window.left_out())).collect();
        left_out.retain(|(_, refusals)| *refusals > 0);
        left_out.sort_unstable();
        left_out
    }

    /// One more refusal.
    pub(crate) fn count(&mut self, caller: &str, now: Timestamp) -> Recorded {
        if self.0.len() >= CALLERS && !self.0.contains_key(caller) {
            let is_needed =
                |window: &Window| window.left_out() > 0 || now.duration_since(window.begun) < WINDOW;
            self.0.retain(|_, window| is_needed(window));
        }
        let window = self.0.entry(caller.to_owned()).or_insert(Window { begun: now, refusals: 0 });
        // A clock that was set back begins a new window.
        let age = now.duration_since(window.begun);
        if age >= WINDOW || age.is_negative() {
            let left_out = window.left_out();
            *window = Window { begun: now, refusals: 1 };
            return Recorded::Yes { left_out };
        }
        window.refusals = window.refusals.saturating_add(1);
        match window.refusals {
            ..RECORDED => Recorded::Yes { left_out: 0 },
            RECORDED => Recorded::Last,
            _ => Recorded::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_flood_is_counted_and_another_caller_is_heard() {
        let mut refusals = Refusals::default();
        let yes = Recorded::Yes { left_out: 0 };
        for _ in 1..RECORDED {
            assert_eq!(refusals.count("eve", at(0)), yes);
        }
        assert_eq!(refusals.count("eve", at(1)), Recorded::Last);
        for _ in 0..1000 {
            assert_eq!(refusals.count("eve", at(2)), Recorded::No);
        }
        assert_eq!(refusals.count("ada", at(3)), yes);
        assert_eq!(refusals.count("eve", at(599)), Recorded::No);
        assert_eq!(refusals.count("eve", at(600)), Recorded::Yes { left_out: 1001 });
        assert_eq!(refusals.count("eve", at(601)), yes);
        assert_eq!(refusals.count("eve", at(0)), yes);
    }

    #[test]
    fn callers_are_forgotten() {
        let mut refusals = Refusals::default();
        for number in 0..3000 {
            refusals.count(&number.to_string(), at(number));
        }
        assert!(refusals.0.len() <= CALLERS + 600, "{}", refusals.0.len());
    }
}
