//! Checks of the notification settings of New- and Set-MigrationBatch.

use std::time::Duration;

use mailhaul_migration::MIN_REPORT_INTERVAL;
use mailhaul_operations::{Failure, TimeSpan};

use super::view::MigrationBatch;
use crate::{context::Context, ops::shared::failures::into_failure};

/// Maximum number of addresses of a batch.
const MAX_EMAILS: usize = 50;

/// Checks the addresses, and removes repeats.
pub(crate) fn emails(emails: Vec<String>) -> Result<Vec<String>, Failure> {
    let mut checked: Vec<String> = Vec::new();
    for email in emails {
        let email = email.trim().to_owned();
        address("NotificationEmails", &email)?;
        if !checked.iter().any(|known| known.eq_ignore_ascii_case(&email)) {
            checked.push(email);
        }
    }
    if checked.len() > MAX_EMAILS {
        return Err(Failure::invalid(format_args!(
            "NotificationEmails has {} addresses, and {MAX_EMAILS} are possible",
            checked.len()
        ))
        .with_advice("Give the address of a distribution list."));
    }
    Ok(checked)
}

/// Adds a warning to the message of a batch if no mail can go to its addresses.
pub(crate) async fn warn(
    context: &Context,
    emails: &[String],
    shown: &mut MigrationBatch,
) -> Result<(), Failure> {
    if !emails.is_empty()
        && context.store.config().get().await.map_err(into_failure)?.notifications.smtp.is_none()
    {
        shown.message.push_str(
            "; NotificationEmails get no mail: Set-MigrationConfig -SmtpServer names the server that takes it",
        );
    }
    Ok(())
}

/// Refuses a text that is no e-mail address.
pub(crate) fn address(parameter: &str, text: &str) -> Result<(), Failure> {
    text.parse::<lettre::Address>()
        .map(drop)
        .map_err(|_| Failure::invalid(format_args!("{parameter}: \"{text}\" is no e-mail address")))
}

/// Checks the interval between reports.
pub(crate) fn report_interval(interval: TimeSpan) -> Result<Duration, Failure> {
    if interval.0.is_zero() || interval.0 >= MIN_REPORT_INTERVAL {
        return Ok(interval.0);
    }
    Err(Failure::invalid(format_args!(
        "ReportInterval must be 00:00:00 or at least {}; it is {interval}",
        TimeSpan(MIN_REPORT_INTERVAL)
    )))
}
