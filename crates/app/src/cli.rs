//! The command line.

#![allow(clippy::doc_markdown, reason = "the comments of options are what --help prints")]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use mailhaul_engine::{FolderMapping, FolderPattern, RemovalRules};
use mailhaul_mail::repair::{Repair, Repairs};

use crate::{
    documents::{Completions, Man},
    login::Login,
    pin::{Pin, pin},
    serve::Serve,
    shell::ShellOptions,
    watch::Watch,
};

const EXIT_CODES: &str = "\
Exit codes:
    0  every mailbox is synced, all sums close, nothing was skipped
   10  every mailbox is synced, some messages were skipped (the report names them)
   20  at least one mailbox failed (run the same command again: it goes on where it stopped)
    2  wrong options or input: nothing was done
    1  internal error, or the ledger is damaged
  130  stopped by Ctrl-C";

/// Moves mailboxes between mail servers: nothing lost, nothing doubled, nothing changed.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Data directory, which remembers what was copied [default: $XDG_DATA_HOME/mailhaul or ~/.local/share/mailhaul]
    #[arg(long, value_name = "DIR", env = "MAILHAUL_DATA", global = true)]
    pub(crate) data: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) operation: Operation,
}

/// The program's own commands; those of the operations come beside them.
#[derive(Debug, Subcommand)]
pub(crate) enum Operation {
    /// Copies mailboxes from one IMAP server to another. Run it again at any time: it carries over what is new.
    Migrate(Box<Migrate>),
    /// Runs the service: batches move, and are kept in step
    Serve(Serve),
    /// Shows how a batch gets on, until it is done
    Watch(Watch),
    /// Signs in with a code that is typed into a browser, for an endpoint that opens mailboxes with access tokens
    Login(Login),
    /// Runs Exchange's lines (New-MigrationBatch ... | Format-List) at a prompt or from a script
    Shell(ShellOptions),
    /// Carries out an operation with a request in JSON from standard input; the answer is JSON
    Invoke {
        /// The operation, as a cmdlet: Get-MigrationBatch
        operation: String,
    },
    /// Prints a PowerShell module with the cmdlets, which calls this program
    PowershellModule,
    /// Prints completions for a shell
    Completions(Completions),
    /// Writes manual pages
    Man(Man),
    /// Prints the description of the HTTP interface
    Openapi,
}

/// What `mailhaul migrate` is told.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Migrate {
    /// Where mail comes from: imaps://[user@]host[:993], imap://[user@]host[:143] (STARTTLS),
    /// imap+plain://[user@]host[:143] (no encryption)
    // Taken as text: clap shows what it cannot read, and a password may be in it.
    #[arg(long, value_name = "URL")]
    pub(crate) from: String,
    /// Where mail goes; the same forms
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// CSV file of mailboxes: EmailAddress,UserName,Password[,UserRoot][,TargetUserName][,TargetPassword]
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) users: Option<PathBuf>,
    /// Leave out columns of the CSV file that are not known, instead of refusing the file
    #[arg(long, requires = "users")]
    pub(crate) allow_unknown_columns: bool,
    /// File with the source's password, else MAILHAUL_FROM_PASSWORD, else you are asked
    #[arg(long, value_name = "FILE")]
    pub(crate) from_password_file: Option<PathBuf>,
    /// File with the target's password, else MAILHAUL_TO_PASSWORD, else you are asked; with --users it serves the rows
    /// without a TargetPassword
    #[arg(long, value_name = "FILE")]
    pub(crate) to_password_file: Option<PathBuf>,
    /// A program that prints an access token for the source (OAuth 2.0), in place of passwords: program and arguments, divided
    /// by blanks; {user} is the mailbox. No shell reads it
    #[arg(long, value_name = "COMMAND", conflicts_with = "from_password_file")]
    pub(crate) from_token_command: Option<String>,
    /// The same for the target
    #[arg(long, value_name = "COMMAND", conflicts_with = "to_password_file")]
    pub(crate) to_token_command: Option<String>,
    /// Mailboxes at once; where there are fewer, a mailbox may use several of these places for its folders (connections to
    /// each server)
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) concurrency: u16,
    /// Messages in a second at most, over all mailboxes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) messages_per_second: Option<u64>,
    /// Bytes in a second at most, over all mailboxes; each counts once, though it is read and written; K, M and G may
    /// follow the number
    #[arg(long, value_name = "BYTES", value_parser = rate)]
    pub(crate) bytes_per_second: Option<u64>,

    /// Only this folder; repeatable. Name, Name/* (with all below), or #Inbox#, #SentItems#, #DeletedItems# ...
    #[arg(long, value_name = "FOLDER", value_parser = FolderPattern::parse, help_heading = "What to copy")]
    pub(crate) include_folder: Vec<FolderPattern>,
    /// Not this folder; repeatable; the same forms
    #[arg(long, value_name = "FOLDER", value_parser = FolderPattern::parse, help_heading = "What to copy")]
    pub(crate) exclude_folder: Vec<FolderPattern>,
    /// This folder goes there; repeatable. Name/* means all below too, * all folders ('*=Old/*' puts all below Old,
    /// 'Old/*=*' back), and - as the target leaves it out
    #[arg(long, value_name = "SOURCE=TARGET", value_parser = folder_map, help_heading = "What to copy")]
    pub(crate) map: Vec<FolderMapping>,
    /// The same as a CSV file with the columns Source and Target
    #[arg(long, value_name = "FILE.csv", help_heading = "What to copy")]
    pub(crate) folder_map: Option<PathBuf>,
    /// Which messages come first
    #[arg(long, value_enum, default_value_t = Order::Oldest, help_heading = "What to copy")]
    pub(crate) order: Order,
    /// What happens on the target to messages that were deleted on the source: only those that mailhaul put there are
    /// ever removed
    #[arg(long, value_enum, default_value_t = Deletions::Keep, help_heading = "What to copy")]
    pub(crate) deletions: Deletions,
    /// With --deletions mirror: remove also what an earlier pass left because a folder vanished or became empty, or because
    /// too many messages vanished at once (--max-deletions, --max-deletion-count)
    #[arg(long, help_heading = "What to copy")]
    pub(crate) confirm_deletions: bool,
    /// With --deletions mirror: percent of a mailbox's copies that one pass removes at most; more wait for a second pass an
    /// hour later, or for --confirm-deletions
    #[arg(long, value_name = "PERCENT", default_value_t = RemovalRules::default().percent, value_parser = clap::value_parser!(u8).range(0..=100), help_heading = "What to copy")]
    pub(crate) max_deletions: u8,
    /// With --deletions mirror: copies that one pass removes also where they are a larger share
    #[arg(long, value_name = "N", default_value_t = RemovalRules::default().messages, help_heading = "What to copy")]
    pub(crate) max_deletion_count: u64,
    /// What may be edited in messages that the target refuses, so that it takes them; the report names each edit:
    /// NulBytes, BareNewlines, LongLines, InvalidHeaders, MissingFinalNewline, or all; separated by commas
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = repairs, help_heading = "What to copy")]
    pub(crate) repair: Vec<Repairs>,
    /// Messages received at or after this date: 2024-12-31 (midnight UTC) or 2024-12-31T08:00:00Z
    #[arg(long, value_name = "DATE", value_parser = moment, help_heading = "What to copy")]
    pub(crate) since: Option<i64>,
    /// Messages received before this date
    #[arg(long, value_name = "DATE", value_parser = moment, help_heading = "What to copy")]
    pub(crate) before: Option<i64>,
    /// Skip larger messages, and report them; K, M and G may follow the number
    #[arg(long, value_name = "BYTES", value_parser = octets, help_heading = "What to copy")]
    pub(crate) max_size: Option<u64>,
    /// Only the newest N messages of each folder
    #[arg(long, value_name = "N", help_heading = "What to copy")]
    pub(crate) max_items: Option<usize>,

    /// Show what would be done, with reasons; nothing is written anywhere
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

    /// Trust these certificates (PEM) for the source, in place of the system's
    #[arg(long, value_name = "FILE", help_heading = "Connections")]
    pub(crate) from_ca: Option<PathBuf>,
    /// Trust only the certificate with this SHA-256 for the source
    #[arg(long, value_name = "HEX", value_parser = pin, help_heading = "Connections")]
    pub(crate) from_pin: Option<Pin>,
    /// Trust these certificates (PEM) for the target, in place of the system's
    #[arg(long, value_name = "FILE", help_heading = "Connections")]
    pub(crate) to_ca: Option<PathBuf>,
    /// Trust only the certificate with this SHA-256 for the target
    #[arg(long, value_name = "HEX", value_parser = pin, help_heading = "Connections")]
    pub(crate) to_pin: Option<Pin>,
    /// Trust any certificate: whoever stands between reads passwords and mail
    #[arg(long, help_heading = "Connections")]
    pub(crate) accept_untrusted_certificates: bool,
    /// Sign in to the source by this mechanism alone [default: the strongest that works]
    #[arg(long, value_name = "MECHANISM", value_parser = mechanism, conflicts_with = "from_token_command", help_heading = "Connections")]
    pub(crate) from_auth: Option<String>,
    /// Sign in to the target by this mechanism alone [default: the strongest that works]
    #[arg(long, value_name = "MECHANISM", value_parser = mechanism, conflicts_with = "to_token_command", help_heading = "Connections")]
    pub(crate) to_auth: Option<String>,
    /// Give a server up that says nothing for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Connections")]
    pub(crate) timeout: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// As they arrived
    Oldest,
    /// The newest first
    Newest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deletions {
    /// They stay
    Keep,
    /// They are removed too
    Mirror,
}

fn folder_map(text: &str) -> Result<FolderMapping, String> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => FolderMapping::parse(from, to),
        _ => Err("write SOURCE=TARGET, for example \"Sent=Sent Items\"".to_owned()),
    }
}

/// A sign-in mechanism.
fn mechanism(text: &str) -> Result<String, String> {
    let known = mailhaul_imap::mechanism(text).map(str::to_owned);
    known.ok_or_else(|| format!("write one of {}", mailhaul_imap::mechanism_names().join(", ")))
}

/// One kind of repair, or all.
fn repairs(text: &str) -> Result<Repairs, String> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(Repairs::all());
    }
    Ok([text.parse::<Repair>()?].into_iter().collect())
}

/// Seconds since 1970.
fn moment(text: &str) -> Result<i64, String> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(timestamp.as_second());
    }
    let day: Date = text.parse().map_err(|_| "write 2024-12-31 or 2024-12-31T08:00:00Z".to_owned())?;
    day.to_zoned(TimeZone::UTC).map(|it| it.timestamp().as_second()).map_err(|error| error.to_string())
}

/// Octets in a second.
fn rate(text: &str) -> Result<u64, String> {
    match octets(text)? {
        0 => Err("nothing would ever be sent".to_owned()),
        octets => Ok(octets),
    }
}

fn octets(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'k', 'm', 'g']);
    let unit: u64 = match &text[digits.len()..] {
        "" => 1,
        "K" | "k" => 1 << 10,
        "M" | "m" => 1 << 20,
        "G" | "g" => 1 << 30,
        _ => return Err("write one of K, M, G behind the number, or nothing".to_owned()),
    };
    let number: u64 =
        digits.parse().map_err(|_| "write a number of bytes, for example 36700160 or 35M".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "the number is too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        assert_eq!(moment("1970-01-02"), Ok(86_400));
        assert_eq!(moment("1970-01-01T00:00:10Z"), Ok(10));
        assert!(moment("yesterday").is_err());
        assert_eq!((octets("35M"), octets("12")), (Ok(35 << 20), Ok(12)));
        assert!(octets("35MB").is_err() && octets("").is_err() && octets("99999999999999G").is_err());
        assert!(folder_map("Sent").is_err());
        assert_eq!(mechanism("scram-sha-256").as_deref(), Ok("SCRAM-SHA-256"));
        assert!(mechanism("NTLM").unwrap_err().contains("CRAM-MD5, PLAIN, LOGIN"));
        assert_eq!(repairs("ALL"), Ok(Repairs::all()));
        assert_eq!(repairs("nulbytes"), Ok([Repair::NulBytes].into_iter().collect()));
        assert!(repairs("everything").unwrap_err().contains("NulBytes,BareNewlines"));
    }
}
