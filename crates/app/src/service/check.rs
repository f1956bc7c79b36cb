//! The check of one user: both mailboxes are opened, before any mail is moved, to know whether they can be.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_engine::{Error, ErrorKind, Place, Side};
use mailhaul_mail::{Retry, Scope};
use mailhaul_migration::{Guid, MigrationUser, Opening};
use mailhaul_store::{CheckEnd, ClaimedCheck};

use super::{progress::Lane, verdict::failure, workers::Worker, workplace::Workplace};

/// Where nothing was found out: so long until the next try, and twice as long after each further one.
const FIRST_WAIT: Duration = Duration::from_mins(1);
/// The longest wait.
pub(super) const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// How long a check may take before its place is given to others.
const LONGEST_CHECK: Duration = Duration::from_mins(1);

/// What an error says about the mailbox that was to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// It cannot be opened.
    Closed,
    /// Nothing: to be tried again.
    Later,
    /// Nothing, and it would be the same for all others at this end.
    LaterForAll,
}

fn meaning(error: &Error) -> Meaning {
    match (error.retry, error.scope, error.kind) {
        // It is this program, this machine or its order to stop that failed, and not the mailbox.
        (_, _, ErrorKind::Ledger | ErrorKind::Damaged | ErrorKind::Internal | ErrorKind::Interrupted) => {
            Meaning::Later
        }
        (_, Scope::Endpoint, _) => Meaning::LaterForAll,
        (Retry::Never, ..) => Meaning::Closed,
        _ => Meaning::Later,
    }
}

/// How long to wait before another try, after so many.
fn wait(error: &Error, attempts: u32) -> Duration {
    match error.retry {
        Retry::After(Some(exactly)) => exactly,
        // Only another try tells that somebody has mended it.
        Retry::Now | Retry::After(None) | Retry::Never => {
            (FIRST_WAIT * (1 << attempts.min(8))).min(LONGEST_WAIT)
        }
    }
}

/// Both ends of a check; there is no target where mail goes to the archive.
struct Tried {
    source: Result<(), Error>,
    target: Option<Result<(), Error>>,
}

impl Tried {
    /// The errors that say nothing about a mailbox.
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

impl Workplace {
    /// Checks one user, and keeps what is found. The place is held to the end.
    pub(super) async fn check(self, claimed: ClaimedCheck, worker: Worker, place: Place) {
        let ClaimedCheck { user, number } = claimed;
        let trying = tokio::spawn({
            let (workplace, worker, user) = (self.clone(), worker.clone(), user.clone());
            async move {
                tokio::select! {
                    tried = Box::pin(workplace.try_out(&user)) => tried,
                    () = worker.stop.cancelled() => Err(Error::interrupted()),
                    () = tokio::time::sleep(LONGEST_CHECK) => {
                        let words = format!("the mailboxes were not opened within {} s", LONGEST_CHECK.as_secs());
                        Err(Error::new(Scope::Mailbox, Retry::Now, ErrorKind::Connection, words))
                    }
                }
            }
        });
        let now = Timestamp::now();
        let attempts = user.check.attempts;
        let end = match trying.await {
            Ok(Ok(tried)) => {
                for error in tried.obstacles() {
                    self.put_off(error, &worker, attempts).await;
                }
                tried.end(attempts, Timestamp::now())
            }
            // Whoever takes the place gives it back soon.
            Ok(Err(error)) if error.kind == ErrorKind::Interrupted => {
                CheckEnd::Later { due: now, reason: "it was interrupted".to_owned() }
            }
            Ok(Err(error)) => Tried { source: Err(error), target: None }.end(attempts, Timestamp::now()),
            Err(_) => {
                let error = Error::new(
                    Scope::Mailbox,
                    Retry::After(Some(LONGEST_WAIT)),
                    ErrorKind::Internal,
                    "the program made a mistake",
                );
                Tried { source: Err(error), target: None }.end(attempts, Timestamp::now())
            }
        };
        if let Err(error) = self.store.end_check(user.guid, number, end, Timestamp::now()).await {
            // It is due again when nobody believes any more that somebody is at it.
            tracing::error!("the check of {}: {error}", user.email_address);
        }
        drop(place);
        self.workers.ended(user.guid);
    }

    /// Opens both at once, as whoever makes a pass would.
    async fn try_out(&self, user: &MigrationUser) -> Result<Tried, Error> {
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
        Ok(Tried { source, target })
    }

    /// Spares others what this check met, where they would meet it too.
    async fn put_off(&self, error: &Error, worker: &Worker, attempts: u32) {
        self.heed(error, Lane::First, worker).await;
        if meaning(error) != Meaning::LaterForAll {
            return;
        }
        let endpoint: Option<Guid> = match error.side {
            Some(Side::Source) => Some(worker.source.endpoint),
            Some(Side::Target) => worker.target.as_ref().map(|it| it.endpoint),
            None => None,
        };
        let Some(endpoint) = endpoint else { return };
        let due = Timestamp::now().checked_add(wait(error, attempts)).unwrap_or(Timestamp::MAX);
        match self.store.delay_checks(endpoint, due, error.message.clone()).await {
            // Those who were under way with it say it once.
            Ok(0) => {}
            Ok(users) => tracing::warn!("{users} checks are put off until {due:.0}: {}", error.message),
            Err(error) => tracing::error!("checks are not put off: {error}"),
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
    fn only_what_this_mailbox_is_refused_is_found_wrong_with_it() {
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
    fn a_check_is_done_when_both_ends_are_known() {
        let now = Timestamp::UNIX_EPOCH;
        let refused = || error(Scope::Mailbox, Retry::Never, ErrorKind::Authentication);
        let away = |retry| error(Scope::Endpoint, retry, ErrorKind::Connection);
        let end = |source, target, attempts| Tried { source, target }.end(attempts, now);
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
