//! The CSV file that lists mailboxes.

use mailhaul_migration::{CsvOptions, MAX_KEPT_ERRORS, read_users};

/// The first byte selects the options, the rest is the file.
pub fn csv(octets: &[u8]) {
    let Some((flags, file)) = octets.split_first() else { return };
    let options = CsvOptions {
        allow_unknown_columns: flags & 1 != 0,
        without_passwords: flags & 2 != 0,
        without_user_names: flags & 4 != 0,
    };
    match read_users(file, options) {
        Ok(list) => {
            assert!(!list.users.is_empty());
            assert!(list.users.iter().all(|user| user.email_address.contains('@') && user.row > 1));
            assert!(list.users.len() + list.left_out == list.rows && list.warnings.len() < 2000);
            assert!(options.without_passwords || list.users.iter().all(|user| user.password.is_some()));
            assert!(list.users.windows(2).all(|pair| pair[0].row < pair[1].row));
        }
        Err(errors) => {
            assert!(errors.count() > 0 && errors.kept().len() <= MAX_KEPT_ERRORS);
            assert!(errors.to_string().lines().count() <= 22);
        }
    }
}
