//! Periods of a series: their length, their source, and the sums of what is kept. Pure.

use std::collections::BTreeMap;

use mailhaul_operations::{Failure, TimeSpan};
use mailhaul_store::{KEPT_PERIODS, KeptPeriod, PendingUsers, Work};

use crate::service::throughput::KEPT_SECONDS;

/// Maximum number of periods in an answer.
const MAX_PERIODS: i64 = 10_000;
/// Longest series that is shown by the minute without a wish.
const MAX_SPAN_BY_MINUTE: i64 = 12 * 3600;
const MINUTE: i64 = KEPT_PERIODS[0].0;
const QUARTER_HOUR: i64 = KEPT_PERIODS[1].0;

/// Kept rows that a series is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// In the memory of this process.
    Seconds,
    /// In the database, in periods of this many seconds.
    Periods(i64),
}

/// Times and source of a series, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeriesPlan {
    pub(crate) from: i64,
    /// The first second after the series.
    pub(crate) to: i64,
    pub(crate) step: i64,
    pub(crate) kept: Kept,
}

/// Period of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeriesPeriod {
    pub(crate) begun: i64,
    pub(crate) work: Work,
    /// Users at the end of the period; `None` by the second.
    pub(crate) pending: Option<PendingUsers>,
}

/// Plans a series from the given parameters.
pub(crate) fn plan(
    now: i64,
    from: Option<i64>,
    to: Option<i64>,
    step: Option<i64>,
) -> Result<SeriesPlan, Failure> {
    let to = to.unwrap_or(now + 1);
    let usual_span = if step.is_some_and(|step| step < MINUTE) { KEPT_SECONDS } else { 3600 };
    let from = from.unwrap_or(to.saturating_sub(usual_span)).max(0);
    if from >= to {
        return Err(Failure::invalid("From must be before To"));
    }
    let has_minutes = from >= now - KEPT_PERIODS[0].1;
    let step = match step {
        Some(step) => checked(step)?,
        None if from > now - KEPT_SECONDS => 1,
        None if has_minutes && to - from <= MAX_SPAN_BY_MINUTE => MINUTE,
        None => QUARTER_HOUR,
    };
    let kept = match step {
        step if step % QUARTER_HOUR == 0 => Kept::Periods(QUARTER_HOUR),
        step if step % MINUTE == 0 && has_minutes => Kept::Periods(MINUTE),
        step if step < MINUTE && from >= now - KEPT_SECONDS => Kept::Seconds,
        step => {
            let kept = if step < MINUTE { KEPT_SECONDS } else { KEPT_PERIODS[0].1 };
            let span = |seconds: i64| TimeSpan(std::time::Duration::from_secs(seconds.unsigned_abs()));
            return Err(Failure::invalid(format_args!(
                "Step {} is possible for the last {}, and From is earlier",
                span(step),
                span(kept)
            ))
            .with_advice("Give a later From, or a Step of 00:15:00."));
        }
    };
    let from = from - from.rem_euclid(step);
    if (to - from) / step > MAX_PERIODS {
        return Err(Failure::invalid(format_args!(
            "Step is too short: at most {MAX_PERIODS} periods are shown"
        ))
        .with_advice("Give a longer Step, or a later From."));
    }
    Ok(SeriesPlan { from, to, step, kept })
}

fn checked(step: i64) -> Result<i64, Failure> {
    if step > 0 && (step < MINUTE || step % MINUTE == 0) {
        return Ok(step);
    }
    Err(Failure::invalid("Step must be less than a minute, or whole minutes")
        .with_advice("Examples: 00:00:01, 00:01:00, 00:15:00, 1.00:00:00."))
}

/// Sums the kept rows up to the periods of the plan. Periods without a row are left out.
pub(crate) fn sums(plan: &SeriesPlan, rows: impl IntoIterator<Item = SeriesPeriod>) -> Vec<SeriesPeriod> {
    let mut periods: BTreeMap<i64, SeriesPeriod> = BTreeMap::new();
    for row in rows.into_iter().filter(|row| (plan.from..plan.to).contains(&row.begun)) {
        let begun = row.begun - row.begun.rem_euclid(plan.step);
        let period =
            periods.entry(begun).or_insert(SeriesPeriod { begun, work: Work::default(), pending: None });
        period.work.add(row.work);
        period.pending = row.pending.or(period.pending);
    }
    periods.into_values().collect()
}

impl From<KeptPeriod> for SeriesPeriod {
    fn from(kept: KeptPeriod) -> Self {
        Self { begun: kept.begun, work: kept.work, pending: Some(kept.pending) }
    }
}

impl SeriesPeriod {
    /// Work of which the users that wait are not known.
    pub(crate) fn without_users(begun: i64, work: Work) -> Self {
        Self { begun, work, pending: None }
    }
}

/// Number of users with a pass, on average over the period so far, rounded up.
pub(crate) fn active(period: &SeriesPeriod, step: i64, now: i64) -> u64 {
    let lasted = (now + 1 - period.begun).clamp(1, step).unsigned_abs();
    period.work.busy_seconds.div_ceil(lasted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_760_000_400;
    const HOUR: i64 = 3600;

    fn period(begun: i64, bytes: u64, waiting: Option<u64>) -> SeriesPeriod {
        let work = Work { bytes, messages: 1, busy_seconds: 30 };
        SeriesPeriod { begun, work, pending: waiting.map(|waiting| PendingUsers { waiting, failed: 0 }) }
    }

    #[test]
    fn the_finest_rows_that_are_kept_are_shown() {
        let (minute, quarter) = (Kept::Periods(60), Kept::Periods(900));
        // From, to and step, relative to now; expected from, step and rows.
        for (from, to, step, expected) in [
            (None, None, None, (-HOUR, 60, minute)),
            (None, None, Some(1), (1 - 600, 1, Kept::Seconds)),
            (Some(-300), None, None, (-300, 1, Kept::Seconds)),
            (Some(-300), None, Some(60), (-300, 60, minute)),
            (Some(-24 * HOUR), None, None, (-24 * HOUR, 900, quarter)),
            (Some(-24 * HOUR), Some(-23 * HOUR), None, (-24 * HOUR, 60, minute)),
            (Some(-30 * 24 * HOUR), None, Some(24 * HOUR), (-30 * 24 * HOUR, 24 * HOUR, quarter)),
        ] {
            let absolute = |time: Option<i64>| time.map(|time| NOW + time);
            let plan = plan(NOW, absolute(from), absolute(to), step).unwrap();
            let first = NOW + expected.0;
            let first = first - first.rem_euclid(expected.1);
            assert_eq!(
                (plan.from, plan.step, plan.kept),
                (first, expected.1, expected.2),
                "{from:?} {step:?}"
            );
        }
    }

    #[test]
    fn what_is_not_kept_is_refused() {
        for (from, to, step, words) in [
            (Some(0), Some(0), None, "From must be before To"),
            (Some(-700), None, Some(1), "Step 00:00:01 is possible for the last 00:10:00"),
            (Some(-72 * HOUR), None, Some(60), "Step 00:01:00 is possible for the last 2.00:00:00"),
            (None, None, Some(61), "Step must be less than a minute, or whole minutes"),
            (None, None, Some(0), "Step must be"),
            (Some(-NOW), None, Some(900), "Step is too short"),
        ] {
            let absolute = |time: Option<i64>| time.map(|time| NOW + time);
            let failure = plan(NOW, absolute(from), absolute(to), step).unwrap_err();
            assert!(failure.message.starts_with(words), "{failure}");
        }
    }

    #[test]
    fn rows_are_summed_and_users_counted_at_the_end() {
        let plan = SeriesPlan { from: 600, to: 1250, step: 300, kept: Kept::Periods(60) };
        let rows = [
            period(540, 9, Some(9)),
            period(600, 1, Some(5)),
            period(840, 2, Some(4)),
            period(900, 4, None),
            period(1260, 8, Some(8)),
        ];
        let sums = sums(&plan, rows);
        let shown: Vec<_> = sums
            .iter()
            .map(|it| (it.begun, it.work.bytes, it.work.messages, it.pending.map(|it| it.waiting)))
            .collect();
        assert_eq!(shown, [(600, 3, 2, Some(4)), (900, 4, 1, None)]);
        assert_eq!((active(&sums[0], 300, 5000), active(&sums[1], 300, 909)), (1, 3));
    }
}
