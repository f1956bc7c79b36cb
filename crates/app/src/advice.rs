//! What an administrator can do about a failure.

use mailhaul_engine::{Error, ErrorKind};

/// The error, and on a line of its own what can be done about it.
pub(crate) fn explained(error: &Error) -> String {
    match advice(error.kind) {
        Some(advice) => format!("{error}\n  {advice}"),
        None => error.to_string(),
    }
}

/// One sentence, where there is something to say that the error does not say itself.
fn advice(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::Authentication => "check the user name and the password",
        ErrorKind::Quota => {
            "raise the quota of the target mailbox and run the same command again: it goes on where it stopped"
        }
        ErrorKind::Ledger => {
            "the data directory must be writable and have room; run the same command again then: nothing is lost or doubled"
        }
        ErrorKind::TooManyConnections => {
            "close other programs that use the mailbox, then run the same command again: it goes on where it stopped"
        }
        ErrorKind::Throttled | ErrorKind::Busy => {
            "the server asks for patience; run the same command again later: it goes on where it stopped"
        }
        ErrorKind::Connection => {
            "run the same command again when the server can be reached: it goes on where it stopped"
        }
        ErrorKind::Options => {
            "correct --include-folder, --exclude-folder or --map; --dry-run without them lists the folders"
        }
        ErrorKind::Interrupted => "run the same command again: it goes on where it stopped",
        ErrorKind::Refused | ErrorKind::TooLarge | ErrorKind::Renumbered => return None,
        ErrorKind::Internal => "this is a mistake in mailhaul; please report it with the output of --trace",
    })
}
