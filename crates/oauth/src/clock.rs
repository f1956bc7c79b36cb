//! Clock of the token server, which may differ from this machine's: assertions carry times (RFC
//! 7523, section 3).

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// Difference in seconds up to which two clocks count as equal.
pub(crate) const MAX_CLOCK_DIFFERENCE: i64 = 60;

/// Seconds by which the token server's clock is ahead of this machine's, as far as known.
#[derive(Debug, Default)]
pub(crate) struct ServerClock(AtomicI64);

impl ServerClock {
    pub(crate) fn ahead(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn learn(&self, ahead: i64) {
        self.0.store(ahead, Ordering::Relaxed);
    }
}

/// This machine's time, in seconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_second()
}

/// Describes the difference of this machine's clock; `None` if it is tolerable.
pub(crate) fn difference(host: &str, ahead: i64) -> Option<String> {
    if ahead.abs() <= MAX_CLOCK_DIFFERENCE {
        return None;
    }
    let way = if ahead > 0 { "behind" } else { "ahead of" };
    Some(format!("This machine's clock is {} {way} that of {host}: set it (NTP)", span(ahead.unsigned_abs())))
}

/// Describes a number of seconds.
pub(crate) fn span(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86400, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_where_there_is_one() {
        assert_eq!(difference("a", 60), None);
        assert_eq!(
            difference("a", 300).unwrap(),
            "This machine's clock is 5 minutes behind that of a: set it (NTP)"
        );
        assert_eq!(
            difference("a", -7200).unwrap(),
            "This machine's clock is 2 hours ahead of that of a: set it (NTP)"
        );
        assert_eq!(
            (span(1), span(119), span(i64::MIN.unsigned_abs())),
            ("1 second".to_owned(), "119 seconds".to_owned(), "106751991167300 days".to_owned())
        );
    }
}
