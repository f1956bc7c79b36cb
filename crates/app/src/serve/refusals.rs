//! Limit on refusals in the audit log: a caller with many refusals cannot fill the disk. Pure.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

/// Refusals of one caller within [`WINDOW`] that get their own entries.
const MAX_RECORDED: u32 = 20;
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// Number of callers above which old ones are forgotten. Bounds memory: names come from tokens.
const MAX_CALLERS: usize = 1000;

/// Treatment of a refusal in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It is recorded. `left_out` refusals of the window before were only counted.
    Yes { left_out: u32 },
    /// It is recorded, as the last one of this window.
    Last,
    /// It is only counted.
    No,
}

/// Refusals of each caller.
#[derive(Default)]
pub(crate) struct Refusals(HashMap<String, Window>);

struct Window {
    begun: Timestamp,
    refusals: u32,
}

impl Window {
    /// Number of refusals that were only counted.
    fn left_out(&self) -> u32 {
        self.refusals.saturating_sub(MAX_RECORDED)
    }
}

impl Refusals {
    /// Returns the callers with refusals that were only counted, with their number, and forgets all.
    pub(crate) fn take_left_out(&mut self) -> Vec<(String, u32)> {
        let all = std::mem::take(&mut self.0).into_iter();
        let mut left_out: Vec<_> = all.map(|(caller, window)| (caller, window.left_out())).collect();
        left_out.retain(|(_, refusals)| *refusals > 0);
        left_out.sort_unstable();
        left_out
    }

    /// Counts a refusal.
    pub(crate) fn count(&mut self, caller: &str, now: Timestamp) -> Recorded {
        if self.0.len() >= MAX_CALLERS && !self.0.contains_key(caller) {
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
            ..MAX_RECORDED => Recorded::Yes { left_out: 0 },
            MAX_RECORDED => Recorded::Last,
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
    fn a_flood_is_counted_and_other_callers_are_recorded() {
        let mut refusals = Refusals::default();
        let yes = Recorded::Yes { left_out: 0 };
        for _ in 1..MAX_RECORDED {
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
        assert!(refusals.0.len() <= MAX_CALLERS + 600, "{}", refusals.0.len());
    }
}
