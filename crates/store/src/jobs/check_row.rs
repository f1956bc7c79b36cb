//! The columns of a user's check.

use mailhaul_migration::{MailboxCheck, Opening};

use crate::db::{columns::Cells, error::Fault};

/// Users who were checked and have a mailbox that cannot be opened.
pub(crate) const FAILED: &str =
    "check_due IS NULL AND (source_opening LIKE '{%' OR target_opening LIKE '{%')";

/// Reads the check from a row of the table.
pub(crate) fn check(cells: Cells<'_>) -> Result<MailboxCheck, Fault> {
    Ok(MailboxCheck {
        due: cells.time_if("check_due")?,
        attempts: cells.number("check_attempts")?,
        delay: cells.get("check_delay")?,
        checked: cells.time_if("checked")?,
        source: opening(cells, "source_opening")?,
        target: opening(cells, "target_opening")?,
    })
}

/// Reads an opening from its column.
pub(crate) fn opening(cells: Cells<'_>, column: &'static str) -> Result<Option<Opening>, Fault> {
    let known: Option<&str> = cells.get(column)?;
    known.map(serde_json::from_str).transpose().map_err(|_| Fault::Unreadable(column))
}

/// Serializes an opening for its column.
pub(crate) fn written(opening: &Opening) -> Result<String, Fault> {
    serde_json::to_string(opening).map_err(|it| Fault::Json("opening", it))
}
