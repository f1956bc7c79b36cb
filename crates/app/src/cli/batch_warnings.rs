//! Warnings about the users of a batch that was made or changed.

use mailhaul_operations::{Entry, Verb};
use serde_json::Value;

/// Parameter with the CSV file of users.
const FILE_OF_USERS: &str = "CSVData";
/// Cmdlet whose results are batches that are gone.
const REMOVAL: &str = "Remove-MigrationBatch";
/// Warnings that are shown. All of them are in the batch.
const MOST_WARNINGS: usize = 20;

/// True if the results of a request may have warnings to show: it gives a file of users.
pub(super) fn may_come(entry: &Entry, request: &Value) -> bool {
    request.get(FILE_OF_USERS).is_some() && matches!(entry.verb(), Verb::New | Verb::Set)
}

/// Takes the verdicts out of the results of a removal, which has no others.
pub(super) fn of_removal(entry: &Entry, results: &mut Vec<Value>) -> Vec<String> {
    if entry.name() != REMOVAL {
        return Vec::new();
    }
    let messages =
        results.drain(..).filter_map(|batch| batch.get("Message")?.as_str().map(ToOwned::to_owned));
    messages.collect()
}

/// Returns the warnings of a batch.
pub(super) fn warnings(batch: &Value) -> Vec<String> {
    let all = batch.get("ValidationWarnings").and_then(Value::as_array).into_iter().flatten();
    let mut warnings: Vec<String> = all.filter_map(Value::as_str).map(ToOwned::to_owned).collect();
    if warnings.len() > MOST_WARNINGS {
        let name = batch.get("Identity").and_then(Value::as_str).unwrap_or_default();
        let rest = warnings.len() - MOST_WARNINGS;
        warnings.truncate(MOST_WARNINGS);
        warnings
            .push(format!("{rest} more warnings are in (Get-MigrationBatch '{name}').ValidationWarnings"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn many_warnings_are_cut() {
        let batch = |count: usize| json!({ "Identity": "B", "ValidationWarnings": vec!["w"; count] });
        assert_eq!(warnings(&json!({})), Vec::<String>::new());
        assert_eq!(warnings(&batch(20)).len(), 20);
        let cut = warnings(&batch(25));
        assert_eq!(cut[20], "5 more warnings are in (Get-MigrationBatch 'B').ValidationWarnings");
        assert_eq!(cut.len(), 21);
    }
}
