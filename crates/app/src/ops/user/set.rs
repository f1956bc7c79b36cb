//! Set-MigrationUser.

use jiff::tz::TimeZone;
use mailhaul_migration::{BatchIntent, Endpoint, MigrationUser as User, StatusSummary, UserRow, UserStatus};
use mailhaul_operations::{
    Answer, Bytes, Caller, Change, Credential, DateTime, Failure, Noun, Operation, Role, Verb,
};
use mailhaul_store::{Due, UserTimes, Users};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{get::user_now, view::MigrationUser};
use crate::{
    context::Context,
    ops::shared::{confirm_deletions, failures::into_failure, members, nouns::USER},
    time_zones::{change, zone},
};

pub(crate) struct SetMigrationUser;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
pub(crate) struct Request {
    /// E-mail address or GUID of the user.
    identity: String,
    /// Time before which no mail is moved; $null for the batch's StartAfter.
    #[serde(default)]
    start_after: Change<DateTime>,
    /// Time of the user's final sync; $null for the batch's CompleteAfter.
    #[serde(default)]
    complete_after: Change<DateTime>,
    /// Syncs the user now.
    #[serde(default)]
    sync_now: bool,
    /// Checks now whether both mailboxes can be opened.
    ///
    /// Get-MigrationUser shows the result.
    #[serde(default)]
    check_now: bool,
    /// Approves the messages skipped so far.
    #[serde(default)]
    approve_skipped_items: bool,
    /// Lets the next sync remove copies whose removal waits for you.
    ///
    /// Their messages are gone from the source. The user's report names the folders.
    #[serde(default)]
    confirm_deletions: bool,
    /// New login at the source.
    credential: Option<Credential>,
    /// New login at the target.
    target_credential: Option<Credential>,
    /// CSV file with this user's row, for new logins.
    #[serde(rename = "CSVData")]
    csv_data: Option<Bytes>,
}

impl Operation<Context> for SetMigrationUser {
    const VERB: Verb = Verb::Set;
    const NOUN: Noun = USER;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Changes a user's times and logins, or syncs it now.";
    const VIEW: &'static [&'static str] = &["Identity", "BatchId", "Status", "StartAfter", "CompleteAfter"];

    type Request = Request;
    type Response = MigrationUser;

    async fn run(
        context: &Context,
        _caller: &Caller,
        mut request: Request,
    ) -> Result<Answer<MigrationUser>, Failure> {
        let store = &context.store;
        let user = store.users().get(&request.identity, None).await.map_err(into_failure)?;
        let batch = store.batches().by_guid(user.batch).await.map_err(into_failure)?;
        let zone = zone(batch.settings.time_zone.as_deref())?;
        let source = store.endpoints().by_guid(batch.source_endpoint).await.map_err(into_failure)?;
        let row = request.row(&user, &source)?;
        let times = request.times(&user, &zone)?;
        if request.sync_now {
            check_sync_now(&user, batch.intent)?;
        }
        if request.check_now && user.status.summary() == StatusSummary::Completed {
            return Err(Failure::conflict(format_args!(
                "the migration user \"{}\" is not checked: its status is {}",
                user.email_address, user.status
            ))
            .with_advice("No mail of this user is moved any more."));
        }
        if let Some(row) = row {
            store.batches().add_users(batch.guid, vec![row], context.now()).await.map_err(into_failure)?;
        }
        if let Some(times) = times {
            store.users().update(user.guid, move |it| *it = times).await.map_err(into_failure)?;
            if times.start_after != user.start_after {
                let due = Due::AfterStart(context.now());
                let queued = vec![UserStatus::Queued];
                store.jobs().reschedule(Users::One(user.guid), queued, due).await.map_err(into_failure)?;
            }
        }
        if request.approve_skipped_items {
            store.jobs().approve(Users::One(user.guid), context.now()).await.map_err(into_failure)?;
        }
        if request.confirm_deletions {
            confirm_deletions::of_user(context, &user).await?;
        }
        if request.sync_now {
            let between = vec![UserStatus::Synced, UserStatus::IncrementalFailed];
            let due = Due::At(context.now());
            store.jobs().reschedule(Users::One(user.guid), between, due).await.map_err(into_failure)?;
        }
        if request.check_now {
            store.checks().request(Users::One(user.guid), context.now()).await.map_err(into_failure)?;
        }
        context.wake().await;
        Ok(Answer::one(user_now(context, user.guid).await?))
    }
}

impl Request {
    /// Times of the user after the change; `None` if nothing changes.
    fn times(&self, user: &User, zone: &TimeZone) -> Result<Option<UserTimes>, Failure> {
        let before = UserTimes { start_after: user.start_after, complete_after: user.complete_after };
        let mut times = before;
        change("StartAfter", self.start_after, zone)?.apply(&mut times.start_after);
        change("CompleteAfter", self.complete_after, zone)?.apply(&mut times.complete_after);
        Ok((times != before).then_some(times))
    }

    /// Row of the user with the new logins; `None` if they stay.
    fn row(&mut self, user: &User, endpoint: &Endpoint) -> Result<Option<UserRow>, Failure> {
        let (source, target) = (self.credential.take(), self.target_credential.take());
        if let Some(file) = self.csv_data.take() {
            if source.is_some() || target.is_some() {
                return Err(Failure::invalid("either CSVData or credentials can be given, not both"));
            }
            return of_file(&file, user, endpoint).map(Some);
        }
        if source.is_none() && target.is_none() {
            return Ok(None);
        }
        // The database takes a login equal to the address for one that was not given.
        let is_default = |it: &Credential| it.user_name == user.email_address;
        if target.as_ref().is_some_and(is_default) && user.target_user_name != user.email_address {
            return Err(Failure::conflict(format_args!(
                "the login at the target is {}; it cannot become the e-mail address again",
                user.target_user_name
            ))
            .with_advice(
                "Remove the user with Remove-MigrationUser, then add it with Set-MigrationBatch -AddUsers.",
            ));
        }
        let (user_name, password) = match source {
            Some(credential) => (credential.user_name, Some(credential.password)),
            // Values that are not given stay.
            None => (user.user_name.clone(), None),
        };
        let (target_user_name, target_password) = match target {
            Some(credential) => (credential.user_name, Some(credential.password)),
            None => (user.target_user_name.clone(), None),
        };
        Ok(Some(UserRow {
            row: usize::try_from(user.row).unwrap_or(usize::MAX),
            email_address: user.email_address.clone(),
            user_name,
            password,
            user_root: None,
            target_user_name,
            target_password,
        }))
    }
}

/// Returns the only row of the file, which must be the user's.
fn of_file(file: &Bytes, user: &User, source: &Endpoint) -> Result<UserRow, Failure> {
    let mut rows = members::read(file, source)?.users;
    match (rows.pop(), rows.is_empty()) {
        (Some(row), true) if row.email_address.eq_ignore_ascii_case(&user.email_address) => Ok(row),
        _ => Err(Failure::invalid(format_args!(
            "CSVData must have one row, whose EmailAddress is {}",
            user.email_address
        ))
        .with_advice("For several users, use Set-MigrationBatch -AddUsers.")),
    }
}

fn check_sync_now(user: &User, intent: BatchIntent) -> Result<(), Failure> {
    let is_between = matches!(user.status, UserStatus::Synced | UserStatus::IncrementalFailed);
    if is_between && intent == BatchIntent::Run {
        return Ok(());
    }
    let advice = if user.status.is_running() || user.status == UserStatus::Queued {
        "It is synced as soon as a connection slot is free; Get-MigrationUserStatistics shows its progress."
    } else {
        "Start it with Start-MigrationUser, or its batch with Start-MigrationBatch."
    };
    Err(Failure::conflict(format_args!(
        "the migration user \"{}\" cannot be synced now: its status is {}",
        user.email_address, user.status
    ))
    .with_advice(advice))
}
