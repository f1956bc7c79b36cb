//! Names of archives: one directory for each e-mail address.

use std::fmt::Write as _;

/// A file name that only this address has, whatever is in it: small letters, digits and `.-_@+` as they are, everything
/// else as `%` and two hexadecimal digits. Addresses that differ in the case of ASCII letters alone are the same user.
pub(crate) fn directory_name(email_address: &str) -> String {
    let mut name = String::new();
    for octet in email_address.to_ascii_lowercase().bytes() {
        let is_plain = octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"-_@+".contains(&octet);
        // A dot at the front would hide the directory, or lead out of it.
        if is_plain || (octet == b'.' && !name.is_empty()) {
            name.push(char::from(octet));
        } else {
            _ = write!(name, "%{octet:02x}");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_and_apart() {
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
