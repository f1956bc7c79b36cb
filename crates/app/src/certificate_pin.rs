//! SHA-256 of the only certificate that is trusted.

/// SHA-256 of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pin(pub(crate) [u8; 32]);

/// Parses hexadecimal digits, with or without colons.
pub(crate) fn pin(text: &str) -> Result<Pin, String> {
    const FORM: &str = "write the 64 hexadecimal digits of the certificate's SHA-256, with or without colons";
    let digits: String = text.chars().filter(|it| *it != ':').collect();
    let mut bytes = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return Err(FORM.to_owned());
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).map_err(|_| FORM.to_owned())?;
    }
    Ok(Pin(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_may_have_colons() {
        let digits = "ab".repeat(32);
        assert_eq!(pin(&digits), Ok(Pin([0xab; 32])));
        assert_eq!(pin(&["AB"; 32].join(":")), Ok(Pin([0xab; 32])));
        assert!(pin("abcd").is_err() && pin(&"zz".repeat(32)).is_err());
    }
}
