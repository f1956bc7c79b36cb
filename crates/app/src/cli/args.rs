//! Command-line arguments.

#![allow(clippy::doc_markdown, reason = "doc comments of options are the help texts")]

use std::path::PathBuf;

use clap::{Args, Command, CommandFactory as _, Parser, Subcommand, ValueEnum};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use mailhaul_engine::{FolderMapping, FolderPattern, RemovalRules};
use mailhaul_mail::repair::{Repair, Repairs};
use mailhaul_operations::Operations;

use super::{
    database::DatabaseCommand,
    documents::{Completions, Man},
    login::LoginOptions,
    shell::ShellOptions,
    watch::WatchOptions,
};
use crate::{
    certificate_pin::{Pin, pin},
    context::Context,
    serve::ServeOptions,
};

const EXIT_CODES: &str = "\
Exit codes:
    0  every mailbox is synced, all numbers add up, no message was skipped
   10  every mailbox is synced, some messages were skipped (the report names them)
   20  at least one mailbox failed (run the same command again to continue)
    2  wrong options or input; nothing was done
    1  internal error, or the ledger is damaged
  130  stopped by Ctrl-C";

/// Moves mailboxes between mail servers: nothing lost, nothing doubled, nothing changed.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Data directory with the ledger [default: $XDG_DATA_HOME/mailhaul or ~/.local/share/mailhaul]
    #[arg(long, value_name = "DIR", env = "MAILHAUL_DATA", global = true)]
    pub(crate) data: Option<PathBuf>,
    /// PostgreSQL database in place of the file in the data directory: postgres://USER@HOST/DATABASE. The password comes
    /// from PGPASSFILE or PGPASSWORD
    #[arg(long, value_name = "URL", env = "MAILHAUL_DATABASE", hide_env_values = true, global = true)]
    pub(crate) database: Option<String>,
    #[command(subcommand)]
    pub(crate) operation: Operation,
}

/// Returns the whole command line: the program's own commands and those of the operations.
pub(crate) fn program(operations: &Operations<Context>) -> Command {
    Cli::command().subcommands(operations.commands())
}

/// Commands of the program itself; the operations add theirs.
#[derive(Debug, Subcommand)]
pub(crate) enum Operation {
    /// Copies mailboxes from one IMAP server to another; run it again to copy what is new
    Migrate(Box<Migrate>),
    /// Runs the service, which migrates batches and keeps them in sync
    Serve(ServeOptions),
    /// Shows the progress of a batch until it completes
    Watch(WatchOptions),
    /// Signs in to an endpoint with access tokens, by a code that you type in a browser
    Login(LoginOptions),
    /// Prints an address that opens the web console once, without a token
    Console,
    /// Runs cmdlets with pipes (New-MigrationBatch ... | Format-List) from a prompt or a script
    Shell(ShellOptions),
    /// Copies the data of the service to another database, or checks a database
    #[command(subcommand)]
    Database(DatabaseCommand),
    /// Runs an operation with a JSON request from standard input; prints the answer as JSON
    Invoke {
        /// Cmdlet of the operation, for example Get-MigrationBatch
        operation: String,
    },
    /// Prints a PowerShell module whose cmdlets call this program
    PowershellModule,
    /// Prints shell completions
    Completions(Completions),
    /// Writes manual pages
    Man(Man),
    /// Prints the OpenAPI document of the HTTP interface
    Openapi,
}

/// Options of `mailhaul migrate`.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Migrate {
    /// Source: imaps://[user@]host[:993], imap://[user@]host[:143] (STARTTLS), or imap+plain://[user@]host[:143]
    /// (no encryption)
    // Parsed later: clap would show an invalid value, which may contain a password.
    #[arg(long, value_name = "URL")]
    pub(crate) from: String,
    /// Target, in the same forms
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// CSV file of mailboxes: EmailAddress,UserName,Password[,UserRoot][,TargetUserName][,TargetPassword]
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) users: Option<PathBuf>,
    /// Ignore unknown columns of the CSV file instead of refusing it
    #[arg(long, requires = "users")]
    pub(crate) allow_unknown_columns: bool,
    /// File with the source's password [default: MAILHAUL_FROM_PASSWORD, else a prompt]
    #[arg(long, value_name = "FILE")]
    pub(crate) from_password_file: Option<PathBuf>,
    /// File with the target's password [default: MAILHAUL_TO_PASSWORD, else a prompt]; with --users, for rows without a
    /// TargetPassword
    #[arg(long, value_name = "FILE")]
    pub(crate) to_password_file: Option<PathBuf>,
    /// Program that prints an access token for the source, instead of a password; arguments are separated by spaces,
    /// {user} becomes the mailbox, and no shell is used
    #[arg(long, value_name = "COMMAND", conflicts_with = "from_password_file")]
    pub(crate) from_token_command: Option<String>,
    /// Program that prints an access token for the target
    #[arg(long, value_name = "COMMAND", conflicts_with = "to_password_file")]
    pub(crate) to_token_command: Option<String>,
    /// Maximum number of mailboxes at once, and of connections to each server; if fewer mailboxes are left, one may use
    /// several connections
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) concurrency: u16,
    /// Maximum messages per second over all mailboxes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) messages_per_second: Option<u64>,
    /// Maximum bytes per second over all mailboxes, with K, M or G after the number; a byte that is read and written
    /// counts once
    #[arg(long, value_name = "BYTES", value_parser = rate)]
    pub(crate) bytes_per_second: Option<u64>,

    /// Copy only this folder (repeatable): Name, Name/* with subfolders, or #Inbox#, #SentItems#, #DeletedItems# ...
    #[arg(long, value_name = "FOLDER", value_parser = FolderPattern::parse, help_heading = "What to copy")]
    pub(crate) include_folder: Vec<FolderPattern>,
    /// Leave out this folder (repeatable), in the same forms
    #[arg(long, value_name = "FOLDER", value_parser = FolderPattern::parse, help_heading = "What to copy")]
    pub(crate) exclude_folder: Vec<FolderPattern>,
    /// Copy this folder to that target (repeatable). Name/* means the folder with its subfolders, * means all folders.
    /// '*=Old/*' moves all folders below Old; 'Old/*=*' does the reverse; 'Name=-' leaves a folder out
    #[arg(long, value_name = "SOURCE=TARGET", value_parser = folder_map, help_heading = "What to copy")]
    pub(crate) map: Vec<FolderMapping>,
    /// CSV file with the columns Source and Target, instead of --map
    #[arg(long, value_name = "FILE.csv", help_heading = "What to copy")]
    pub(crate) folder_map: Option<PathBuf>,
    /// Order of messages
    #[arg(long, value_enum, default_value_t = Order::Oldest, help_heading = "What to copy")]
    pub(crate) order: Order,
    /// Handling of copies whose message was deleted on the source; mailhaul removes only copies that it made
    #[arg(long, value_enum, default_value_t = Deletions::Keep, help_heading = "What to copy")]
    pub(crate) deletions: Deletions,
    /// With --deletions mirror: also remove copies that an earlier pass kept, because a folder vanished or became empty, or
    /// too many messages vanished at once (--max-deletions, --max-deletion-count)
    #[arg(long, help_heading = "What to copy")]
    pub(crate) confirm_deletions: bool,
    /// With --deletions mirror: maximum share of a mailbox's copies that one pass removes, in percent. If it would
    /// remove more, the copies wait until a pass at least one hour later also misses their messages, or until you give
    /// --confirm-deletions
    #[arg(long, value_name = "PERCENT", default_value_t = RemovalRules::default().percent, value_parser = clap::value_parser!(u8).range(0..=100), help_heading = "What to copy")]
    pub(crate) max_deletions: u8,
    /// With --deletions mirror: number of copies that one pass may remove, even if they are more than
    /// --max-deletions
    #[arg(long, value_name = "N", default_value_t = RemovalRules::default().messages, help_heading = "What to copy")]
    pub(crate) max_deletion_count: u64,
    /// Edits allowed for messages that the target refuses, separated by commas: NulBytes, BareNewlines, LongLines,
    /// InvalidHeaders, MissingFinalNewline, or all; the report names each edit
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = repairs, help_heading = "What to copy")]
    pub(crate) repair: Vec<Repairs>,
    /// Only messages received at or after this date: 2024-12-31 (midnight UTC) or 2024-12-31T08:00:00Z
    #[arg(long, value_name = "DATE", value_parser = moment, help_heading = "What to copy")]
    pub(crate) since: Option<i64>,
    /// Only messages received before this date
    #[arg(long, value_name = "DATE", value_parser = moment, help_heading = "What to copy")]
    pub(crate) before: Option<i64>,
    /// Skip and report larger messages; K, M or G may follow the number
    #[arg(long, value_name = "BYTES", value_parser = bytes, help_heading = "What to copy")]
    pub(crate) max_size: Option<u64>,
    /// Only the newest N messages of each folder
    #[arg(long, value_name = "N", help_heading = "What to copy")]
    pub(crate) max_items: Option<usize>,

    /// Show the plan with reasons; write nothing on either server
    #[arg(long, help_heading = "Output")]
    pub(crate) dry_run: bool,
    /// Write a report of mailboxes, folders and skipped messages
    #[arg(long, value_name = "FILE.csv", help_heading = "Output")]
    pub(crate) report: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// Print errors and warnings only
    #[arg(long, short, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Print every step
    #[arg(long, short, help_heading = "Output")]
    pub(crate) verbose: bool,
    /// Write the IMAP protocol to this file, without passwords and without mail
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) trace: Option<PathBuf>,

    /// Trust these certificate authorities (PEM) for the source, instead of the system's
    #[arg(long, value_name = "FILE", help_heading = "Connections")]
    pub(crate) from_ca: Option<PathBuf>,
    /// Trust only the certificate with this SHA-256 for the source
    #[arg(long, value_name = "HEX", value_parser = pin, help_heading = "Connections")]
    pub(crate) from_pin: Option<Pin>,
    /// Trust these certificate authorities (PEM) for the target, instead of the system's
    #[arg(long, value_name = "FILE", help_heading = "Connections")]
    pub(crate) to_ca: Option<PathBuf>,
    /// Trust only the certificate with this SHA-256 for the target
    #[arg(long, value_name = "HEX", value_parser = pin, help_heading = "Connections")]
    pub(crate) to_pin: Option<Pin>,
    /// Trust any certificate; an attacker on the network can read passwords and mail
    #[arg(long, help_heading = "Connections")]
    pub(crate) accept_untrusted_certificates: bool,
    /// Only sign-in mechanism for the source [default: the strongest that works]
    #[arg(long, value_name = "MECHANISM", value_parser = mechanism, conflicts_with = "from_token_command", help_heading = "Connections")]
    pub(crate) from_auth: Option<String>,
    /// Only sign-in mechanism for the target [default: the strongest that works]
    #[arg(long, value_name = "MECHANISM", value_parser = mechanism, conflicts_with = "to_token_command", help_heading = "Connections")]
    pub(crate) to_auth: Option<String>,
    /// Seconds of silence after which a connection counts as broken
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Connections")]
    pub(crate) timeout: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// Oldest first
    Oldest,
    /// Newest first
    Newest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deletions {
    /// The copy stays
    Keep,
    /// The copy is removed
    Mirror,
}

fn folder_map(text: &str) -> Result<FolderMapping, String> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => FolderMapping::parse(from, to),
        _ => Err("write SOURCE=TARGET, for example \"Sent=Sent Items\"".to_owned()),
    }
}

/// Parses a sign-in mechanism.
fn mechanism(text: &str) -> Result<String, String> {
    let known = mailhaul_imap::mechanism(text).map(str::to_owned);
    known.ok_or_else(|| format!("write one of {}", mailhaul_imap::mechanism_names().join(", ")))
}

/// Parses one kind of repair, or `all`.
fn repairs(text: &str) -> Result<Repairs, String> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(Repairs::all());
    }
    Ok([text.parse::<Repair>()?].into_iter().collect())
}

/// Parses a date into seconds since 1970.
fn moment(text: &str) -> Result<i64, String> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(timestamp.as_second());
    }
    let day: Date = text.parse().map_err(|_| "write 2024-12-31 or 2024-12-31T08:00:00Z".to_owned())?;
    day.to_zoned(TimeZone::UTC).map(|it| it.timestamp().as_second()).map_err(|error| error.to_string())
}

/// Parses bytes per second.
fn rate(text: &str) -> Result<u64, String> {
    match bytes(text)? {
        0 => Err("the rate must not be 0".to_owned()),
        bytes => Ok(bytes),
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'k', 'm', 'g']);
    let unit: u64 = match &text[digits.len()..] {
        "" => 1,
        "K" | "k" => 1 << 10,
        "M" | "m" => 1 << 20,
        "G" | "g" => 1 << 30,
        _ => return Err("write K, M, G or nothing after the number".to_owned()),
    };
    let number: u64 =
        digits.parse().map_err(|_| "write a number of bytes, for example 36700160 or 35M".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "the number is too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::local_service::operations;

    #[test]
    fn the_command_line_is_consistent() {
        program(&operations()).debug_assert();
    }

    #[test]
    fn values_are_parsed() {
        assert_eq!(moment("1970-01-02"), Ok(86_400));
        assert_eq!(moment("1970-01-01T00:00:10Z"), Ok(10));
        assert!(moment("yesterday").is_err());
        assert_eq!((bytes("35M"), bytes("12")), (Ok(35 << 20), Ok(12)));
        assert!(bytes("35MB").is_err() && bytes("").is_err() && bytes("99999999999999G").is_err());
        assert!(folder_map("Sent").is_err());
        assert_eq!(mechanism("scram-sha-256").as_deref(), Ok("SCRAM-SHA-256"));
        assert!(mechanism("NTLM").unwrap_err().contains("CRAM-MD5, PLAIN, LOGIN"));
        assert_eq!(repairs("ALL"), Ok(Repairs::all()));
        assert_eq!(repairs("nulbytes"), Ok([Repair::NulBytes].into_iter().collect()));
        assert!(repairs("everything").unwrap_err().contains("NulBytes,BareNewlines"));
    }
}
