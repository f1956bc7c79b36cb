//! Maps errors of the lower crates to operation failures with advice.

use std::fmt::Display;

use mailhaul_migration::FilterError;
use mailhaul_operations::Failure;
use mailhaul_store::StoreError;

use crate::advice::DAMAGED_DATA;

/// Cmdlet that lists each kind of object.
const LISTED_BY: [(&str, &str); 5] = [
    ("endpoint", "Get-MigrationEndpoint"),
    ("batch", "Get-MigrationBatch"),
    ("user", "Get-MigrationUser"),
    ("token", "Get-MigrationApiToken"),
    ("node", "Get-MigrationNode"),
];

/// Maps an error of the store.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
pub(crate) fn into_failure(error: StoreError) -> Failure {
    match &error {
        StoreError::NotFound { what, identity } => not_found(what, identity),
        StoreError::NameTaken { what, name } => {
            Failure::conflict(format_args!("the migration {what} \"{name}\" already exists"))
                .with_advice(format_args!("Choose another name, or remove the {what} that has it."))
                .at("Name")
        }
        StoreError::NoUsersLeft { .. } => Failure::invalid(format_args!("CSVData: {error}"))
            .with_advice("Nothing was changed. Get-MigrationUser shows the batch of each user."),
        StoreError::InUse { .. } => Failure::conflict(&error)
            .with_advice("Remove these batches first, or choose another target in Set-MigrationConfig."),
        StoreError::Changed { .. } => {
            Failure::conflict(&error).with_advice("Check it with Get-MigrationEndpoint, and try again.")
        }
        StoreError::Illegal { .. } | StoreError::LeaseLost { .. } => {
            Failure::conflict(&error).with_advice("Check its status with Get-MigrationUser, and try again.")
        }
        StoreError::Locked { .. }
        | StoreError::ServiceRuns { .. }
        | StoreError::Moved { .. }
        | StoreError::Filling { .. }
        | StoreError::NotEmpty { .. }
        | StoreError::MailboxRuns { .. }
        | StoreError::Differs { .. } => Failure::conflict(&error),
        StoreError::CannotHold { .. } | StoreError::SameDatabase { .. } => Failure::invalid(&error),
        StoreError::NoData { .. } => Failure::not_found(&error),
        StoreError::VaultLocked
        | StoreError::KeyChanged
        | StoreError::KeyFile { .. }
        | StoreError::KeyMissing { .. }
        | StoreError::KeyNotNamed
        | StoreError::KeyWrong { .. } => Failure::unavailable(&error).with_advice(
            "Without the master key, passwords can be neither saved nor read. Nothing was changed.",
        ),
        StoreError::KeyLacking { .. } => Failure::conflict(&error).with_advice(
            "Put the new key as the first line, and the old key as the second, into the key file of each node. \
             Get-MigrationNode shows the keys of each.",
        ),
        StoreError::OlderNodes { .. } => Failure::conflict(&error).with_advice(
            "First run the release between the two on each node, or stop these nodes. Get-MigrationNode shows them.",
        ),
        StoreError::Damaged { .. } => Failure::internal(&error).with_advice(DAMAGED_DATA),
        StoreError::File { .. } | StoreError::Database { .. } | StoreError::Unavailable { .. } => {
            Failure::unavailable(&error).with_advice(
                "Make the data directory writable and check its free space, or the database if it is on a server. \
                 Nothing was changed.",
            )
        }
        _ => Failure::internal(&error),
    }
}

/// Maps an error of the store, in the search of the object that this parameter names.
pub(crate) fn at(parameter: &str) -> impl Fn(StoreError) -> Failure {
    move |error| into_failure(error).at(parameter)
}

/// Refuses 0; `advice` says how to remove the limit.
pub(crate) fn at_least_one(parameter: &str, number: u64, advice: &str) -> Result<u64, Failure> {
    if number > 0 {
        return Ok(number);
    }
    Err(Failure::invalid(format_args!("{parameter} must be at least 1")).with_advice(advice))
}

/// Failure for an object that does not exist.
pub(crate) fn not_found(what: &str, identity: impl Display) -> Failure {
    let failure = Failure::not_found(format_args!("the migration {what} \"{identity}\" could not be found"));
    match LISTED_BY.iter().find(|(noun, _)| *noun == what) {
        Some((_, cmdlet)) => failure.with_advice(format_args!("{cmdlet} lists what exists.")),
        None => failure,
    }
}

/// Maps an error in a content filter, with its position.
pub(crate) fn filter(error: FilterError) -> Failure {
    Failure::invalid(error)
        .with_advice("Example: Received -ge '2024-01-01' -and Received -lt '2025-01-01'.")
        .at("ContentFilter")
}

/// Failure for an object that another caller changed after it was read here.
pub(crate) fn changed_meanwhile(what: &str, name: &str) -> Failure {
    Failure::conflict(format_args!(
        "the migration {what} \"{name}\" was changed by another caller at the same time"
    ))
    .with_advice("Nothing was changed. Check the object, and try again.")
}

/// Refuses the first given parameter that this version does not support.
pub(crate) fn unsupported(table: &[(&str, bool, &str)]) -> Result<(), Failure> {
    match table.iter().find(|(_, given, _)| *given) {
        Some((name, _, why)) => {
            Err(Failure::invalid(format_args!("-{name} is not supported")).with_advice(why))
        }
        None => Ok(()),
    }
}
