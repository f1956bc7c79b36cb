//! Directory names of archives: one for each e-mail address.

use std::fmt::Write as _;

/// Returns a file name that only this address has.
///
/// Lower-case letters, digits and `.-_@+` stay; other bytes become `%` and two hexadecimal digits.
/// Addresses that differ only in the case of ASCII letters are the same user.
pub(crate) fn directory_name(email_address: &str) -> String {
    let mut name = String::new();
    for byte in email_address.to_ascii_lowercase().bytes() {
        let is_plain = byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_@+".contains(&byte);
        // A leading dot would hide the directory, or lead out of the archive.
        if is_plain || (byte == b'.' && !name.is_empty()) {
            name.push(char::from(byte));
        } else {
            _ = write!(name, "%{byte:02x}");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_unique() {
        for (address, name) in [
            ("terrya@contoso.edu", "terrya@contoso.edu"),
            ("TerryA@Contoso.edu", "terrya@contoso.edu"),
            ("../x", "%2e.%2fx"),
            ("..", "%2e."),
            ("a%2fb", "a%252fb"),
            ("jürgen@x", "j%c3%bcrgen@x"),
        ] {
            assert_eq!(directory_name(address), name);
        }
    }
}
