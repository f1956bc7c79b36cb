//! Who may ask over TCP, and the audit of who changed what.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_operations::{Caller, Failure, Gate, Record, Role};
use mailhaul_store::{AuditEntry, Store};
use parking_lot::Mutex;

use crate::refusals::{Recorded, Refusals};

/// Characters of a name in the audit log, and of an outcome.
const NAME: usize = 256;
const OUTCOME: usize = 1000;

/// Tokens and audit of one data directory.
pub(crate) struct StoreGate {
    store: Store,
    refusals: Mutex<Refusals>,
}

impl StoreGate {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, refusals: Mutex::default() }
    }

    /// Records how many refusals were only counted so far: nothing counts them after the end of the service.
    pub(crate) async fn finish(&self) {
        let left_out = self.refusals.lock().take_left_out();
        for (who, refusals) in left_out {
            let outcome = format!("{refusals} earlier refusals of {who} are not recorded");
            let (time, operation, identity) = (Timestamp::now(), SEVERAL.to_owned(), String::new());
            self.append(AuditEntry { time, who, operation, identity, outcome }).await;
        }
    }

    async fn append(&self, entry: AuditEntry) {
        if let Err(error) = self.store.append_audit(entry).await {
            tracing::error!("the audit log: {error}");
        }
    }

    /// What is said of an outcome; `None` where the refusal is one of too many.
    fn outcome(&self, who: &str, outcome: Result<(), Failure>, now: Timestamp) -> Option<String> {
        let Err(failure) = outcome else { return Some("Done".to_owned()) };
        let mut refusals = self.refusals.lock();
        let words = cut(&failure.to_string(), OUTCOME);
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

/// Stands for an operation where refusals of several are counted.
const SEVERAL: &str = "(several)";

/// The text, cut where it is too long.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// The roles by the names under which the store keeps them.
pub(crate) const ROLES: [(&str, Role); 3] =
    [("Viewer", Role::Viewer), ("Operator", Role::Operator), ("Admin", Role::Admin)];

impl Gate for StoreGate {
    fn admit<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Caller>, Failure>> {
        Box::pin(async move {
            let found = self.store.check_token(&Secret::new(token), Timestamp::now()).await;
            let Some(token) = found.map_err(Failure::internal)? else { return Ok(None) };
            let role = ROLES.iter().find(|(name, _)| *name == token.role).map(|(_, role)| *role);
            Ok(role.map(|role| Caller { name: token.name, role, is_local: false }))
        })
    }

    fn record(&self, record: Record) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let time = Timestamp::now();
            let who = cut(&record.caller.name, NAME);
            let Some(outcome) = self.outcome(&who, record.outcome, time) else { return };
            let identity = cut(&record.identity.unwrap_or_default(), NAME);
            self.append(AuditEntry { time, who, operation: record.operation, identity, outcome }).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn refusals_by_the_thousand_with_long_names_stay_small() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path()).await.unwrap();
        let gate = StoreGate::new(store.clone());
        let record = |name: &str, role: Role, outcome: Result<(), Failure>| Record {
            caller: Caller { name: name.to_owned(), role, is_local: false },
            operation: "Remove-MigrationBatch".to_owned(),
            identity: Some("x".repeat(60_000)),
            outcome,
        };
        for _ in 0..2000 {
            let refusal = Err(Failure::forbidden("y".repeat(60_000)));
            gate.record(record("eve", Role::Viewer, refusal)).await;
        }
        gate.record(record("ada", Role::Admin, Ok(()))).await;
        let log = store.audit_log(None, 1000).await.unwrap().items;
        assert_eq!(log.len(), 21);
        assert_eq!((log[0].who.as_str(), log[0].outcome.as_str()), ("ada", "Done"));
        assert!(log[1].outcome.ends_with("(further refusals of eve are counted only)"), "{:?}", log[1]);
        assert!(log.iter().all(|entry| entry.identity.len() < 300 && entry.outcome.len() < 1100));
        // The end of the service.
        gate.finish().await;
        let last = store.audit_log(None, 1).await.unwrap().items.remove(0);
        assert_eq!((last.who.as_str(), last.operation.as_str()), ("eve", "(several)"));
        assert_eq!(last.outcome, "1980 earlier refusals of eve are not recorded");
        gate.finish().await;
        assert_eq!(store.audit_log(None, 1000).await.unwrap().items.len(), 22);
        store.close().await;
    }
}
