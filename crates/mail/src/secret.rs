//! Values that must never be shown.

use std::fmt;

use zeroize::Zeroizing;

/// Password or token: wiped when dropped, and redacted by `Debug` in every build.
///
/// Any byte is allowed, because servers allow it. There is no `Display` and no serialisation.
/// [`Secret::expose`] returns the bytes, and is easy to search for.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    pub fn new(octets: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(octets.into()))
    }

    /// Returns the bytes, for the code that sends them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_octets() {
        let shown = format!("{:?}", Secret::new("hunter2"));
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(Secret::new("hunter2").expose(), b"hunter2");
    }
}
