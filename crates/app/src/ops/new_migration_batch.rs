//! New-MigrationBatch.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use mailhaul_migration::{
    Batch, BatchIntent, BatchSettings, DEFAULT_SYNC_INTERVAL, Deletions, GmailLabels, Guid, Limit,
};
use mailhaul_operations::{Answer, Bytes, Caller, DateTime, Failure, Noun, Operation, Role, TimeSpan, Verb};
use mailhaul_store::BatchFilter;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    batch_settings::{self as settings, NO_MAIL, RepairChoice},
    endpoints::{batch_now, target},
    failures::{told, unsupported},
    members,
    nouns::BATCH,
    views::MigrationBatch,
};
use crate::{
    context::Context,
    time_zones::{moment, zone},
};

/// Makes a batch.
pub(crate) struct NewMigrationBatch;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// The batch's name: at most 64 characters, and no other batch's.
    name: String,
    /// The CSV file of mailboxes: EmailAddress, UserName, Password, and where needed UserRoot, TargetUserName and
    /// TargetPassword. At most 50,000 rows and 10 MB.
    #[serde(rename = "CSVData")]
    csv_data: Bytes,
    /// The endpoint that mail comes from.
    source_endpoint: String,
    /// The endpoint that mail goes to, or Archive for the archive in the data directory; that of Set-MigrationConfig where
    /// nothing is said.
    target_endpoint: Option<String>,
    /// Starts the batch at once.
    #[serde(default)]
    auto_start: bool,
    /// No mail is moved before.
    start_after: Option<DateTime>,
    /// Mailboxes are kept in step until then; then the final sync is made.
    complete_after: Option<DateTime>,
    /// The zone of dates without one, as the IANA or Windows names it; UTC where nothing is said.
    time_zone: Option<String>,
    /// These folders are left out: Name, Name/* with all below, or a well-known one such as #DeletedItems#.
    #[serde(default)]
    exclude_folders: Vec<String>,
    /// Only these folders; the same forms.
    #[serde(default)]
    include_folders: Vec<String>,
    /// Folders that go to another name: @{"Sent" = "Sent Items"}; Name/* means all below too, and - leaves a folder out.
    #[serde(default)]
    folder_map: BTreeMap<String, String>,
    /// The same as a CSV file: Source, which is Name, or Name/* with all below, and Target, which is - or empty where the
    /// folder is left out.
    folder_map_data: Option<Bytes>,
    /// Only messages received then: Received with -gt, -ge, -lt, -le, -eq or -ne and a date, joined by -and, -or, -not and
    /// parentheses.
    content_filter: Option<String>,
    /// The language in which the filter is written. Dates are read as 2024-12-31, and as 12/31/2024 where it is en-US.
    content_filter_language: Option<String>,
    /// Whether columns that are not known are left out with a warning; otherwise they are refused.
    allow_unknown_columns_in_csv: Option<bool>,
    /// Whether later passes follow the first; $true where nothing is said.
    allow_incremental_syncs: Option<bool>,
    /// From one later pass to the next, at least 00:01:00; 24:00:00 where nothing is said.
    sync_interval: Option<TimeSpan>,
    /// What becomes of messages on the target that were deleted on the source; Keep where nothing is said.
    deletions: Option<Deletions>,
    /// With Deletions Mirror: percent of a mailbox's copies that one sync removes at most [default: 10]. More wait for a second
    /// sync an hour later, or for ConfirmDeletions.
    #[schemars(range(max = 100))]
    max_deletion_percent: Option<u8>,
    /// With Deletions Mirror: copies that one sync removes also where they are a larger share [default: 100].
    max_deletion_count: Option<u64>,
    /// The newest messages come first.
    #[serde(default)]
    newest_first: bool,
    /// Of each folder only so many of the newest messages.
    #[schemars(range(min = 1))]
    max_items: Option<u64>,
    /// Larger messages are skipped, and reported (octets).
    #[schemars(range(min = 1))]
    max_message_size: Option<u64>,
    /// What may be changed in messages that the target refuses: NulBytes, BareNewlines, LongLines, InvalidHeaders,
    /// MissingFinalNewline, or All. Nothing where nothing is said: such messages are skipped and reported.
    #[serde(default)]
    repair: Vec<RepairChoice>,
    /// What becomes of a message of Gmail that has several labels; Automatic where nothing is said.
    gmail_labels: Option<GmailLabels>,
    /// Not supported: no mail is sent.
    #[serde(default)]
    notification_emails: Vec<String>,
    /// Not supported: no mail is sent.
    report_interval: Option<TimeSpan>,
    /// Not supported: no mail is sent.
    #[serde(default)]
    skip_reports: bool,
    /// Not supported.
    #[serde(default)]
    users: Vec<String>,
    /// Not supported.
    #[serde(default)]
    user_ids: Vec<String>,
}

impl Operation<Context> for NewMigrationBatch {
    const VERB: Verb = Verb::New;
    const NOUN: Noun = BATCH;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str =
        "Makes a batch out of a CSV file of mailboxes, and starts it where that is asked for.";
    const VIEW: &'static [&'static str] = &["Identity", "Status", "TotalCount", "ValidationWarningCount"];

    type Request = Request;
    type Response = MigrationBatch;

    async fn run(
        context: &Context,
        caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationBatch>, Failure> {
        const RETRY: &str =
            "Start-MigrationBatch tries the failed users of a batch again; other users are named in CSVData.";
        unsupported(&[
            ("NotificationEmails", !request.notification_emails.is_empty(), NO_MAIL),
            ("ReportInterval", request.report_interval.is_some(), NO_MAIL),
            ("SkipReports", request.skip_reports, NO_MAIL),
            ("Users", !request.users.is_empty(), RETRY),
            ("UserIds", !request.user_ids.is_empty(), RETRY),
        ])?;
        let name = settings::name(&request.name)?;
        let store = &context.store;
        let source = store.endpoint(&request.source_endpoint).await.map_err(told)?;
        let list = members::read(&request.csv_data, request.allow_unknown_columns_in_csv, &source)?;
        let target = target(context, request.target_endpoint.as_deref()).await?;
        let list = members::fitting(list, &source, target.as_ref(), &HashSet::new())?;
        let auto_start = request.auto_start;
        let settings = request.settings()?;
        check_number(context).await?;
        let now = context.now();
        let batch = Batch {
            guid: Guid::new_v4(),
            name,
            source_endpoint: source.guid,
            target_endpoint: target.map(|it| it.guid),
            intent: if auto_start { BatchIntent::Run } else { BatchIntent::Created },
            settings,
            submitted_by: caller.name.clone(),
            validation_warnings: list.warnings,
            created: now,
            started: auto_start.then_some(now),
        };
        let made = store.insert_batch(batch, list.users).await.map_err(told)?;
        context.workers.nudge();
        Ok(Answer::one(batch_now(context, made.batch.guid).await?))
    }
}

impl Request {
    fn settings(self) -> Result<BatchSettings, Failure> {
        let zone = zone(self.time_zone.as_deref())?;
        let at =
            |parameter, date: Option<DateTime>| date.map(|date| moment(parameter, date, &zone)).transpose();
        let usual = BatchSettings::default();
        let made = BatchSettings {
            start_after: at("StartAfter", self.start_after)?,
            complete_after: at("CompleteAfter", self.complete_after)?,
            time_zone: self.time_zone,
            sync_interval: self
                .sync_interval
                .map_or(Ok::<Duration, Failure>(DEFAULT_SYNC_INTERVAL), settings::sync_interval)?,
            allow_incremental_syncs: self.allow_incremental_syncs.unwrap_or(true),
            include_folders: settings::folders("IncludeFolders", self.include_folders)?,
            exclude_folders: settings::folders("ExcludeFolders", self.exclude_folders)?,
            folder_map: settings::folder_map(self.folder_map, self.folder_map_data.as_ref())?,
            content_filter: self.content_filter,
            deletions: self.deletions.unwrap_or_default(),
            max_deletion_percent: self.max_deletion_percent.unwrap_or(usual.max_deletion_percent),
            max_deletion_count: self.max_deletion_count.unwrap_or(usual.max_deletion_count),
            newest_first: self.newest_first,
            max_items: self.max_items,
            max_message_size: self.max_message_size,
            repairs: settings::repairs(&self.repair),
            gmail_labels: self.gmail_labels.unwrap_or_default(),
        };
        settings::check(&made, self.content_filter_language.as_deref())?;
        Ok(made)
    }
}

async fn check_number(context: &Context) -> Result<(), Failure> {
    let most = context.store.config().await.map_err(told)?.max_number_of_batches;
    // Where there is no limit, nothing needs to be counted.
    if most == Limit::Unlimited {
        return Ok(());
    }
    let present = context.store.batches(&BatchFilter::default()).await.map_err(told)?.len() as u64;
    if most.allows(present) {
        return Ok(());
    }
    Err(Failure::conflict(format_args!(
        "there are {present} migration batches already, and MaxNumberOfBatches is {most}"
    ))
    .with_advice("Remove batches that are completed, or raise it with Set-MigrationConfig."))
}
