//! `mailhaul database`: copies the data of the service to another database, and checks a database.

mod check;
mod copy;
mod sizes;

use std::path::PathBuf;

use anyhow::{Error, Result, anyhow};
use clap::{Args, Subcommand};
use mailhaul_store::{Home, ServerAddress, StoreError};

use super::command::with_advice;
use crate::{data_directory::DataPlace, exit::Exit, ops::into_failure};

/// Commands about a database.
#[derive(Debug, Subcommand)]
#[allow(clippy::doc_markdown, reason = "doc comments of options are the help texts")]
pub(crate) enum DatabaseCommand {
    /// Copies all data to an empty database, and marks the source as moved; run it again to continue after a crash
    Copy(CopyOptions),
    /// Shows schema, settings, clock and sizes of the database of --data or --database; changes nothing
    Check,
}

/// Options of `mailhaul database copy`.
#[derive(Args, Debug)]
#[allow(clippy::doc_markdown, reason = "doc comments of options are the help texts")]
pub(crate) struct CopyOptions {
    /// Source: a data directory, or postgres://USER@HOST/DATABASE. The password comes from PGPASSFILE or PGPASSWORD
    // Parsed later: clap would show an invalid value, which may contain a password.
    #[arg(long, value_name = "PLACE")]
    from: String,
    /// Target, in the same forms: a new directory, or an empty database
    #[arg(long, value_name = "PLACE")]
    to: String,
}

/// Runs the command.
pub(crate) async fn run(command: DatabaseCommand, place: Result<DataPlace>) -> Result<Exit> {
    match command {
        DatabaseCommand::Copy(options) => {
            let (from, to) = (home("--from", &options.from)?, home("--to", &options.to)?);
            copy::run(&from, &to).await.map_err(refused)
        }
        DatabaseCommand::Check => {
            let place = place?;
            let home = match place.server {
                Some(server) => Home::Server(Box::new(server)),
                None => Home::Directory(place.directory.clone()),
            };
            check::run(&home, &place.directory).await.map_err(refused)
        }
    }
}

/// Parses a place.
fn home(option: &str, text: &str) -> Result<Home> {
    // A URL with one slash too few is no directory.
    if !text.contains("://") && !text.starts_with("postgres:") && !text.starts_with("postgresql:") {
        return Ok(Home::Directory(PathBuf::from(text)));
    }
    let server = ServerAddress::parse(text).map_err(|reason| anyhow!("{option}: {reason}"))?;
    Ok(Home::Server(Box::new(server)))
}

/// Returns the error with the exit code of operations.
fn refused(error: StoreError) -> Error {
    let failure = into_failure(error);
    anyhow!(Exit::Operation(failure.kind.exit_code())).context(with_advice(&failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_directory_or_an_address_without_a_password() {
        for directory in ["/data", "data", "C:data"] {
            assert!(
                matches!(home("--from", directory), Ok(Home::Directory(path)) if path.as_os_str() == directory)
            );
        }
        assert!(matches!(home("--from", "postgres://m@db.example/mailhaul"), Ok(Home::Server(_))));
        for wrong in
            ["postgres://m:secret@db.example/mailhaul", "postgres:/m:secret@db.example", "mysql://secret"]
        {
            let words = home("--from", wrong).unwrap_err().to_string();
            assert!(words.starts_with("--from: it ") && !words.contains("secret"), "{words}");
        }
    }
}
