//! Report of skipped messages, user by user.

use mailhaul_migration::{Batch, Guid, MigrationUser};
use mailhaul_operations::Failure;
use mailhaul_store::{Bookmark, SkippedMessage, UserFilter};

use crate::{
    context::Context,
    ops::shared::{
        failures::into_failure,
        report_file::{Part, bookmark, date, not_ours},
    },
};

/// Users per database query.
const USERS: u32 = 200;
/// Messages per database query.
const MESSAGES: u32 = 1000;

/// Start of a part: after these users, within this user, after this message.
#[derive(Default)]
pub(crate) struct ReportPosition {
    pub(crate) users: Option<Bookmark>,
    pub(crate) user: Option<Guid>,
    pub(crate) message: Option<Bookmark>,
}

impl ReportPosition {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let parts: Vec<&str> = text.split('.').collect();
        let [users, user, message] = parts.as_slice() else { return Err(not_ours()) };
        let optional = |text: &str| if text.is_empty() { Ok(None) } else { bookmark(text).map(Some) };
        let user = if user.is_empty() { None } else { Some(user.parse().map_err(|_| not_ours())?) };
        Ok(Self { users: optional(users)?, user, message: optional(message)? })
    }

    pub(crate) fn write(&self) -> String {
        let bookmark = |it: Option<Bookmark>| it.map(|it| it.to_string()).unwrap_or_default();
        let user = self.user.map(|it| it.to_string()).unwrap_or_default();
        format!("{}.{user}.{}", bookmark(self.users), bookmark(self.message))
    }
}

/// Writes messages until the part is full; returns the start of the next part.
pub(crate) async fn write(
    context: &Context,
    batch: &Batch,
    from: Option<&str>,
    part: &mut Part,
) -> Result<Option<String>, Failure> {
    let filter = UserFilter { batch: Some(batch.guid), ..UserFilter::default() };
    let mut place = from.map(ReportPosition::parse).transpose()?.unwrap_or_default();
    loop {
        let page = context.store.users().list(&filter, place.users, USERS).await.map_err(into_failure)?;
        // The user was removed meanwhile. Showing messages twice is better than omitting some.
        let begun = place.user.take().and_then(|guid| page.items.iter().position(|it| it.guid == guid));
        let mut message = place.message.take().filter(|_| begun.is_some());
        for user in page.items.iter().skip(begun.unwrap_or(0)).filter(|it| it.statistics.skipped_items > 0) {
            message = of_user(context, user, message, part).await?;
            if message.is_some() {
                let next = ReportPosition { users: place.users, user: Some(user.guid), message };
                return Ok(Some(next.write()));
            }
        }
        place.users = page.next;
        if place.users.is_none() {
            return Ok(None);
        }
        if part.is_full() {
            return Ok(Some(place.write()));
        }
    }
}

/// Writes the user's messages; returns the position if the part became full before their end.
async fn of_user(
    context: &Context,
    user: &MigrationUser,
    mut after: Option<Bookmark>,
    part: &mut Part,
) -> Result<Option<Bookmark>, Failure> {
    loop {
        let page = context
            .store
            .reports()
            .skipped_messages(user.guid, after, MESSAGES)
            .await
            .map_err(into_failure)?;
        for message in page.items {
            part.push(&row(user, message))?;
        }
        after = page.next;
        if after.is_none() || part.is_full() {
            return Ok(after);
        }
    }
}

fn row(user: &MigrationUser, message: SkippedMessage) -> [String; 9] {
    [
        user.row.to_string(),
        user.email_address.clone(),
        message.folder,
        message.uid.to_string(),
        message.subject.unwrap_or_default(),
        date(message.date),
        message.size.to_string(),
        message.kind,
        message.reason,
    ]
}
