//! Time spans.

use std::{fmt, str::FromStr, time::Duration};

use jiff::SignedDuration;

use super::{format, text_form};

/// Time span in whole seconds, written `d.hh:mm:ss` as in .NET.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan(pub Duration);

const FORM: &str = "must be a time span such as 1.12:00:00 (days.hours:minutes:seconds), 00:30:00 or 36h";

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let days = seconds / 86_400;
        if days > 0 {
            write!(f, "{days}.")?;
        }
        write!(f, "{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
    }
}

impl FromStr for TimeSpan {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let seconds = if text.contains(':') {
            clock(text)
        } else if text.bytes().all(|it| it.is_ascii_digit()) {
            // A bare number means days in .NET and seconds elsewhere, so it needs a unit. 0 does
            // not.
            (text == "0").then_some(0)
        } else {
            let span = text.parse::<SignedDuration>().ok().filter(|it| it.subsec_nanos() == 0);
            span.and_then(|it| u64::try_from(it.as_secs()).ok())
        };
        seconds.map(|it| Self(Duration::from_secs(it))).ok_or(FORM)
    }
}

/// Parses `[d.]h:mm[:ss]`; hours may exceed a day.
fn clock(text: &str) -> Option<u64> {
    let digits = |part: &str| {
        // `parse` would accept a sign.
        part.bytes().all(|it| it.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten().map(u64::from)
    };
    let (days, time) = match text.split_once('.') {
        Some((days, time)) => (digits(days)?, time),
        None => (0, text),
    };
    let mut parts = time.split(':');
    let hours = digits(parts.next()?)?;
    let minutes = digits(parts.next()?)?;
    let seconds = parts.next().map_or(Some(0), digits)?;
    let fits = minutes < 60 && seconds < 60 && parts.next().is_none();
    fits.then_some(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
}

text_form!(TimeSpan, format::TIME_SPAN);
