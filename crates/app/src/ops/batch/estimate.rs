//! Estimated end of a batch's first sync, from what is left, rates and budgets of a day.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_engine::{Clock as _, Usage};
use mailhaul_migration::{BatchSettings, UserStatus};
use mailhaul_operations::Failure;
use mailhaul_store::{BatchOverview, KEPT_PERIODS, Work};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    context::Context, one_pass::SystemClock, ops::shared::failures::into_failure, service::forecast::Day,
};

const MINUTE: i64 = KEPT_PERIODS[0].0;
/// Windows whose rates are compared, in seconds.
const WINDOWS: [i64; 2] = [600, 3600];
/// Rates do not stay the same: the estimate is this much wider than they are, in percent.
const SPREAD: f64 = 0.2;
const DAY: Duration = Duration::from_hours(24);

/// Estimated time at which the first sync of all users ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EstimatedCompletion {
    /// Earliest time.
    low: Timestamp,
    /// Latest time.
    high: Timestamp,
}

/// Facts of an estimate.
#[derive(Clone, Debug, Default, PartialEq)]
struct Facts {
    /// Messages that are listed, and neither copied nor skipped.
    messages_left: u64,
    /// Users whose folders may not have been listed yet.
    unlisted_users: u64,
    /// Users whose folders were listed, and their messages.
    listed_users: u64,
    listed_messages: u64,
    /// Messages and bytes of the users so far.
    copied_messages: u64,
    copied_bytes: u64,
    /// Messages per second in each window.
    rates: Vec<f64>,
    /// Budgets of a day at the endpoints.
    days: Vec<Day>,
}

/// Returns the shortest and the longest time until the end; `None` if a fact is unknown.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn estimate(facts: &Facts) -> Option<(Duration, Duration)> {
    if facts.unlisted_users > 0 && facts.listed_users == 0 {
        return None;
    }
    // A user that waits may have been listed by an earlier pass, or be as large as the others.
    let usual = facts.listed_messages as f64 / facts.listed_users.max(1) as f64;
    let least = facts.messages_left as f64;
    let most = least + usual * facts.unlisted_users as f64;
    let fastest = facts.rates.iter().copied().reduce(f64::max).filter(|rate| *rate > 0.0)?;
    let slowest = facts.rates.iter().copied().reduce(f64::min).filter(|rate| *rate > 0.0)?;
    let mut low = seconds(least / fastest * (1.0 - SPREAD))?;
    let mut high = seconds(most / slowest * (1.0 + SPREAD))?;
    if !facts.days.is_empty() {
        if facts.copied_messages == 0 {
            return None;
        }
        let size = facts.copied_bytes as f64 / facts.copied_messages as f64;
        for day in &facts.days {
            // Bytes of a day become free hour by hour: the last part may wait for less than a whole day.
            low = low.max(DAY.checked_mul(days(least * size, *day)?.saturating_sub(1))?);
            high = high.max(DAY.checked_mul(days(most * size, *day)?)?.checked_add(high)?);
        }
    }
    (most > 0.0).then_some((low, high.max(low)))
}

/// Days that must end before these bytes are sent.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate, checked before"
)]
fn days(bytes: f64, day: Day) -> Option<u32> {
    let days = ((bytes - day.left as f64).max(0.0) / day.max.max(1) as f64).ceil();
    (days <= f64::from(u16::MAX)).then_some(days as u32)
}

fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

/// Rates of the windows that have enough work in them.
#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn rates(minutes: &[(i64, Work)], now: i64) -> Vec<f64> {
    let rate = |window: i64| {
        let seen: Vec<&(i64, Work)> = minutes.iter().filter(|(begun, _)| *begun >= now - window).collect();
        let first = seen.iter().map(|(begun, _)| *begun).min()?;
        let messages: u64 = seen.iter().map(|(_, work)| work.messages).sum();
        let lasted = now - first;
        // Less than two minutes say little.
        (lasted >= 2 * MINUTE).then(|| messages as f64 / lasted as f64)
    };
    WINDOWS.into_iter().filter_map(rate).collect()
}

/// True if a setting leaves out messages, so that the number of those left is unknown.
fn leaves_out(settings: &BatchSettings) -> bool {
    settings.content_filter.is_some() || settings.max_items.is_some() || settings.max_message_size.is_some()
}

/// Estimates the end of the batch's first sync; `None` if it does not run, or too little is known.
pub(crate) async fn of_batch(
    context: &Context,
    overview: &BatchOverview,
) -> Result<Option<EstimatedCompletion>, Failure> {
    let of = |status| overview.counts.of(status);
    let unlisted_users = of(UserStatus::Queued) + of(UserStatus::Validating);
    let batch = &overview.batch;
    if unlisted_users + of(UserStatus::Syncing) == 0 || leaves_out(&batch.settings) {
        return Ok(None);
    }
    let (store, now) = (&context.store, context.now());
    let second = now.as_second();
    let saved = store
        .throughput()
        .work(batch.guid, MINUTE, second - WINDOWS[1], second + 1)
        .await
        .map_err(into_failure)?;
    let saved = saved.into_iter().map(|minute| (minute.begun, minute.work));
    let minutes: Vec<(i64, Work)> = saved.chain(context.throughput.unsaved(batch.guid)).collect();
    let totals = &overview.totals;
    let facts = Facts {
        messages_left: totals.total_items.saturating_sub(totals.synced_items + totals.skipped_items),
        unlisted_users,
        listed_users: overview.counts.total().saturating_sub(unlisted_users),
        listed_messages: totals.total_items,
        copied_messages: totals.synced_items,
        copied_bytes: totals.bytes_transferred,
        rates: rates(&minutes, second),
        days: budgets(context, overview).await?,
    };
    let begin = store.jobs().parked(now).await.map_err(into_failure)?.into_iter().filter(|(endpoint, _)| {
        *endpoint == batch.source_endpoint || Some(*endpoint) == batch.target_endpoint
    });
    let begin = begin.map(|(_, parking)| parking.until).fold(now, Timestamp::max);
    Ok(estimate(&facts).and_then(|(low, high)| {
        Some(EstimatedCompletion { low: begin.checked_add(low).ok()?, high: begin.checked_add(high).ok()? })
    }))
}

/// Budgets of a day at the batch's endpoints.
async fn budgets(context: &Context, overview: &BatchOverview) -> Result<Vec<Day>, Failure> {
    let (store, batch) = (&context.store, &overview.batch);
    let mut days = Vec::new();
    for endpoint in [Some(batch.source_endpoint), batch.target_endpoint].into_iter().flatten() {
        let endpoint = store.endpoints().by_guid(endpoint).await.map_err(into_failure)?;
        let Some(max) = endpoint.rates.bytes_per_day else { continue };
        let first = Usage::first_hour(SystemClock.now());
        let used = store.jobs().usage(endpoint.guid, None, first).await.map_err(into_failure)?;
        let used: u64 = used.iter().map(|(_, bytes)| bytes).sum();
        days.push(Day { max, left: max.saturating_sub(used) });
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    fn facts() -> Facts {
        Facts {
            messages_left: 36_000,
            listed_users: 10,
            listed_messages: 50_000,
            copied_messages: 14_000,
            copied_bytes: 14_000_000_000,
            rates: vec![10.0],
            ..Facts::default()
        }
    }

    fn hours(facts: &Facts) -> Option<(f64, f64)> {
        let rounded = |span: Duration| (span.as_secs_f64() / 360.0).round() / 10.0;
        estimate(facts).map(|(low, high)| (rounded(low), rounded(high)))
    }

    #[test]
    fn the_estimate_follows_from_rates_and_what_is_left() {
        let table = [
            (facts(), Some((0.8, 1.2))),
            // Two rates make it wider.
            (Facts { rates: vec![10.0, 5.0], ..facts() }, Some((0.8, 2.4))),
            // Two users that may not be listed have 5,000 messages each, or none.
            (Facts { unlisted_users: 2, ..facts() }, Some((0.8, 1.5))),
            (Facts { messages_left: 0, unlisted_users: 2, ..facts() }, Some((0.0, 0.3))),
        ];
        for (facts, expected) in table {
            assert_eq!(hours(&facts), expected, "{facts:?}");
        }
    }

    #[test]
    fn budgets_of_a_day_move_it() {
        const GB: u64 = 1_000_000_000;
        let of_day = |max: u64, left: u64| Day { max: max * GB, left: left * GB };
        let table = [
            // 36 GB are left, and fit into today.
            (vec![of_day(100, 40)], Some((0.8, 1.2))),
            (vec![of_day(10, 10)], Some((48.0, 73.2))),
            (vec![of_day(10, 0)], Some((72.0, 97.2))),
            // The slower endpoint counts.
            (vec![of_day(100, 40), of_day(10, 10)], Some((48.0, 73.2))),
        ];
        for (days, expected) in table {
            assert_eq!(hours(&Facts { days: days.clone(), ..facts() }), expected, "{days:?}");
        }
    }

    #[test]
    fn what_is_unknown_is_not_invented() {
        let day = Day { max: 1, left: 1 };
        for unknown in [
            Facts { rates: Vec::new(), ..facts() },
            Facts { rates: vec![0.0], ..facts() },
            Facts { rates: vec![10.0, 0.0], ..facts() },
            Facts { listed_users: 0, unlisted_users: 5, ..facts() },
            Facts { messages_left: 0, ..facts() },
            Facts { days: vec![day], copied_messages: 0, ..facts() },
            // 100 million days.
            Facts { days: vec![day], ..facts() },
        ] {
            assert_eq!(estimate(&unknown), None, "{unknown:?}");
        }
        assert!(leaves_out(&BatchSettings { max_items: Some(5), ..BatchSettings::default() }));
        assert!(!leaves_out(&BatchSettings::default()));
    }

    #[test]
    fn rates_are_those_of_the_time_with_work() {
        let work = |messages| Work { bytes: 0, messages, busy_seconds: 60 };
        let now = 10 * HOUR.cast_signed();
        assert_eq!(rates(&[], now), Vec::<f64>::new());
        assert_eq!(rates(&[(now - 60, work(600))], now), Vec::<f64>::new(), "too short");
        let minutes = [(now - 1800, work(1800)), (now - 120, work(240))];
        let expected = [2.0, 2040.0 / 1800.0];
        assert!(
            rates(&minutes, now).iter().zip(expected).all(|(rate, expected)| (rate - expected).abs() < 1e-9)
        );
        assert_eq!(rates(&minutes, now).len(), 2);
    }
}
