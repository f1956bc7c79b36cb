//! Test-MigrationBatch.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
};

use mailhaul_migration::{CsvErrors, UserList, leave_out_members};
use mailhaul_operations::{Answer, Bytes, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::StoreError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{endpoints::target, settings_checks};
use crate::{
    context::Context,
    ops::shared::{csv_errors::MigrationBatchTestError, failures::into_failure, members, nouns::BATCH},
    output::text,
};

/// Domains that are shown, those of the most users first.
const MAX_DOMAINS: usize = 100;

pub(crate) struct TestMigrationBatch;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name of the batch, if it is to be tested too.
    name: Option<String>,
    /// CSV file of mailboxes, as for New-MigrationBatch.
    #[serde(rename = "CSVData")]
    csv_data: Bytes,
    /// Endpoint that mail comes from.
    source_endpoint: String,
    /// Endpoint that mail goes to [default: the default target of Set-MigrationConfig].
    ///
    /// Write Archive for the archive in the data directory.
    target_endpoint: Option<String>,
    /// Ignores unknown CSV columns with a warning instead of refusing them.
    allow_unknown_columns_in_csv: Option<bool>,
}

/// Result of a test of a batch's CSV file.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationBatchTest {
    /// True if New-MigrationBatch accepts the file.
    is_valid: bool,
    /// Result in one sentence.
    message: String,
    /// Rows with a value, below the header.
    row_count: u64,
    /// Users that the batch would have.
    user_count: u64,
    /// Rows that would be left out; Warnings names them.
    left_out_count: u64,
    /// Columns that are used, in the file's order.
    columns: Vec<&'static str>,
    /// Domains of the e-mail addresses, with the number of users; at most 100.
    domains: BTreeMap<String, u64>,
    /// Rows that are left out, unusual separators and odd values.
    warnings: Vec<String>,
    /// Number of errors.
    error_count: u64,
    /// Errors; at most 1,000.
    errors: Vec<MigrationBatchTestError>,
}

impl Operation<Context> for TestMigrationBatch {
    const VERB: Verb = Verb::Test;
    const NOUN: Noun = BATCH;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Checks the CSV file of a batch, and names all errors. Makes nothing.";
    const VIEW: &'static [&'static str] = &["IsValid", "Message", "Errors", "Warnings"];

    type Request = Request;
    type Response = MigrationBatchTest;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationBatchTest>, Failure> {
        if let Some(name) = &request.name {
            check_name(context, name).await?;
        }
        let source = context.store.endpoints().get(&request.source_endpoint).await.map_err(into_failure)?;
        let target = target(context, request.target_endpoint.as_deref()).await?;
        let ends = members::Ends { source, target: target.endpoint };
        let (mut list, mut errors) =
            ends.check(&request.csv_data, request.allow_unknown_columns_in_csv, &HashSet::new());
        let addresses = list.users.iter().map(|user| user.email_address.clone()).collect();
        let batches = context.store.batches().of_addresses(addresses).await.map_err(into_failure)?;
        errors.extend(leave_out_members(&mut list, |address| batches.get(address).cloned()));
        Ok(Answer::one(result(list, &errors)))
    }
}

/// Refuses a name that New-MigrationBatch refuses.
async fn check_name(context: &Context, name: &str) -> Result<(), Failure> {
    let name = settings_checks::name(name)?;
    match context.store.batches().get(&name).await {
        Ok(_) => Err(into_failure(StoreError::NameTaken { what: "batch", name })),
        Err(StoreError::NotFound { .. }) => Ok(()),
        Err(error) => Err(into_failure(error)),
    }
}

fn result(list: UserList, errors: &CsvErrors) -> MigrationBatchTest {
    let mut domains: HashMap<String, u64> = HashMap::new();
    for user in &list.users {
        let domain = user.email_address.rsplit('@').next().unwrap_or_default().to_lowercase();
        *domains.entry(domain).or_default() += 1;
    }
    let mut domains: Vec<(String, u64)> = domains.into_iter().collect();
    domains.sort_unstable_by_key(|(_, count)| Reverse(*count));
    let users = text::count(list.users.len() as u64, "user", "users");
    let message = match errors.count() as u64 {
        0 => format!("The CSV file is accepted: {users}"),
        count => format!("The CSV file is refused: {}", text::count(count, "error", "errors")),
    };
    MigrationBatchTest {
        is_valid: errors.is_empty(),
        message,
        row_count: list.rows as u64,
        user_count: list.users.len() as u64,
        left_out_count: list.left_out as u64,
        columns: list.columns,
        domains: domains.into_iter().take(MAX_DOMAINS).collect(),
        warnings: list.warnings,
        error_count: errors.count() as u64,
        errors: errors.kept().iter().map(MigrationBatchTestError::from).collect(),
    }
}
