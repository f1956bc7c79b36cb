//! Handles: what a store offers, one subject each.

use crate::Store;

/// Declares each handle, and the method of [`Store`] that returns it.
macro_rules! handles {
    ($($(#[$doc:meta])* $method:ident: $handle:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy)]
            pub struct $handle<'s>(pub(crate) &'s Store);
        )*

        impl Store {
            $(
                $(#[$doc])*
                pub const fn $method(&self) -> $handle<'_> {
                    $handle(self)
                }
            )*
        }
    };
}

handles! {
    /// The audit log.
    audit: Audit;
    /// Batches.
    batches: Batches;
    /// Checks of mailboxes.
    checks: Checks;
    /// The configuration of the service.
    config: Configuration;
    /// Domains of batches, their mail records, and what the gate of a cut-over needs.
    cutover: Cutover;
    /// Endpoints.
    endpoints: Endpoints;
    /// Passes: which user is due, who runs it, what it used, and what stops it.
    jobs: Jobs;
    /// Ledgers of mailboxes.
    ledgers: Ledgers;
    /// Notifications: what is told, and its deliveries.
    outbox: Outbox;
    /// Nodes that serve this database, their shares of limits, and what they tell each other.
    nodes: Nodes;
    /// Reports of users: entries, folders, skipped messages, failures.
    reports: Reports;
    /// Sealed passwords and tokens, and the master key.
    secrets: Secrets;
    /// Sessions of browsers.
    sessions: ConsoleSessions;
    /// Bytes and messages by the minute.
    throughput: Throughput;
    /// Access tokens of the API.
    tokens: Tokens;
    /// Users of batches.
    users: UserRows;
}
