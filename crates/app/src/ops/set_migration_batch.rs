//! Set-MigrationBatch.

use std::collections::BTreeMap;

use mailhaul_migration::{
    Batch, BatchIntent, BatchSettings, BatchStatus, Deletions, GmailLabels, UserStatus,
};
use mailhaul_operations::{
    Answer, Bytes, Caller, Change, DateTime, Failure, Noun, Operation, Role, TimeSpan, Verb,
};
use mailhaul_store::{BatchOverview, Due, Users};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    batch_settings::{self as settings, NO_MAIL, RepairChoice},
    confirm_deletions,
    endpoints::batch_now,
    failures::{at_least_one, changed_meanwhile, told, unsupported},
    members,
    nouns::BATCH,
    schedule::{Before, follow},
    views::MigrationBatch,
};
use crate::{
    context::Context,
    service::Ending,
    text,
    time_zones::{change, zone},
};

/// Changes a batch.
pub(crate) struct SetMigrationBatch;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
pub(crate) struct Request {
    /// The batch's name or GUID.
    identity: String,
    /// Adds the users of CSVData; of those who are in the batch already, logins and passwords become those of the file.
    #[serde(default)]
    add_users: bool,
    /// With AddUsers: a CSV file of mailboxes.
    #[serde(rename = "CSVData")]
    csv_data: Option<Bytes>,
    /// Whether columns that are not known are left out with a warning; otherwise they are refused.
    allow_unknown_columns_in_csv: Option<bool>,
    /// No mail is moved before; $null for at once.
    #[serde(default)]
    start_after: Change<DateTime>,
    /// Mailboxes are kept in step until then; $null for until Complete-MigrationBatch.
    #[serde(default)]
    complete_after: Change<DateTime>,
    /// The zone of dates without one, as the IANA or Windows names it; $null for UTC.
    #[serde(default)]
    time_zone: Change<String>,
    /// Carries over at once what is new, for users who are synced.
    #[serde(default)]
    sync_now: bool,
    /// Opens all mailboxes at once, to see whether they can be; Get-MigrationUser -CheckFailed shows those that cannot.
    #[serde(default)]
    check_now: bool,
    /// Users under way go on with the settings of endpoints and batch as they are now, instead of from the next pass on.
    #[serde(default)]
    update: bool,
    /// Approves what was skipped so far.
    #[serde(default)]
    approve_skipped_items: bool,
    /// Removes with the next sync the copies of messages that vanished from the source and wait to be removed; the users'
    /// reports say which folders they are in.
    #[serde(default)]
    confirm_deletions: bool,
    /// Whether later passes follow the first.
    allow_incremental_syncs: Option<bool>,
    /// From one later pass to the next, at least 00:01:00; counted from now.
    sync_interval: Option<TimeSpan>,
    /// These folders are left out.
    #[serde(default)]
    exclude_folders: Change<Vec<String>>,
    /// Only these folders.
    #[serde(default)]
    include_folders: Change<Vec<String>>,
    /// Folders that go to another name; those that were copied already stay where they are.
    #[serde(default)]
    folder_map: Change<BTreeMap<String, String>>,
    /// The same as a CSV file with the columns Source and Target; both together replace the map that there is.
    folder_map_data: Option<Bytes>,
    /// Only messages received then.
    #[serde(default)]
    content_filter: Change<String>,
    /// The language in which the filter is written.
    content_filter_language: Option<String>,
    /// What becomes of messages on the target that were deleted on the source.
    deletions: Option<Deletions>,
    /// With Deletions Mirror: percent of a mailbox's copies that one sync removes at most. More wait for a second sync an hour
    /// later, or for ConfirmDeletions.
    #[schemars(range(max = 100))]
    max_deletion_percent: Option<u8>,
    /// With Deletions Mirror: copies that one sync removes also where they are a larger share.
    max_deletion_count: Option<u64>,
    /// Whether the newest messages come first.
    newest_first: Option<bool>,
    /// Of each folder only so many of the newest messages.
    #[serde(default)]
    max_items: Change<u64>,
    /// Larger messages are skipped, and reported (octets).
    #[serde(default)]
    max_message_size: Change<u64>,
    /// What may be changed in messages that the target refuses; $null for nothing.
    #[serde(default)]
    repair: Change<Vec<RepairChoice>>,
    /// What becomes of a message of Gmail that has several labels.
    gmail_labels: Option<GmailLabels>,
    /// Not supported: no mail is sent.
    #[serde(default)]
    notification_emails: Vec<String>,
    /// Not supported: no mail is sent.
    report_interval: Option<TimeSpan>,
    /// Not supported: no mail is sent.
    #[serde(default)]
    skip_reports: bool,
}

impl Operation<Context> for SetMigrationBatch {
    const VERB: Verb = Verb::Set;
    const NOUN: Noun = BATCH;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Changes a batch, also while it runs: adds users, gives them new passwords, changes settings, syncs \
                                 at once.";
    const VIEW: &'static [&'static str] = &["Identity", "Status", "Message"];

    type Request = Request;
    type Response = MigrationBatch;

    async fn run(
        context: &Context,
        _caller: &Caller,
        mut request: Request,
    ) -> Result<Answer<MigrationBatch>, Failure> {
        unsupported(&[
            ("NotificationEmails", !request.notification_emails.is_empty(), NO_MAIL),
            ("ReportInterval", request.report_interval.is_some(), NO_MAIL),
            ("SkipReports", request.skip_reports, NO_MAIL),
        ])?;
        let store = &context.store;
        let overview = store.batch(&request.identity).await.map_err(told)?;
        let guid = overview.batch.guid;
        if request.sync_now {
            check_sync_now(&overview, overview.status(context.now()))?;
        }
        // Everything that can be wrong is looked at before anything is changed.
        let file = request.file()?;
        let request_checks = request.check_now;
        let (sync_now, update, approve) = (request.sync_now, request.update, request.approve_skipped_items);
        let confirm_deletions = request.confirm_deletions;
        let columns = request.allow_unknown_columns_in_csv;
        let mut after = overview.batch.settings.clone();
        request.change(&mut after)?;
        let rows = match file {
            Some(file) => {
                let (source, target) = members::endpoints_of(context, &overview.batch).await?;
                let list = members::read(&file, columns, &source)?;
                let known = members::addresses(context, guid).await?;
                Some(members::fitting(list, &source, target.as_ref(), &known)?)
            }
            None => None,
        };
        let before = Before::of(&overview.batch.settings);
        if after != overview.batch.settings {
            let (expected, wanted) = (overview.batch.settings.clone(), after.clone());
            let change = move |it: &mut Batch| {
                if it.settings == expected {
                    it.settings = wanted;
                }
            };
            let kept = store.update_batch(guid, change).await.map_err(told)?;
            if kept.settings != after {
                return Err(changed_meanwhile("batch", &kept.name));
            }
            follow(context, guid, before, &after).await?;
        }
        let mut message = None;
        if let Some(list) = rows {
            let warnings = list.warnings;
            let added = store.add_users(guid, list.users, context.now()).await.map_err(told)?;
            let left_out = added.left_out.len() + warnings.len();
            store
                .update_batch(guid, move |it| it.validation_warnings.extend(warnings))
                .await
                .map_err(told)?;
            message = Some(format!(
                "{} added, {} updated, {} left out",
                text::count(added.added, "user was", "users were"),
                added.updated,
                text::count(left_out as u64, "row was", "rows were")
            ));
        }
        if approve {
            store.approve(Users::OfBatch(guid), context.now()).await.map_err(told)?;
        }
        if confirm_deletions {
            confirm_deletions::of_batch(context, guid).await?;
        }
        if sync_now {
            let at_once = Due::At(context.now());
            let whom = vec![UserStatus::Synced, UserStatus::IncrementalFailed];
            store.reschedule(Users::OfBatch(guid), whom, at_once).await.map_err(told)?;
        }
        if request_checks {
            store.request_checks(Users::OfBatch(guid), context.now()).await.map_err(told)?;
        }
        if update {
            context.workers.end_batch(guid, Ending::Preempted);
        }
        context.workers.nudge();
        let mut shown = batch_now(context, guid).await?;
        if let Some(message) = message {
            shown.message = message;
        }
        Ok(Answer::one(shown))
    }
}

impl Request {
    /// The users that are to be added.
    fn file(&mut self) -> Result<Option<Bytes>, Failure> {
        match (self.csv_data.take(), self.add_users) {
            (Some(file), true) => Ok(Some(file)),
            (None, false) => Ok(None),
            (None, true) => Err(Failure::invalid("AddUsers needs CSVData, the file of the users")),
            (Some(_), false) => Err(Failure::invalid("CSVData needs AddUsers: the list of users is not replaced").with_advice(
                "With -AddUsers, users of the file are added, and those who are in the batch get its logins and passwords; \
                 Remove-MigrationUser takes one out.",
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
            settings.sync_interval = settings::sync_interval(interval)?;
        }
        let exclude = self.exclude_folders.try_map(|it| settings::folders("ExcludeFolders", it))?;
        replace(exclude, &mut settings.exclude_folders);
        let include = self.include_folders.try_map(|it| settings::folders("IncludeFolders", it))?;
        replace(include, &mut settings.include_folders);
        let file = self.folder_map_data;
        let map = match (self.folder_map, &file) {
            (Change::Keep | Change::Clear, Some(file)) => {
                Change::To(settings::folder_map(BTreeMap::new(), Some(file))?)
            }
            (named, file) => named.try_map(|it| settings::folder_map(it, file.as_ref()))?,
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
        let repairs = self.repair.try_map(|it| Ok::<_, Failure>(settings::repairs(&it)))?;
        replace(repairs, &mut settings.repairs);
        settings.gmail_labels = self.gmail_labels.unwrap_or(settings.gmail_labels);
        settings::check(settings, self.content_filter_language.as_deref())
    }
}

/// How a limit is taken away.
const NO_LIMIT: &str = "With $null there is no limit.";

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
        (format!("its status is {status}"), "Start it with Start-MigrationBatch: that syncs too.")
    } else if of(UserStatus::Synced) + of(UserStatus::IncrementalFailed) > 0 {
        return Ok(());
    } else if of(UserStatus::IncrementalSyncing) > 0 {
        ("it is syncing already".to_owned(), "Give the order again when its status is Synced.")
    } else {
        ("none of its users is synced and waits".to_owned(), "Get-MigrationUser shows where its users stand.")
    };
    Err(Failure::conflict(format_args!(
        "the migration batch \"{}\" cannot be synced now: {why}",
        overview.batch.name
    ))
    .with_advice(advice))
}
