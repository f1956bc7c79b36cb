//! Mailbox check of one user: opens both mailboxes before any mail is moved.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_engine::{Error, ErrorKind, Side, Slot};
use mailhaul_mail::{Retry, Scope};
use mailhaul_migration::{Guid, MigrationUser, Opening};
use mailhaul_store::{CheckEnd, ClaimedCheck};

use super::{progress::ConnectionPair, service_context::ServiceContext, verdict::failure, workers::Worker};

/// Wait after the first check without a result. It doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_mins(1);
/// Longest wait between checks.
pub(super) const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Maximum time of a check. Its place is then free for other users.
const CHECK_TIMEOUT: Duration = Duration::from_mins(1);

/// Meaning of an error for the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// The mailbox does not open.
    Closed,
    /// Unknown: the check must be repeated.
    Later,
    /// Unknown, and other checks at this endpoint would get the same error.
    LaterForAll,
}

fn meaning(error: &Error) -> Meaning {
    match (error.retry, error.scope, error.kind) {
        // The cause is this program, this machine or a stop, and not the mailbox.
        (_, _, ErrorKind::Ledger | ErrorKind::Damaged | ErrorKind::Internal | ErrorKind::Interrupted) => {
            Meaning::Later
        }
        (_, Scope::Endpoint, _) => Meaning::LaterForAll,
        (Retry::Never, ..) => Meaning::Closed,
        _ => Meaning::Later,
    }
}

/// Wait before the next check.
fn wait(error: &Error, attempts: u32) -> Duration {
    match error.retry {
        Retry::After(Some(exactly)) => exactly,
        // Only another check can find out that the fault is gone.
        Retry::Now | Retry::After(None) | Retry::Never => {
            (FIRST_WAIT * (1 << attempts.min(8))).min(LONGEST_WAIT)
        }
    }
}

/// Results of both mailboxes. There is no target result if the mail goes to the archive.
struct CheckResults {
    source: Result<(), Error>,
    target: Option<Result<(), Error>>,
}

impl CheckResults {
    /// Errors that say nothing about a mailbox.
    fn obstacles(&self) -> impl Iterator<Item = &Error> {
        let outcomes = [Some(&self.source), self.target.as_ref()];
        let errors = outcomes.into_iter().flatten().filter_map(|it| it.as_ref().err());
        errors.filter(|it| meaning(it) != Meaning::Closed)
    }

    fn end(&self, attempts: u32, now: Timestamp) -> CheckEnd {
        match self.obstacles().max_by_key(|it| wait(it, attempts)) {
            Some(error) => {
                let due = now.checked_add(wait(error, attempts)).unwrap_or(Timestamp::MAX);
                CheckEnd::Later { due, reason: error.message.clone() }
            }
            None => {
                CheckEnd::Known { source: opening(&self.source), target: self.target.as_ref().map(opening) }
            }
        }
    }
}

fn opening(outcome: &Result<(), Error>) -> Opening {
    match outcome {
        Ok(()) => Opening::Opened,
        Err(error) => Opening::Failed(failure(error, false)),
    }
}

impl ServiceContext {
    /// Checks one user, and saves the result. Holds the place until the end.
    pub(super) async fn check(self, claimed: ClaimedCheck, worker: Worker, place: Slot) {
        let ClaimedCheck { user, number } = claimed;
        let running = tokio::spawn({
            let (context, worker, user) = (self.clone(), worker.clone(), user.clone());
            async move {
                tokio::select! {
                    results = Box::pin(context.open_both(&user)) => results,
                    () = worker.stop.cancelled() => Err(Error::interrupted()),
                    () = tokio::time::sleep(CHECK_TIMEOUT) => {
                        let words = format!("the mailboxes were not opened within {} s", CHECK_TIMEOUT.as_secs());
                        Err(Error::new(Scope::Mailbox, Retry::Now, ErrorKind::Connection, words))
                    }
                }
            }
        });
        let now = self.store.now();
        let attempts = user.check.attempts;
        let end = match running.await {
            Ok(Ok(results)) => {
                for error in results.obstacles() {
                    self.delay_others(error, &worker, attempts).await;
                }
                results.end(attempts, self.store.now())
            }
            // The check starts again at once: other users need the place only for a while.
            Ok(Err(error)) if error.kind == ErrorKind::Interrupted => {
                CheckEnd::Later { due: now, reason: "the check was interrupted".to_owned() }
            }
            Ok(Err(error)) => {
                CheckResults { source: Err(error), target: None }.end(attempts, self.store.now())
            }
            Err(_) => {
                let error = Error::new(
                    Scope::Mailbox,
                    Retry::After(Some(LONGEST_WAIT)),
                    ErrorKind::Internal,
                    "internal error",
                );
                CheckResults { source: Err(error), target: None }.end(attempts, self.store.now())
            }
        };
        if let Err(error) = self.store.checks().end(user.guid, number, end, self.store.now()).await {
            // The check is due again after its timeout in the database.
            tracing::error!("the check of {} was not saved: {error}", user.email_address);
        }
        drop(place);
        self.workers.ended(user.guid);
    }

    /// Opens both mailboxes at the same time, as a pass would.
    async fn open_both(&self, user: &MigrationUser) -> Result<CheckResults, Error> {
        let route = self.route(user).await?;
        let from = async {
            let mailbox = self.source(user, &route).await;
            mailbox.map_err(|it| it.at(Side::Source))?.check_access().await
        };
        let to = async {
            let target = route.target.as_ref()?;
            let opened = async {
                let mailbox = self.target(user, target).await;
                mailbox.map_err(|it| it.at(Side::Target))?.check_access().await
            };
            Some(opened.await)
        };
        let (source, target) = tokio::join!(from, to);
        Ok(CheckResults { source, target })
    }

    /// Delays other checks that would get the same error.
    async fn delay_others(&self, error: &Error, worker: &Worker, attempts: u32) {
        self.apply_to_endpoint(error, ConnectionPair::First, worker).await;
        if meaning(error) != Meaning::LaterForAll {
            return;
        }
        let endpoint: Option<Guid> = match error.side {
            Some(Side::Source) => Some(worker.source.endpoint),
            Some(Side::Target) => worker.target.as_ref().map(|it| it.endpoint),
            None => None,
        };
        let Some(endpoint) = endpoint else { return };
        let due = self.store.now().checked_add(wait(error, attempts)).unwrap_or(Timestamp::MAX);
        match self.store.checks().delay(endpoint, due, error.message.clone()).await {
            // Another check with the same error has logged it.
            Ok(0) => {}
            Ok(users) => tracing::warn!("{users} checks are delayed until {due:.0}: {}", error.message),
            Err(error) => tracing::error!("checks were not delayed: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(scope: Scope, retry: Retry, kind: ErrorKind) -> Error {
        Error::new(scope, retry, kind, format!("{kind:?}"))
    }

    #[test]
    fn only_refusals_of_this_mailbox_close_it() {
        use ErrorKind as K;
        let soon = Retry::After(None);
        let table = [
            (Scope::Mailbox, Retry::Never, K::Authentication, Meaning::Closed),
            (Scope::Folder, Retry::Never, K::Refused, Meaning::Closed),
            (Scope::Endpoint, Retry::Never, K::Authentication, Meaning::LaterForAll),
            (Scope::Endpoint, Retry::Never, K::Connection, Meaning::LaterForAll),
            (Scope::Endpoint, soon, K::Throttled, Meaning::LaterForAll),
            (Scope::Mailbox, soon, K::Throttled, Meaning::Later),
            (Scope::Session, Retry::Now, K::Connection, Meaning::Later),
            (Scope::Endpoint, Retry::Never, K::Ledger, Meaning::Later),
        ];
        for (scope, retry, kind, expected) in table {
            assert_eq!(meaning(&error(scope, retry, kind)), expected, "{scope} {retry:?} {kind:?}");
        }
    }

    #[test]
    fn a_check_ends_when_both_sides_are_known() {
        let now = Timestamp::UNIX_EPOCH;
        let refused = || error(Scope::Mailbox, Retry::Never, ErrorKind::Authentication);
        let away = |retry| error(Scope::Endpoint, retry, ErrorKind::Connection);
        let end = |source, target, attempts| CheckResults { source, target }.end(attempts, now);
        let CheckEnd::Known { source, target: Some(target) } = end(Ok(()), Some(Err(refused())), 3) else {
            panic!("it is known");
        };
        assert_eq!((source, target.failure().unwrap().message.as_str()), (Opening::Opened, "Authentication"));
        let archive = CheckEnd::Known { source: Opening::Opened, target: None };
        assert_eq!(end(Ok(()), None, 0), archive);
        let later = |seconds: i64, reason: &str| CheckEnd::Later {
            due: Timestamp::from_second(seconds).unwrap(),
            reason: reason.to_owned(),
        };
        assert_eq!(end(Err(refused()), Some(Err(away(Retry::Now))), 0), later(60, "Connection"));
        assert_eq!(end(Err(away(Retry::Never)), Some(Ok(())), 2), later(240, "Connection"));
        assert_eq!(end(Err(away(Retry::Now)), Some(Ok(())), 99), later(3600, "Connection"));
        let asked = away(Retry::After(Some(Duration::from_secs(7))));
        assert_eq!(end(Ok(()), Some(Err(asked)), 5), later(7, "Connection"));
    }
}
