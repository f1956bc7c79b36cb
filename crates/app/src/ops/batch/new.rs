//! New-MigrationBatch.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use mailhaul_migration::{
    Batch, BatchIntent, BatchSettings, DEFAULT_REPORT_INTERVAL, DEFAULT_SYNC_INTERVAL, Deletions,
    GmailLabels, Guid, Limit,
};
use mailhaul_operations::{Answer, Bytes, Caller, DateTime, Failure, Noun, Operation, Role, TimeSpan, Verb};
use mailhaul_store::BatchFilter;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    endpoints::{batch_now, target},
    notification_checks,
    settings_checks::{self, RepairChoice},
    view::MigrationBatch,
};
use crate::{
    context::Context,
    ops::shared::{
        failures::{at, into_failure, unsupported},
        members,
        nouns::BATCH,
    },
    time_zones::{moment, zone},
};

pub(crate) struct NewMigrationBatch;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Unique name of the batch [max: 64 characters].
    name: String,
    /// CSV file of mailboxes [max: 50,000 rows, 10 MB].
    ///
    /// Columns: EmailAddress, UserName, Password; optional: UserRoot, TargetUserName,
    /// TargetPassword.
    #[serde(rename = "CSVData")]
    csv_data: Bytes,
    /// Endpoint that mail comes from.
    source_endpoint: String,
    /// Endpoint that mail goes to [default: the default target of Set-MigrationConfig].
    ///
    /// Write Archive for the archive in the data directory.
    target_endpoint: Option<String>,
    /// Starts the batch immediately.
    #[serde(default)]
    auto_start: bool,
    /// Time before which no mail is moved.
    start_after: Option<DateTime>,
    /// Time of the final sync; until then, mailboxes are kept in sync.
    complete_after: Option<DateTime>,
    /// Time zone for dates that are given without a time zone [default: UTC].
    ///
    /// It is an IANA or Windows name.
    time_zone: Option<String>,
    /// Folders to leave out: Name, Name/* with subfolders, or #DeletedItems#.
    #[serde(default)]
    exclude_folders: Vec<String>,
    /// Only these folders, written as in ExcludeFolders.
    #[serde(default)]
    include_folders: Vec<String>,
    /// Source and target folders, for example @{"Sent" = "Sent Items"}.
    ///
    /// Name/* includes all subfolders; - leaves a folder out.
    #[serde(default)]
    folder_map: BTreeMap<String, String>,
    /// Folder map as a CSV file with the columns Source and Target.
    ///
    /// Source is Name, or Name/* with all subfolders. Target is a folder; - or an empty cell leaves
    /// the folder out.
    folder_map_data: Option<Bytes>,
    /// Only messages that match, for example: Received -ge '2024-01-01'.
    ///
    /// Operators: -gt, -ge, -lt, -le, -eq and -ne with a date, joined by -and, -or, -not and
    /// parentheses.
    content_filter: Option<String>,
    /// Language of the dates in ContentFilter.
    ///
    /// 2024-12-31 is read in every language; 12/31/2024 only with en-US.
    content_filter_language: Option<String>,
    /// Ignores unknown CSV columns with a warning instead of refusing them.
    allow_unknown_columns_in_csv: Option<bool>,
    /// Runs incremental syncs after the first sync [default: $true].
    allow_incremental_syncs: Option<bool>,
    /// Time between incremental syncs [min: 00:01:00, default: 24:00:00].
    sync_interval: Option<TimeSpan>,
    /// Handling of copies whose message was deleted on the source [default: Keep].
    deletions: Option<Deletions>,
    /// Maximum share of a mailbox's copies that one sync removes, in percent [default: 10].
    ///
    /// Applies to Deletions Mirror. If it would remove more, the copies wait until a sync at least
    /// one hour later also misses their messages, or until you give ConfirmDeletions.
    #[schemars(range(max = 100))]
    max_deletion_percent: Option<u8>,
    /// Number of copies that one sync may remove, even if they are more than MaxDeletionPercent
    /// [default: 10].
    ///
    /// Applies to Deletions Mirror.
    max_deletion_count: Option<u64>,
    /// Copies the newest messages first.
    #[serde(default)]
    newest_first: bool,
    /// Maximum number of messages per folder; the newest are copied.
    #[schemars(range(min = 1))]
    max_items: Option<u64>,
    /// Maximum message size in bytes; larger messages are skipped and reported.
    #[schemars(range(min = 1))]
    max_message_size: Option<u64>,
    /// Edits allowed for messages that the target refuses [default: none].
    ///
    /// NulBytes, BareNewlines, LongLines, InvalidHeaders, MissingFinalNewline, or All. Without a
    /// matching edit, such messages are skipped and reported.
    #[serde(default)]
    repair: Vec<RepairChoice>,
    /// Handling of Gmail messages with several labels [default: Automatic].
    gmail_labels: Option<GmailLabels>,
    /// Addresses that get notifications and reports of the batch by mail.
    ///
    /// Set-MigrationConfig -SmtpServer names the server that takes the mail.
    #[serde(default)]
    notification_emails: Vec<String>,
    /// Time between two reports, 00:00:00 for none [min: 00:01:00, default: 24:00:00].
    report_interval: Option<TimeSpan>,
    /// Sends no reports; events are sent.
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
    const ABOUT: &'static str = "Makes a batch from a CSV file of mailboxes, and can start it.";
    const VIEW: &'static [&'static str] = &["Identity", "Status", "TotalCount", "ValidationWarningCount"];

    type Request = Request;
    type Response = MigrationBatch;

    async fn run(
        context: &Context,
        caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationBatch>, Failure> {
        const RETRY: &str =
            "Start-MigrationBatch retries the failed users of a batch; CSVData names the users.";
        unsupported(&[
            ("Users", !request.users.is_empty(), RETRY),
            ("UserIds", !request.user_ids.is_empty(), RETRY),
        ])?;
        let name = settings_checks::name(&request.name)?;
        let store = &context.store;
        let source = store.endpoints().get(&request.source_endpoint).await.map_err(at("SourceEndpoint"))?;
        let target = target(context, request.target_endpoint.as_deref()).await?;
        let ends = members::Ends { source, target: target.endpoint };
        let list = ends.users(&request.csv_data, request.allow_unknown_columns_in_csv, &HashSet::new())?;
        let auto_start = request.auto_start;
        let settings = request.settings()?;
        check_number(context).await?;
        let now = context.now();
        let batch = Batch {
            guid: Guid::new_v4(),
            name,
            source_endpoint: ends.source.guid,
            target_endpoint: ends.target.map(|it| it.guid),
            archive: target.archive,
            intent: if auto_start { BatchIntent::Run } else { BatchIntent::Created },
            settings,
            submitted_by: caller.name.clone(),
            validation_warnings: list.warnings,
            created: now,
            started: auto_start.then_some(now),
        };
        let emails = batch.settings.notification_emails.clone();
        let made = store.batches().insert(batch, list.users).await.map_err(into_failure)?;
        context.wake().await;
        let mut shown = batch_now(context, made.batch.guid).await?;
        notification_checks::warn(context, &emails, &mut shown).await?;
        Ok(Answer::one(shown))
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
                .map_or(Ok::<Duration, Failure>(DEFAULT_SYNC_INTERVAL), settings_checks::sync_interval)?,
            allow_incremental_syncs: self.allow_incremental_syncs.unwrap_or(true),
            include_folders: settings_checks::folders("IncludeFolders", self.include_folders)?,
            exclude_folders: settings_checks::folders("ExcludeFolders", self.exclude_folders)?,
            folder_map: settings_checks::folder_map(self.folder_map, self.folder_map_data.as_ref())?,
            content_filter: self.content_filter,
            deletions: self.deletions.unwrap_or_default(),
            max_deletion_percent: self.max_deletion_percent.unwrap_or(usual.max_deletion_percent),
            max_deletion_count: self.max_deletion_count.unwrap_or(usual.max_deletion_count),
            newest_first: self.newest_first,
            max_items: self.max_items,
            max_message_size: self.max_message_size,
            repairs: settings_checks::repairs(&self.repair),
            gmail_labels: self.gmail_labels.unwrap_or_default(),
            notification_emails: notification_checks::emails(self.notification_emails)?,
            report_interval: self.report_interval.map_or(
                Ok::<Duration, Failure>(DEFAULT_REPORT_INTERVAL),
                notification_checks::report_interval,
            )?,
            skip_reports: self.skip_reports,
        };
        settings_checks::check(&made, self.content_filter_language.as_deref())?;
        Ok(made)
    }
}

async fn check_number(context: &Context) -> Result<(), Failure> {
    let most = context.store.config().get().await.map_err(into_failure)?.max_number_of_batches;
    // Without a limit, the batches need not be counted.
    if most == Limit::Unlimited {
        return Ok(());
    }
    let present =
        context.store.batches().list(&BatchFilter::default()).await.map_err(into_failure)?.len() as u64;
    if most.allows(present) {
        return Ok(());
    }
    Err(Failure::conflict(format_args!(
        "{present} migration batches exist, and MaxNumberOfBatches is {most}"
    ))
    .with_advice("Remove completed batches, or raise the limit with Set-MigrationConfig."))
}
