//! The service as a whole: progress of all batches, and the key that encrypts the passwords.

pub(crate) mod get_statistics;
pub(crate) mod new_master_key;
pub(crate) mod statistics_view;
