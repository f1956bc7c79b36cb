//! The database behind the ledger.
