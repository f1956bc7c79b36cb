//! The store against the engine's words, against the tables of `migration`, and against what can happen to files.

mod ledger;
