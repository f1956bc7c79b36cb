//! The database behind the ledger: one `SQLite` file, `mailhaul.db`, in the data directory.
//!
//! [`Store`] is the file, [`MailboxLedger`] what it remembers of one mailbox's migration. One writer takes the
//! requests of all mailboxes that wait into one durable transaction; what is read comes from connections of their own.

mod apply;
mod database;
mod error;
mod ledger;
mod load;
mod lock;
mod reading;
mod store;
mod writer;

pub use error::StoreError;
pub use ledger::MailboxLedger;
pub use store::Store;

#[cfg(test)]
mod tests;
