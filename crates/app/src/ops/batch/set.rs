//! Set-MigrationBatch.

use std::collections::BTreeMap;

use mailhaul_migration::{
    Batch, BatchIntent, BatchSettings, BatchStatus, Deletions, GmailLabels, Guid, UserList, UserStatus,
};
use mailhaul_operations::{
    Answer, Bytes, Caller, Change, DateTime, Failure, Noun, Operation, Role, TimeSpan, Verb,
};
use mailhaul_store::{BatchOverview, Due, Users};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    endpoints::{EndpointNames, batch_now},
    notification_checks,
    schedule::{Before, follow},
    settings_checks::{self, RepairChoice},
    view::MigrationBatch,
};
use crate::{
    context::Context,
    ops::shared::{
        confirm_deletions,
        failures::{at_least_one, changed_meanwhile, into_failure},
        members,
        nouns::BATCH,
        revision::{self, Versioned},
    },
    output::text,
    time_zones::{change, zone},
};

pub(crate) struct SetMigrationBatch;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
pub(crate) struct Request {
    /// Name or GUID of the batch.
    identity: String,
    /// Revision that the batch must have; otherwise nothing is changed.
    if_revision: Option<String>,
    /// Adds the users of CSVData.
    ///
    /// For a user who is already in the batch, the file replaces logins and passwords.
    #[serde(default)]
    add_users: bool,
    /// CSV file of mailboxes, with AddUsers.
    #[serde(rename = "CSVData")]
    csv_data: Option<Bytes>,
    /// Ignores unknown CSV columns with a warning instead of refusing them.
    allow_unknown_columns_in_csv: Option<bool>,
    /// Time before which no mail is moved; $null removes it.
    #[serde(default)]
    start_after: Change<DateTime>,
    /// Time of the final sync; $null waits for Complete-MigrationBatch.
    #[serde(default)]
    complete_after: Change<DateTime>,
    /// Time zone for dates that are given without a time zone; $null is UTC.
    ///
    /// It is an IANA or Windows name.
    #[serde(default)]
    time_zone: Change<String>,
    /// Starts a sync of all synced users now.
    #[serde(default)]
    sync_now: bool,
    /// Checks now whether all mailboxes can be opened.
    ///
    /// Get-MigrationUser -CheckFailed shows those that cannot.
    #[serde(default)]
    check_now: bool,
    /// Applies changed endpoint and batch settings to running passes.
    ///
    /// Otherwise they apply from the next pass on.
    #[serde(default)]
    update: bool,
    /// Approves the messages skipped so far.
    #[serde(default)]
    approve_skipped_items: bool,
    /// Lets the next sync remove copies whose removal waits for you.
    ///
    /// Their messages are gone from the source. The users' reports name the folders.
    #[serde(default)]
    confirm_deletions: bool,
    /// Runs incremental syncs after the first sync.
    allow_incremental_syncs: Option<bool>,
    /// Time between incremental syncs, counted from now [min: 00:01:00].
    sync_interval: Option<TimeSpan>,
    /// Folders to leave out.
    #[serde(default)]
    exclude_folders: Change<Vec<String>>,
    /// Only these folders.
    #[serde(default)]
    include_folders: Change<Vec<String>>,
    /// Target folders. Folders that were copied already keep their target.
    #[serde(default)]
    folder_map: Change<BTreeMap<String, String>>,
    /// Folder map as a CSV file with the columns Source and Target.
    ///
    /// FolderMap and FolderMapData together replace the whole map.
    folder_map_data: Option<Bytes>,
    /// Only messages that match.
    #[serde(default)]
    content_filter: Change<String>,
    /// Language of the dates in ContentFilter.
    content_filter_language: Option<String>,
    /// Handling of copies whose message was deleted on the source.
    deletions: Option<Deletions>,
    /// Maximum share of a mailbox's copies that one sync removes, in percent.
    ///
    /// Applies to Deletions Mirror. If it would remove more, the copies wait until a sync at least
    /// one hour later also misses their messages, or until you give ConfirmDeletions.
    #[schemars(range(max = 100))]
    max_deletion_percent: Option<u8>,
    /// Number of copies that one sync may remove, even if they are more than MaxDeletionPercent.
    ///
    /// Applies to Deletions Mirror.
    max_deletion_count: Option<u64>,
    /// Copies the newest messages first.
    newest_first: Option<bool>,
    /// Maximum number of messages per folder; the newest are copied.
    #[serde(default)]
    max_items: Change<u64>,
    /// Maximum message size in bytes; larger messages are skipped and reported.
    #[serde(default)]
    max_message_size: Change<u64>,
    /// Edits allowed for messages that the target refuses; $null for none.
    #[serde(default)]
    repair: Change<Vec<RepairChoice>>,
    /// Handling of Gmail messages with several labels.
    gmail_labels: Option<GmailLabels>,
    /// Addresses that get notifications and reports of the batch by mail; $null for none.
    #[serde(default)]
    notification_emails: Change<Vec<String>>,
    /// Time between two reports, 00:00:00 for none [min: 00:01:00].
    report_interval: Option<TimeSpan>,
    /// Sends no reports; events are sent.
    skip_reports: Option<bool>,
}

impl Operation<Context> for SetMigrationBatch {
    const VERB: Verb = Verb::Set;
    const NOUN: Noun = BATCH;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str =
        "Changes a batch, also while it runs: users, passwords, settings, or a sync now.";
    const VIEW: &'static [&'static str] = &["Identity", "Status", "Message"];

    type Request = Request;
    type Response = MigrationBatch;

    async fn run(
        context: &Context,
        _caller: &Caller,
        mut request: Request,
    ) -> Result<Answer<MigrationBatch>, Failure> {
        let overview = context.store.batches().get(&request.identity).await.map_err(into_failure)?;
        let guid = overview.batch.guid;
        check_revision(context, &overview, request.if_revision.as_deref()).await?;
        if request.sync_now {
            check_sync_now(&overview, overview.status(context.now()))?;
        }
        // All checks come before the first change.
        let file = request.file()?;
        let orders = Orders {
            sync_now: request.sync_now,
            update: request.update,
            approve: request.approve_skipped_items,
            confirm_deletions: request.confirm_deletions,
            check_now: request.check_now,
        };
        let columns = request.allow_unknown_columns_in_csv;
        let mut after = overview.batch.settings.clone();
        request.change(&mut after)?;
        let rows = match file {
            Some(file) => {
                let ends = members::ends_of(context, &overview.batch).await?;
                let known = members::addresses(context, guid).await?;
                Some(ends.users(&file, columns, &known)?)
            }
            None => None,
        };
        if after != overview.batch.settings {
            change_settings(context, &overview.batch, &after).await?;
        }
        let message = match rows {
            Some(list) => Some(add_users(context, guid, list).await?),
            None if orders.sync_now => {
                Some("its synced users are synced now, as connection slots become free".to_owned())
            }
            None => None,
        };
        orders.execute(context, guid).await?;
        let mut shown = batch_now(context, guid).await?;
        if let Some(message) = message {
            shown.message = message;
        }
        if after.notification_emails != overview.batch.settings.notification_emails {
            notification_checks::warn(context, &after.notification_emails, &mut shown).await?;
        }
        Ok(Answer::one(shown))
    }
}

/// Refuses a request that expects another revision.
async fn check_revision(
    context: &Context,
    overview: &BatchOverview,
    expected: Option<&str>,
) -> Result<(), Failure> {
    let batch = &overview.batch;
    let versioned = Versioned {
        what: format!("migration batch \"{}\"", batch.name),
        operation: "Set-MigrationBatch",
        names: vec![batch.name.clone(), batch.guid.to_string()],
        revision: revision::of_batch(batch),
    };
    if versioned.is_expected(expected) {
        return Ok(());
    }
    let current = EndpointNames::load(context).await?.show(overview.clone(), context.now());
    Err(versioned.refusal(context, &current).await)
}

/// Saves the settings, unless another caller changed them in the meantime.
async fn change_settings(context: &Context, batch: &Batch, after: &BatchSettings) -> Result<(), Failure> {
    let (expected, wanted) = (batch.settings.clone(), after.clone());
    let change = move |batch: &mut Batch| {
        if batch.settings == expected {
            batch.settings = wanted;
        }
    };
    let saved = context.store.batches().update(batch.guid, change).await.map_err(into_failure)?;
    if saved.settings != *after {
        return Err(changed_meanwhile("batch", &saved.name));
    }
    follow(context, batch.guid, Before::of(&batch.settings), after).await
}

/// Adds the users of the file, and returns a sentence with their number.
async fn add_users(context: &Context, batch: Guid, list: UserList) -> Result<String, Failure> {
    let store = &context.store;
    let warnings = list.warnings;
    let added = store.batches().add_users(batch, list.users, context.now()).await.map_err(into_failure)?;
    let left_out = added.left_out.len() + list.left_out;
    let warn = move |batch: &mut Batch| batch.validation_warnings.extend(warnings);
    store.batches().update(batch, warn).await.map_err(into_failure)?;
    Ok(format!(
        "{} added, {} updated, {} left out",
        text::count(added.added, "user was", "users were"),
        added.updated,
        text::count(left_out as u64, "row was", "rows were")
    ))
}

/// Orders to the batch's users and workers.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
struct Orders {
    sync_now: bool,
    update: bool,
    approve: bool,
    confirm_deletions: bool,
    check_now: bool,
}

impl Orders {
    async fn execute(&self, context: &Context, batch: Guid) -> Result<(), Failure> {
        let (store, users, now) = (&context.store, Users::OfBatch(batch), context.now());
        if self.approve {
            store.jobs().approve(users.clone(), now).await.map_err(into_failure)?;
        }
        if self.confirm_deletions {
            confirm_deletions::of_batch(context, batch).await?;
        }
        if self.sync_now {
            let statuses = vec![UserStatus::Synced, UserStatus::IncrementalFailed];
            store.jobs().reschedule(users.clone(), statuses, Due::At(now)).await.map_err(into_failure)?;
        }
        if self.check_now {
            store.checks().request(users, now).await.map_err(into_failure)?;
        }
        if self.update {
            context.restart_workers(batch).await;
        }
        context.wake().await;
        Ok(())
    }
}

impl Request {
    /// Returns the CSV file of the users to add.
    fn file(&mut self) -> Result<Option<Bytes>, Failure> {
        match (self.csv_data.take(), self.add_users) {
            (Some(file), true) => Ok(Some(file)),
            (None, false) => Ok(None),
            (None, true) => Err(Failure::invalid("AddUsers needs CSVData, the CSV file of the users")),
            (Some(_), false) => Err(Failure::invalid("CSVData needs AddUsers, because a file never replaces the list of users").with_advice(
                "-AddUsers adds the users of the file, and updates logins and passwords of users in the batch. \
                 Remove-MigrationUser removes a user.",
            )),
        }
    }

    fn change(self, settings: &mut BatchSettings) -> Result<(), Failure> {
        self.time_zone.apply(&mut settings.time_zone);
        let zone = zone(settings.time_zone.as_deref())?;
        change("StartAfter", self.start_after, &zone)?.apply(&mut settings.start_after);
        change("CompleteAfter", self.complete_after, &zone)?.apply(&mut settings.complete_after);
        settings.allow_incremental_syncs =
            self.allow_incremental_syncs.unwrap_or(settings.allow_incremental_syncs);
        if let Some(interval) = self.sync_interval {
            settings.sync_interval = settings_checks::sync_interval(interval)?;
        }
        let exclude = self.exclude_folders.try_map(|it| settings_checks::folders("ExcludeFolders", it))?;
        replace(exclude, &mut settings.exclude_folders);
        let include = self.include_folders.try_map(|it| settings_checks::folders("IncludeFolders", it))?;
        replace(include, &mut settings.include_folders);
        let file = self.folder_map_data;
        let map = match (self.folder_map, &file) {
            (Change::Keep | Change::Clear, Some(file)) => {
                Change::To(settings_checks::folder_map(BTreeMap::new(), Some(file))?)
            }
            (named, file) => named.try_map(|it| settings_checks::folder_map(it, file.as_ref()))?,
        };
        replace(map, &mut settings.folder_map);
        self.content_filter.apply(&mut settings.content_filter);
        settings.deletions = self.deletions.unwrap_or(settings.deletions);
        settings.max_deletion_percent = self.max_deletion_percent.unwrap_or(settings.max_deletion_percent);
        settings.max_deletion_count = self.max_deletion_count.unwrap_or(settings.max_deletion_count);
        settings.newest_first = self.newest_first.unwrap_or(settings.newest_first);
        self.max_items.try_map(|it| at_least_one("MaxItems", it, NO_LIMIT))?.apply(&mut settings.max_items);
        let size = self.max_message_size.try_map(|it| at_least_one("MaxMessageSize", it, NO_LIMIT))?;
        size.apply(&mut settings.max_message_size);
        let repairs = self.repair.try_map(|it| Ok::<_, Failure>(settings_checks::repairs(&it)))?;
        replace(repairs, &mut settings.repairs);
        settings.gmail_labels = self.gmail_labels.unwrap_or(settings.gmail_labels);
        replace(
            self.notification_emails.try_map(notification_checks::emails)?,
            &mut settings.notification_emails,
        );
        if let Some(interval) = self.report_interval {
            settings.report_interval = notification_checks::report_interval(interval)?;
        }
        settings.skip_reports = self.skip_reports.unwrap_or(settings.skip_reports);
        settings_checks::check(settings, self.content_filter_language.as_deref())
    }
}

/// Advice for a limit of 0.
const NO_LIMIT: &str = "Give $null to remove the limit.";

fn replace<T: Default>(change: Change<T>, setting: &mut T) {
    match change {
        Change::Keep => {}
        Change::Clear => *setting = T::default(),
        Change::To(value) => *setting = value,
    }
}

fn check_sync_now(overview: &BatchOverview, status: BatchStatus) -> Result<(), Failure> {
    let of = |status| overview.counts.of(status);
    let (why, advice) = if overview.batch.intent != BatchIntent::Run {
        (format!("its status is {status}"), "Start it with Start-MigrationBatch, which syncs too.")
    } else if of(UserStatus::Synced) + of(UserStatus::IncrementalFailed) > 0 {
        return Ok(());
    } else if of(UserStatus::IncrementalSyncing) > 0 {
        ("it is syncing already".to_owned(), "Repeat the command when its status is Synced.")
    } else {
        (
            "none of its users has the status Synced".to_owned(),
            "Get-MigrationUser shows the status of its users.",
        )
    };
    Err(Failure::conflict(format_args!(
        "the migration batch \"{}\" cannot be synced now: {why}",
        overview.batch.name
    ))
    .with_advice(advice))
}
