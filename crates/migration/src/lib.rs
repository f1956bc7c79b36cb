//! The service's nouns: for now the migration users, and the CSV file that lists them.

mod csv;
mod rows;
mod user;

pub use csv::{COLUMNS, CsvError, CsvOptions, MAX_OCTETS, MAX_ROWS, Place, UserList, read_users};
pub use user::MigrationUser;
