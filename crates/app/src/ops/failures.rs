//! What the rooms below say, as failures of operations: what happened, and what to do.

use std::fmt::Display;

use mailhaul_migration::{CsvError, FilterError};
use mailhaul_operations::Failure;
use mailhaul_store::StoreError;

use crate::advice::DAMAGED_DATA;

/// How the nouns of the store are listed.
const LISTED_BY: [(&str, &str); 4] = [
    ("endpoint", "Get-MigrationEndpoint"),
    ("batch", "Get-MigrationBatch"),
    ("user", "Get-MigrationUser"),
    ("token", "Get-MigrationApiToken"),
];

/// What the database says.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
pub(crate) fn told(error: StoreError) -> Failure {
    match &error {
        StoreError::NotFound { what, identity } => not_found(what, identity),
        StoreError::NameTaken { what, name } => {
            Failure::conflict(format_args!("the migration {what} \"{name}\" already exists"))
                .with_advice("Choose another name, or remove the one that has it.")
        }
        StoreError::InUse { .. } => Failure::conflict(&error)
            .with_advice("Remove these batches first, or choose another target in Set-MigrationConfig."),
        StoreError::Changed { .. } => {
            Failure::conflict(&error).with_advice("Look at it with Get-MigrationEndpoint, and try again.")
        }
        StoreError::Illegal { .. } | StoreError::LeaseLost { .. } => {
            Failure::conflict(&error).with_advice("Look at its status with Get-MigrationUser, and try again.")
        }
        StoreError::Locked { .. } | StoreError::ServiceRuns { .. } => Failure::conflict(&error),
        StoreError::VaultLocked
        | StoreError::KeyChanged
        | StoreError::KeyFile { .. }
        | StoreError::KeyMissing { .. }
        | StoreError::KeyWrong { .. } => Failure::unavailable(&error).with_advice(
            "Passwords can be neither kept nor read without the master key; nothing was changed.",
        ),
        StoreError::Damaged { .. } => Failure::internal(&error).with_advice(DAMAGED_DATA),
        StoreError::File { .. } | StoreError::Database { .. } | StoreError::Unavailable { .. } => {
            Failure::unavailable(&error)
                .with_advice("The data directory must be writable and have room; nothing was changed.")
        }
        _ => Failure::internal(&error),
    }
}

/// A number that cannot be 0; `advice` says how the limit is taken away.
pub(crate) fn at_least_one(parameter: &str, number: u64, advice: &str) -> Result<u64, Failure> {
    if number > 0 {
        return Ok(number);
    }
    Err(Failure::invalid(format_args!("{parameter} must be at least 1")).with_advice(advice))
}

/// Nothing has this name, address or GUID.
pub(crate) fn not_found(what: &str, identity: impl Display) -> Failure {
    let failure = Failure::not_found(format_args!("the migration {what} \"{identity}\" could not be found"));
    match LISTED_BY.iter().find(|(noun, _)| *noun == what) {
        Some((_, cmdlet)) => failure.with_advice(format_args!("{cmdlet} shows what there is.")),
        None => failure,
    }
}

/// What is wrong with the file of users.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
pub(crate) fn csv(error: CsvError) -> Failure {
    let failure = Failure::invalid(format_args!("CSVData: {error}"));
    match &error {
        CsvError::TooManyRows | CsvError::TooLarge { .. } => {
            failure.with_advice("Divide the file, and make a batch of each part.")
        }
        CsvError::UnknownColumn { .. } => failure.with_advice(
            "Correct the column's name; with -AllowUnknownColumnsInCsv $true it is left out instead.",
        ),
        _ => failure,
    }
}

/// What is wrong with a filter, and where.
pub(crate) fn filter(error: FilterError) -> Failure {
    Failure::invalid(error)
        .with_advice("Write for example: Received -ge '2024-01-01' -and Received -lt '2025-01-01'.")
}

/// Somebody else has changed the object between our look at it and our change.
pub(crate) fn changed_meanwhile(what: &str, name: &str) -> Failure {
    Failure::conflict(format_args!(
        "the migration {what} \"{name}\" was changed by somebody else at the same time"
    ))
    .with_advice("Nothing of this change was made: look at it, and try again.")
}

/// The first parameter that was given although this version cannot do what it asks for.
pub(crate) fn unsupported(table: &[(&str, bool, &str)]) -> Result<(), Failure> {
    match table.iter().find(|(_, given, _)| *given) {
        Some((name, _, why)) => {
            Err(Failure::invalid(format_args!("-{name} is not supported")).with_advice(why))
        }
        None => Ok(()),
    }
}
