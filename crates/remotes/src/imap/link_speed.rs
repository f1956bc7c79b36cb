//! Measures the speed of a link, to decide if compression pays (RFC 4978).
//!
//! Only far servers are measured, with the first bytes of mail. Another cause may slow these bytes down.
//! Compression then costs some percent of a processor on either side, which is acceptable.

use std::time::{Duration, Instant};

/// Round trip up to which a link is faster than the codec.
const NEAR: Duration = Duration::from_millis(4);
/// Bytes per second and connection below which the codec is faster than the link.
const SLOW: u64 = 4 << 20;
/// Bytes per measurement: more than the buffers of sockets hold.
const SAMPLE: u64 = 6 << 20;

/// Speed of the link to one server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LinkSpeed {
    #[default]
    Unmeasured,
    /// Compression does not pay.
    Fast,
    /// Compression pays, if the server offers it.
    Slow,
}

/// Measures a link while mail passes.
pub(crate) struct Gauge {
    begun: Instant,
    octets: u64,
    link_speed: LinkSpeed,
}

impl Gauge {
    /// Starts the measurement.
    pub(crate) fn new(link_speed: LinkSpeed, round_trip: Option<Duration>) -> Self {
        let is_near = round_trip.is_none_or(|it| it < NEAR);
        let link_speed =
            if link_speed == LinkSpeed::Unmeasured && is_near { LinkSpeed::Fast } else { link_speed };
        Self { begun: Instant::now(), octets: 0, link_speed }
    }

    /// Counts bytes. Returns true once, when they show that the link is slow.
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

    /// The result so far.
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
        // Reported once.
        assert!(!far.passed(8 << 20));
        assert_eq!(far.link_speed(), LinkSpeed::Slow);
    }
}
