//! Advice for errors.

pub(crate) mod remedies;

use mailhaul_engine::{Error, ErrorKind, Side};
use mailhaul_mail::Retry;

use self::remedies::{Names, SOURCE, TARGET, Topic, remedy};

/// Returns the error, with its advice on a second line.
pub(crate) fn explained(error: &Error) -> String {
    match advice(error) {
        Some(advice) => format!("{error}\n  {advice}"),
        None => error.to_string(),
    }
}

/// Topic of an error of connecting or signing in.
pub(crate) fn topic(error: &Error) -> Option<Topic> {
    match error.kind {
        ErrorKind::Authentication => Some(Topic::SignIn),
        ErrorKind::Tls => Some(Topic::Tls),
        ErrorKind::Protocol => Some(Topic::Protocol),
        ErrorKind::Connection if error.retry == Retry::Never => Some(Topic::Unreachable),
        _ => None,
    }
}

/// Returns one sentence; `None` if the error says everything.
fn advice(error: &Error) -> Option<String> {
    let names: &Names = if error.side == Some(Side::Target) { &TARGET } else { &SOURCE };
    let remedy = topic(error).and_then(|topic| remedy(topic, &error.message, names));
    remedy.or_else(|| by_kind(error.kind).map(str::to_owned))
}

/// Advice for a damaged ledger.
pub(crate) const DAMAGED: &str = "restore a backup of the data directory; or move mailhaul.db and its -wal and -shm files away \
                                  and run the command again: a new ledger adopts the messages on the target, but \
                                  deletions of adopted messages are not mirrored";

/// Advice for a damaged database of the service, which also holds batches and users.
pub(crate) const DAMAGED_DATA: &str = "Stop the service and restore a backup of the data directory. A batch in a new data \
                                       directory adopts the messages that are on the targets.";

fn by_kind(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::Authentication => "check the user name and the password",
        ErrorKind::Quota => {
            "raise the quota of the target mailbox, then run the same command again to continue"
        }
        ErrorKind::Ledger => {
            "make the data directory writable and free some disk space, then run the same command again to continue"
        }
        ErrorKind::Damaged => DAMAGED,
        ErrorKind::TooManyConnections => {
            "close other programs that use the mailbox, then run the same command again to continue"
        }
        ErrorKind::Throttled | ErrorKind::Busy => {
            "the server limits the rate; run the same command again later to continue"
        }
        ErrorKind::Connection => "run the same command again when the server is reachable",
        ErrorKind::Options => {
            "correct --include-folder, --exclude-folder or --map; --dry-run without them lists the folders"
        }
        ErrorKind::Tls => "check the port (993 for TLS, 143 for STARTTLS) and the server's certificate",
        ErrorKind::Protocol => {
            "run the same command again to continue; if the error comes back, report it with the output of --trace"
        }
        ErrorKind::Interrupted => "run the same command again to continue",
        ErrorKind::Refused | ErrorKind::TooLarge | ErrorKind::Renumbered => return None,
        ErrorKind::Internal => "this is a bug in mailhaul; please report it with the output of --trace",
    })
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Scope;

    use super::*;

    #[test]
    fn advice_depends_on_kind_and_words() {
        let error =
            |retry, kind, words: &str| Error::new(Scope::Endpoint, retry, kind, words).at(Side::Target);
        for (error, expected) in [
            (
                error(Retry::Never, ErrorKind::Authentication, "NO [AUTHENTICATIONFAILED]"),
                "check the user name",
            ),
            (
                error(Retry::Never, ErrorKind::Authentication, "NO app password required"),
                "create an app password",
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
                "when the server is reachable",
            ),
            (error(Retry::Never, ErrorKind::Damaged, "the ledger is damaged"), "restore a backup"),
        ] {
            assert!(explained(&error).contains(expected), "{}", explained(&error));
        }
    }
}
