//! Errors of the CSV file of users, for people and for programs.

use mailhaul_migration::{CsvError, CsvErrors, CsvRule, column_list};
use mailhaul_operations::Failure;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Error of a CSV file. It contains no cell below the header.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationBatchTestError {
    /// Row, counted from 1 as in a spreadsheet; null if the error concerns the whole file.
    row: Option<u64>,
    /// Column, counted from 1.
    column: Option<u64>,
    /// Name of the column.
    column_name: Option<&'static str>,
    /// Rule that the file breaks, for programs.
    code: &'static str,
    /// Error in words, without its place.
    message: String,
    /// Correction.
    proposal: Option<String>,
}

impl From<&CsvError> for MigrationBatchTestError {
    fn from(error: &CsvError) -> Self {
        Self {
            row: error.place.row.map(|it| it as u64),
            column: error.place.column.map(|it| it as u64),
            column_name: error.place.name,
            code: error.rule.code(),
            message: error.rule.to_string(),
            proposal: error.rule.proposal(),
        }
    }
}

/// Maps the errors of the CSV file of users.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
pub(crate) fn refused_file(errors: CsvErrors) -> Failure {
    let failure = Failure::invalid(format_args!("CSVData: {errors}")).with_rows("CSVData", rows(&errors));
    let advice = [
        (
            errors.has(|rule| matches!(rule, CsvRule::TooManyRows | CsvRule::TooLarge { .. })),
            "Split the file, and make a batch of each part.".to_owned(),
        ),
        (
            errors.has(|rule| matches!(rule, CsvRule::NoTargetPassword)),
            "Fill the column TargetPassword, or give the endpoint a login for all mailboxes with \
             Set-MigrationEndpoint."
                .to_owned(),
        ),
        (
            errors.has(|rule| matches!(rule, CsvRule::UnknownColumn { .. })),
            format!(
                "The columns are {}. -AllowUnknownColumnsInCsv $true ignores a column that is none of them.",
                column_list()
            ),
        ),
    ];
    match advice.into_iter().find(|(applies, _)| *applies) {
        Some((_, advice)) => failure.with_advice(advice),
        None => failure,
    }
}

/// Errors as objects. A struct of texts and numbers always has a JSON form.
fn rows(errors: &CsvErrors) -> Vec<Value> {
    let errors = errors.kept().iter().map(MigrationBatchTestError::from);
    errors.filter_map(|error| serde_json::to_value(error).ok()).collect()
}
