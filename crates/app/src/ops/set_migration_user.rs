//! Set-MigrationUser.

use jiff::tz::TimeZone;
use mailhaul_migration::{BatchIntent, Endpoint, MigrationUser as User, StatusSummary, UserRow, UserStatus};
use mailhaul_operations::{
    Answer, Bytes, Caller, Change, Credential, DateTime, Failure, Noun, Operation, Role, Verb,
};
use mailhaul_store::{Due, UserTimes, Users};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    confirm_deletions, failures::told, get_migration_user::user_now, members, nouns::USER,
    views::MigrationUser,
};
use crate::{
    context::Context,
    time_zones::{change, zone},
};

/// Changes a user.
pub(crate) struct SetMigrationUser;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
pub(crate) struct Request {
    /// The user's e-mail address or GUID.
    identity: String,
    /// No mail of this user is moved before; $null for the batch's StartAfter.
    #[serde(default)]
    start_after: Change<DateTime>,
    /// This user completes then; $null for the batch's CompleteAfter.
    #[serde(default)]
    complete_after: Change<DateTime>,
    /// Carries over at once what is new.
    #[serde(default)]
    sync_now: bool,
    /// Opens both mailboxes at once, to see whether they can be; Get-MigrationUser shows what was found.
    #[serde(default)]
    check_now: bool,
    /// Approves what was skipped so far.
    #[serde(default)]
    approve_skipped_items: bool,
    /// Removes with the next sync the copies of messages that vanished from the source and wait to be removed; the user's
    /// report says which folders they are in.
    #[serde(default)]
    confirm_deletions: bool,
    /// A new login at the source.
    credential: Option<Credential>,
    /// A new login at the target.
    target_credential: Option<Credential>,
    /// New logins out of a CSV file with this user's row.
    #[serde(rename = "CSVData")]
    csv_data: Option<Bytes>,
}

impl Operation<Context> for SetMigrationUser {
    const VERB: Verb = Verb::Set;
    const NOUN: Noun = USER;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Changes a user: its times, its passwords; syncs it at once.";
    const VIEW: &'static [&'static str] = &["Identity", "BatchId", "Status", "StartAfter", "CompleteAfter"];

    type Request = Request;
    type Response = MigrationUser;

    async fn run(
        context: &Context,
        _caller: &Caller,
        mut request: Request,
    ) -> Result<Answer<MigrationUser>, Failure> {
        let store = &context.store;
        let user = store.user(&request.identity, None).await.map_err(told)?;
        let batch = store.batch_by_guid(user.batch).await.map_err(told)?;
        let zone = zone(batch.settings.time_zone.as_deref())?;
        let source = store.endpoint_by_guid(batch.source_endpoint).await.map_err(told)?;
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
            .with_advice("No mail of it is moved any more."));
        }
        if let Some(row) = row {
            store.add_users(batch.guid, vec![row], context.now()).await.map_err(told)?;
        }
        if let Some(times) = times {
            store.update_user(user.guid, move |it| *it = times).await.map_err(told)?;
            if times.start_after != user.start_after {
                let due = Due::AfterStart(context.now());
                let queued = vec![UserStatus::Queued];
                store.reschedule(Users::One(user.guid), queued, due).await.map_err(told)?;
            }
        }
        if request.approve_skipped_items {
            store.approve(Users::One(user.guid), context.now()).await.map_err(told)?;
        }
        if request.confirm_deletions {
            confirm_deletions::of_user(context, &user).await?;
        }
        if request.sync_now {
            let between = vec![UserStatus::Synced, UserStatus::IncrementalFailed];
            let due = Due::At(context.now());
            store.reschedule(Users::One(user.guid), between, due).await.map_err(told)?;
        }
        if request.check_now {
            store.request_checks(Users::One(user.guid), context.now()).await.map_err(told)?;
        }
        context.workers.nudge();
        Ok(Answer::one(user_now(context, user.guid).await?))
    }
}

impl Request {
    /// The user's times after the change; `None` where nothing changes.
    fn times(&self, user: &User, zone: &TimeZone) -> Result<Option<UserTimes>, Failure> {
        let before = UserTimes { start_after: user.start_after, complete_after: user.complete_after };
        let mut times = before;
        change("StartAfter", self.start_after, zone)?.apply(&mut times.start_after);
        change("CompleteAfter", self.complete_after, zone)?.apply(&mut times.complete_after);
        Ok((times != before).then_some(times))
    }

    /// The user's row with the new logins; `None` where they stay.
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
        // To the database, an address as login is one that nobody has given.
        let is_default = |it: &Credential| it.user_name == user.email_address;
        if target.as_ref().is_some_and(is_default) && user.target_user_name != user.email_address {
            return Err(Failure::conflict(format_args!(
                "the login at the target is {}, and cannot become the e-mail address again",
                user.target_user_name
            ))
            .with_advice(
                "Take the user out with Remove-MigrationUser, and add it with Set-MigrationBatch -AddUsers.",
            ));
        }
        let (user_name, password) = match source {
            Some(credential) => (credential.user_name, Some(credential.password)),
            // What is not given is kept.
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

/// The user's row in a file, which must be the only one.
fn of_file(file: &Bytes, user: &User, source: &Endpoint) -> Result<UserRow, Failure> {
    let mut rows = members::read(file, None, source)?.users;
    match (rows.pop(), rows.is_empty()) {
        (Some(row), true) if row.email_address.eq_ignore_ascii_case(&user.email_address) => Ok(row),
        _ => Err(Failure::invalid(format_args!(
            "CSVData must have one row, whose EmailAddress is {}",
            user.email_address
        ))
        .with_advice("For several users, give the file to Set-MigrationBatch -AddUsers.")),
    }
}

fn check_sync_now(user: &User, intent: BatchIntent) -> Result<(), Failure> {
    let is_between = matches!(user.status, UserStatus::Synced | UserStatus::IncrementalFailed);
    if is_between && intent == BatchIntent::Run {
        return Ok(());
    }
    let advice = if user.status.is_running() || user.status == UserStatus::Queued {
        "It is synced as soon as it has a place; Get-MigrationUserStatistics shows how far it is."
    } else {
        "Start it with Start-MigrationUser, or its batch with Start-MigrationBatch."
    };
    Err(Failure::conflict(format_args!(
        "the migration user \"{}\" cannot be synced now: its status is {}",
        user.email_address, user.status
    ))
    .with_advice(advice))
}
