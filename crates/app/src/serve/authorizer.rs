//! Token authorization for requests over TCP, and the audit log.

use axum::http::request::Parts;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_operations::{Caller, Failure, Gate, Record};
use mailhaul_store::{AuditEntry, Store};
use parking_lot::Mutex;

use super::{
    events::feed::{Change, Feed, FeedEvent},
    refusals::{Recorded, Refusals},
    roles::ROLES,
    session::{LastUse, Sessions},
};

/// Maximum characters of a name in the audit log.
const MAX_NAME: usize = 256;
/// Maximum characters of an outcome in the audit log.
const MAX_OUTCOME: usize = 1000;

/// Tokens, sessions and audit log of one data directory.
pub(crate) struct Authorizer {
    store: Store,
    sessions: Sessions,
    feed: Feed,
    refusals: Mutex<Refusals>,
}

impl Authorizer {
    pub(crate) fn new(store: Store, sessions: Sessions, feed: Feed) -> Self {
        Self { store, sessions, feed, refusals: Mutex::default() }
    }

    /// Records the number of refusals that were only counted. Call it before the service ends.
    pub(crate) async fn finish(&self) {
        let left_out = self.refusals.lock().take_left_out();
        for (who, refusals) in left_out {
            let outcome = format!("{refusals} earlier refusals of {who} are not recorded");
            let (time, operation, identity) = (Timestamp::now(), SEVERAL.to_owned(), String::new());
            self.append(AuditEntry { time, who, operation, identity, outcome }).await;
        }
    }

    async fn append(&self, entry: AuditEntry) {
        if let Err(error) = self.store.audit().append(entry).await {
            tracing::error!("the audit log: {error}");
        }
    }

    /// Text of an outcome for the audit log; `None` if the refusal is only counted.
    fn outcome(&self, who: &str, outcome: Result<(), Failure>, now: Timestamp) -> Option<String> {
        let Err(failure) = outcome else { return Some("Done".to_owned()) };
        let mut refusals = self.refusals.lock();
        let words = cut(&failure.to_string(), MAX_OUTCOME);
        match refusals.count(who, now) {
            Recorded::Yes { left_out: 0 } => Some(words),
            Recorded::Yes { left_out } => {
                Some(format!("{words} ({left_out} earlier refusals of {who} are not recorded)"))
            }
            Recorded::Last => Some(format!("{words} (further refusals of {who} are counted only)")),
            Recorded::No => None,
        }
    }
}

/// Name of the operation in an entry about refusals of several operations.
const SEVERAL: &str = "(several)";

/// Returns the text, shortened to `max` characters.
fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Change of an operation that succeeded; its name is that of the cmdlet.
fn change(record: &Record) -> Option<Change> {
    let (_, noun) = record.operation.split_once('-')?;
    let is_done = record.outcome.is_ok();
    let change = Change { noun: noun.to_owned(), identity: record.identity.clone(), batch: None };
    is_done.then_some(change)
}

impl Gate for Authorizer {
    fn admit<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Caller>, Failure>> {
        Box::pin(async move {
            let found = self.store.tokens().check(&Secret::new(token), Timestamp::now()).await;
            let Some(token) = found.map_err(Failure::internal)? else { return Ok(None) };
            let role = ROLES.iter().find(|(name, _)| *name == token.role).map(|(_, role)| *role);
            Ok(role.map(|role| Caller { name: token.name, role, is_local: false }))
        })
    }

    fn recognize<'a>(&'a self, head: &'a Parts) -> BoxFuture<'a, Result<Option<Caller>, Failure>> {
        Box::pin(async move {
            let found = self.sessions.find(head, LastUse::Update, Timestamp::now()).await?;
            Ok(found.map(|(caller, _)| caller))
        })
    }

    fn record(&self, record: Record) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(change) = change(&record) {
                self.feed.add(FeedEvent::Changed(change));
            }
            let time = Timestamp::now();
            let who = cut(&record.caller.name, MAX_NAME);
            let Some(outcome) = self.outcome(&who, record.outcome, time) else { return };
            let identity = cut(&record.identity.unwrap_or_default(), MAX_NAME);
            self.append(AuditEntry { time, who, operation: record.operation, identity, outcome }).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_operations::Role;

    use super::*;

    #[tokio::test]
    async fn refusals_by_the_thousand_with_long_names_stay_small() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path()).await.unwrap();
        let sessions = Sessions::new(store.clone(), data.path());
        let authorizer = Authorizer::new(store.clone(), sessions, Feed::new());
        let record = |name: &str, role: Role, outcome: Result<(), Failure>| Record {
            caller: Caller { name: name.to_owned(), role, is_local: false },
            operation: "Remove-MigrationBatch".to_owned(),
            identity: Some("x".repeat(60_000)),
            outcome,
        };
        for _ in 0..2000 {
            let refusal = Err(Failure::forbidden("y".repeat(60_000)));
            authorizer.record(record("eve", Role::Viewer, refusal)).await;
        }
        authorizer.record(record("ada", Role::Admin, Ok(()))).await;
        let log = store.audit().list(None, 1000).await.unwrap().items;
        assert_eq!(log.len(), 21);
        assert_eq!((log[0].who.as_str(), log[0].outcome.as_str()), ("ada", "Done"));
        assert!(log[1].outcome.ends_with("(further refusals of eve are counted only)"), "{:?}", log[1]);
        assert!(log.iter().all(|entry| entry.identity.len() < 300 && entry.outcome.len() < 1100));
        // At the end of the service the rest is recorded.
        authorizer.finish().await;
        let last = store.audit().list(None, 1).await.unwrap().items.remove(0);
        assert_eq!((last.who.as_str(), last.operation.as_str()), ("eve", "(several)"));
        assert_eq!(last.outcome, "1980 earlier refusals of eve are not recorded");
        authorizer.finish().await;
        assert_eq!(store.audit().list(None, 1000).await.unwrap().items.len(), 22);
        store.close().await;
    }
}
