//! What an administrator can do about a failure.

pub(crate) mod remedies;

use mailhaul_engine::{Error, ErrorKind, Side};
use mailhaul_mail::Retry;

use self::remedies::{Names, SOURCE, TARGET, Topic, remedy};

/// The error, and on a line of its own what can be done about it.
pub(crate) fn explained(error: &Error) -> String {
    match advice(error) {
        Some(advice) => format!("{error}\n  {advice}"),
        None => error.to_string(),
    }
}

/// What an error of connecting or signing in is about.
pub(crate) fn topic(error: &Error) -> Option<Topic> {
    match error.kind {
        ErrorKind::Authentication => Some(Topic::SignIn),
        ErrorKind::Tls => Some(Topic::Tls),
        ErrorKind::Protocol => Some(Topic::Protocol),
        ErrorKind::Connection if error.retry == Retry::Never => Some(Topic::Unreachable),
        _ => None,
    }
}

/// One sentence, where there is something to say that the error does not say itself.
fn advice(error: &Error) -> Option<String> {
    let names: &Names = if error.side == Some(Side::Target) { &TARGET } else { &SOURCE };
    let remedy = topic(error).and_then(|topic| remedy(topic, &error.message, names));
    remedy.or_else(|| by_kind(error.kind).map(str::to_owned))
}

/// What can be done about a damaged ledger.
pub(crate) const DAMAGED: &str = "restore a backup of the data directory; or move mailhaul.db and its -wal and -shm files away \
                                  and run again: a new ledger adopts the messages that are on the target (deletions of \
                                  adopted messages are not mirrored)";

/// The same for the service, whose batches and users are in the same file.
pub(crate) const DAMAGED_DATA: &str = "Stop the service and restore a backup of the data directory. A batch in a new data \
                                       directory adopts the messages that are on the targets.";

fn by_kind(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::Authentication => "check the user name and the password",
        ErrorKind::Quota => {
            "raise the quota of the target mailbox and run the same command again: it goes on where it stopped"
        }
        ErrorKind::Ledger => {
            "the data directory must be writable and have room; run the same command again then: it goes on where it stopped"
        }
        ErrorKind::Damaged => DAMAGED,
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
        ErrorKind::Tls => "check the port (993 for TLS, 143 for STARTTLS) and the server's certificate",
        ErrorKind::Protocol => {
            "run the same command again: it goes on where it stopped; if the server does the same again, report it with the \
             output of --trace"
        }
        ErrorKind::Interrupted => "run the same command again: it goes on where it stopped",
        ErrorKind::Refused | ErrorKind::TooLarge | ErrorKind::Renumbered => return None,
        ErrorKind::Internal => "this is a mistake in mailhaul; please report it with the output of --trace",
    })
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Scope;

    use super::*;

    #[test]
    fn advice_follows_from_the_words_and_not_from_the_kind_alone() {
        let error =
            |retry, kind, words: &str| Error::new(Scope::Endpoint, retry, kind, words).at(Side::Target);
        for (error, expected) in [
            (
                error(Retry::Never, ErrorKind::Authentication, "NO [AUTHENTICATIONFAILED]"),
                "check the user name",
            ),
            (
                error(Retry::Never, ErrorKind::Authentication, "NO app password required"),
                "make a password for applications",
            ),
            (error(Retry::Never, ErrorKind::Tls, "the certificate of x is not trusted: no"), "--to-pin"),
            (
                error(Retry::Now, ErrorKind::Protocol, "fewer messages than were told"),
                "report it with the output of --trace",
            ),
            (
                error(Retry::Never, ErrorKind::Connection, "cannot connect to x"),
                "check the server's name and the port",
            ),
            (
                error(Retry::Now, ErrorKind::Connection, "the connection broke"),
                "when the server can be reached",
            ),
            (error(Retry::Never, ErrorKind::Damaged, "the ledger is damaged"), "restore a backup"),
        ] {
            assert!(explained(&error).contains(expected), "{}", explained(&error));
        }
    }
}
