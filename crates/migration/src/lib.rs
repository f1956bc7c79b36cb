//! The service's nouns: for now the CSV of migration users.
