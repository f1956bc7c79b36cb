//! Who may ask over TCP, and the audit of who changed what.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_operations::{Caller, Failure, Gate, Record, Role};
use mailhaul_store::{AuditEntry, Store};

/// Tokens and audit of one data directory.
pub(crate) struct StoreGate(pub(crate) Store);

/// The roles by the names under which the store keeps them.
pub(crate) const ROLES: [(&str, Role); 3] =
    [("Viewer", Role::Viewer), ("Operator", Role::Operator), ("Admin", Role::Admin)];

impl Gate for StoreGate {
    fn admit<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Caller>, Failure>> {
        Box::pin(async move {
            let found = self.0.check_token(&Secret::new(token), Timestamp::now()).await;
            let Some(token) = found.map_err(Failure::internal)? else { return Ok(None) };
            let role = ROLES.iter().find(|(name, _)| *name == token.role).map(|(_, role)| *role);
            Ok(role.map(|role| Caller { name: token.name, role, is_local: false }))
        })
    }

    fn record(&self, record: Record) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let entry = AuditEntry {
                time: Timestamp::now(),
                who: record.caller.name,
                operation: record.operation,
                identity: record.identity.unwrap_or_default(),
                outcome: record.outcome.map_or_else(|failure| failure.to_string(), |()| "Done".to_owned()),
            };
            if let Err(error) = self.0.append_audit(entry).await {
                tracing::error!("the audit log: {error}");
            }
        })
    }
}
