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
pub(crate) enum LinkSpeed {
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
    link_speed: LinkSpeed,
}

impl Gauge {
    /// Begins now.
    pub(crate) fn new(link_speed: LinkSpeed, round_trip: Option<Duration>) -> Self {
        let is_near = round_trip.is_none_or(|it| it < NEAR);
        let link_speed =
            if link_speed == LinkSpeed::Unmeasured && is_near { LinkSpeed::Fast } else { link_speed };
        Self { begun: Instant::now(), octets: 0, link_speed }
    }

    /// So many octets have passed; true when they have just shown that the line is slow.
    pub(crate) fn passed(&mut self, octets: usize) -> bool {
        if self.link_speed != LinkSpeed::Unmeasured {
            return false;
        }
        self.octets += octets as u64;
        if self.octets < SAMPLE {
            return false;
        }
        self.link_speed = judge(self.octets, self.begun.elapsed());
        self.link_speed == LinkSpeed::Slow
    }

    /// What is known now.
    pub(crate) fn link_speed(&self) -> LinkSpeed {
        self.link_speed
    }
}

fn judge(octets: u64, elapsed: Duration) -> LinkSpeed {
    let is_slow = u128::from(octets) * 1000 < u128::from(SLOW) * elapsed.as_millis();
    if is_slow { LinkSpeed::Slow } else { LinkSpeed::Fast }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slow_lines_to_far_servers_are_compressed() {
        assert_eq!(judge(SAMPLE, Duration::from_secs(1)), LinkSpeed::Fast);
        assert_eq!(judge(SAMPLE, Duration::from_secs(3)), LinkSpeed::Slow);
        let mut near = Gauge::new(LinkSpeed::Unmeasured, Some(Duration::from_millis(1)));
        assert!(!near.passed(usize::MAX / 2));
        assert_eq!(near.link_speed(), LinkSpeed::Fast);
        let mut far = Gauge::new(LinkSpeed::Unmeasured, Some(Duration::from_millis(20)));
        assert!(!far.passed(1000));
        assert_eq!(far.link_speed(), LinkSpeed::Unmeasured);
        far.begun = Instant::now().checked_sub(Duration::from_mins(1)).unwrap();
        assert!(far.passed(8 << 20));
        // Said once.
        assert!(!far.passed(8 << 20));
        assert_eq!(far.link_speed(), LinkSpeed::Slow);
    }
}
