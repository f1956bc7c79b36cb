//! Filters of users.

use jiff::Timestamp;
use mailhaul_migration::{FailureClass, Guid, StatusSummary, UserStatus};
use strum::VariantArray;

use crate::{
    db::{columns::millis, sql::Builder},
    jobs::check_row,
};

/// A filter of users. The default selects all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Only this user.
    pub user: Option<Guid>,
    pub batch: Option<Guid>,
    /// Users with one of these statuses; empty for all.
    pub statuses: Vec<UserStatus>,
    /// Users with a status of this kind.
    pub summary: Option<StatusSummary>,
    /// Only users with a failed mailbox check.
    pub failed_check: bool,
    /// Users whose last pass failed or was interrupted with one of these classes; empty for all.
    pub classes: Vec<FailureClass>,
    /// Users whose pass was due at this time and has not begun.
    pub waiting_at: Option<Timestamp>,
    /// Only users with skipped messages.
    pub has_skipped: bool,
    /// Text in an address, a login or a failure, without regard to case.
    pub search: Option<String>,
}

impl UserFilter {
    /// Adds the conditions to a query of users that has one already.
    pub(crate) fn push(&self, query: &mut Builder) {
        if let Some(user) = self.user {
            query.push(" AND guid = ").push_bind(user);
        }
        if let Some(batch) = self.batch {
            query.push(" AND batch = ").push_bind(batch);
        }
        if !self.statuses.is_empty() || self.summary.is_some() {
            let wanted = UserStatus::VARIANTS.iter().filter(|status| {
                (self.statuses.is_empty() || self.statuses.contains(status))
                    && self.summary.is_none_or(|it| it == status.summary())
            });
            let wanted: Vec<String> = wanted.map(ToString::to_string).collect();
            query.push(" AND status IN (SELECT value FROM json_each(").push_bind(wanted).push("))");
        }
        if self.failed_check {
            query.push(" AND ").push(check_row::FAILED);
        }
        if !self.classes.is_empty() {
            let wanted: Vec<String> = self.classes.iter().map(ToString::to_string).collect();
            query.push(" AND failure_class IN (SELECT value FROM json_each(").push_bind(wanted).push("))");
        }
        if let Some(now) = self.waiting_at {
            query.push(" AND lease_until IS NULL AND due <= ").push_bind(millis(now));
        }
        if self.has_skipped {
            query.push(" AND skipped_items > 0");
        }
        if let Some(search) = &self.search {
            let pattern = like(search);
            query.push(" AND (email_key LIKE ").push_bind(pattern.clone());
            query.push(" ESCAPE '!' OR lower(user_name) LIKE ").push_bind(pattern.clone());
            query.push(" ESCAPE '!' OR lower(target_user_name) LIKE ").push_bind(pattern.clone());
            query.push(" ESCAPE '!' OR lower(failure_message) LIKE ").push_bind(pattern).push(" ESCAPE '!')");
        }
    }
}

/// Returns the pattern of texts that contain this one.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.to_ascii_lowercase().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
