//! Export-MigrationReport.

use mailhaul_migration::{Batch, MigrationUser};
use mailhaul_operations::{Answer, Caller, Continuation, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::UserFilter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::report_columns::{Kind, columns, errors_row, statistics_row};
use crate::{
    context::Context,
    ops::{
        shared::{
            failures::into_failure,
            nouns::REPORT,
            report_file::{Part, bookmark},
        },
        user::skipped_report_rows,
    },
};

/// Users per database query.
const PAGE: u32 = 1000;

/// CSV file, or a part of one.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationReport {
    /// Suggested name of the file.
    pub(crate) file_name: String,
    /// Text of the file. The parts of a long report must be appended to each other.
    pub(crate) content: String,
}

pub(crate) struct ExportMigrationReport;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the batch.
    identity: String,
    /// Report to write [default: Statistics].
    kind: Option<Kind>,
    /// Begins the file with a byte order mark, by which some spreadsheets recognise UTF-8.
    #[serde(default)]
    with_byte_order_mark: bool,
    /// Start of the next part.
    continuation: Option<Continuation>,
}

impl Operation<Context> for ExportMigrationReport {
    const VERB: Verb = Verb::Export;
    const NOUN: Noun = REPORT;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str =
        "Writes a report of a batch as a CSV file: statistics, errors, or skipped messages.";
    const VIEW: &'static [&'static str] = &["FileName"];

    type Request = Request;
    type Response = MigrationReport;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationReport>, Failure> {
        let batch = context.store.batches().get(&request.identity).await.map_err(into_failure)?.batch;
        let kind = request.kind.unwrap_or_default();
        let mut part = match request.continuation {
            None => Part::first(columns(kind), request.with_byte_order_mark)?,
            Some(_) => Part::further(),
        };
        let from = request.continuation.as_ref().map(|it| it.0.as_str());
        let next = match kind {
            Kind::Statistics => statistics(context, &batch, from, &mut part).await?,
            Kind::Errors => errors(context, &batch, from, &mut part).await?,
            Kind::SkippedItems => skipped_report_rows::write(context, &batch, from, &mut part).await?,
        };
        let file_name = format!("{}-{kind:?}.csv", file_name(&batch.name));
        Ok(Answer::page(vec![MigrationReport { file_name, content: part.into_text()? }], next))
    }
}

async fn statistics(
    context: &Context,
    batch: &Batch,
    from: Option<&str>,
    part: &mut Part,
) -> Result<Option<String>, Failure> {
    let filter = UserFilter { batch: Some(batch.guid), ..UserFilter::default() };
    let mut after = from.map(bookmark).transpose()?;
    loop {
        let page = context.store.users().list(&filter, after, PAGE).await.map_err(into_failure)?;
        for user in &page.items {
            let statistics = context.workers.statistics(user.guid).unwrap_or(user.statistics);
            part.push(&statistics_row(&MigrationUser { statistics, ..user.clone() }))?;
        }
        after = page.next;
        if after.is_none() || part.is_full() {
            return Ok(after.map(|it| it.to_string()));
        }
    }
}

async fn errors(
    context: &Context,
    batch: &Batch,
    from: Option<&str>,
    part: &mut Part,
) -> Result<Option<String>, Failure> {
    let mut after = from.map(bookmark).transpose()?;
    loop {
        let page = context.store.reports().failures(batch.guid, after, PAGE).await.map_err(into_failure)?;
        for failed in page.items {
            part.push(&errors_row(failed))?;
        }
        after = page.next;
        if after.is_none() || part.is_full() {
            return Ok(after.map(|it| it.to_string()));
        }
    }
}

/// Batch name without characters that a file name cannot have.
fn file_name(batch: &str) -> String {
    let plain = |it: char| if it.is_alphanumeric() || matches!(it, '-' | '_' | ' ') { it } else { '_' };
    batch.chars().map(plain).collect()
}
