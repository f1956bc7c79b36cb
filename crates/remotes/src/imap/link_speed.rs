//! Whether a line is slow enough for compression (RFC 4978).
//!
//! Only far servers are measured, by the first octets of mail, whatever keeps them: where so few pass, compressing them takes
//! some hundredths of one processor on either side, also when it was not the line that was slow.

use std::time::{Duration, Instant};

/// A server within so short a round trip has a line that is faster than the codec.
const NEAR: Duration = Duration::from_millis(4);
/// Octets in a second, over one connection, below which the codec is faster than the line.
const SLOW: u64 = 4 << 20;
/// So many octets tell it: more than what the buffers of sockets swallow at once.
const SAMPLE: u64 = 6 << 20;

/// What is known of the line to one server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Line {
    /// Nothing yet.
    #[default]
    Unmeasured,
    /// Not to be compressed.
    Fast,
    /// To be compressed, if the server can.
    Slow,
}

/// Measures a line while mail passes.
pub(crate) struct Gauge {
    begun: Instant,
    octets: u64,
    line: Line,
}

impl Gauge {
    /// Begins now.
    pub(crate) fn new(line: Line, round_trip: Option<Duration>) -> Self {
        let is_near = round_trip.is_none_or(|it| it < NEAR);
        let line = if line == Line::Unmeasured && is_near { Line::Fast } else { line };
        Self { begun: Instant::now(), octets: 0, line }
    }

    /// So many octets have passed; true when they have just shown that the line is slow.
    pub(crate) fn passed(&mut self, octets: usize) -> bool {
        if self.line != Line::Unmeasured {
            return false;
        }
        self.octets += octets as u64;
        if self.octets < SAMPLE {
            return false;
        }
        self.line = judged(self.octets, self.begun.elapsed());
        self.line == Line::Slow
    }

    /// What is known now.
    pub(crate) fn line(&self) -> Line {
        self.line
    }
}

fn judged(octets: u64, elapsed: Duration) -> Line {
    let is_slow = u128::from(octets) * 1000 < u128::from(SLOW) * elapsed.as_millis();
    if is_slow { Line::Slow } else { Line::Fast }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slow_lines_to_far_servers_are_compressed() {
        assert_eq!(judged(SAMPLE, Duration::from_secs(1)), Line::Fast);
        assert_eq!(judged(SAMPLE, Duration::from_secs(3)), Line::Slow);
        let mut near = Gauge::new(Line::Unmeasured, Some(Duration::from_millis(1)));
        assert!(!near.passed(usize::MAX / 2));
        assert_eq!(near.line(), Line::Fast);
        let mut far = Gauge::new(Line::Unmeasured, Some(Duration::from_millis(20)));
        assert!(!far.passed(1000));
        assert_eq!(far.line(), Line::Unmeasured);
        far.begun = Instant::now().checked_sub(Duration::from_mins(1)).unwrap();
        assert!(far.passed(8 << 20));
        // Said once.
        assert!(!far.passed(8 << 20));
        assert_eq!(far.line(), Line::Slow);
    }
}
