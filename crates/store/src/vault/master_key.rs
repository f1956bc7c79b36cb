//! The master key, which the administrator keeps.

use base64::{Engine, engine::general_purpose};
use zeroize::Zeroizing;

use super::seal::{KeyId, Vault};
use crate::db::error::Fault;

/// Bytes of a key.
const LENGTH: usize = 32;

/// First line of a key file that mailhaul writes.
const COMMENT: &str =
    "# The master key of mailhaul's vault: without it the stored passwords cannot be opened.";

/// The master key. Its memory is wiped when it is dropped.
pub(crate) struct MasterKey(Zeroizing<[u8; LENGTH]>);

impl MasterKey {
    /// Creates a key from the system's random numbers.
    pub(crate) fn random() -> Result<Self, Fault> {
        let mut octets = Zeroizing::new([0; LENGTH]);
        getrandom::fill(octets.as_mut_slice())?;
        Ok(Self(octets))
    }

    /// Parses the text of a key file; `None` if it is invalid.
    ///
    /// Each key is a line with 32 bytes in hexadecimal or base64. While the key is changed there are two: the new one
    /// comes first. Empty lines and lines that begin with `#` are ignored.
    pub(crate) fn parse_all(text: &str) -> Option<Vec<Self>> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Vec<Self> = lines.map(Self::of_line).collect::<Option<_>>()?;
        (1..=2).contains(&keys.len()).then_some(keys)
    }

    fn of_line(line: &str) -> Option<Self> {
        let octets =
            Zeroizing::new(if line.len() == 2 * LENGTH { hexadecimal(line)? } else { base64(line)? });
        let mut key = Zeroizing::new([0; LENGTH]);
        if octets.len() != LENGTH {
            return None;
        }
        key.copy_from_slice(&octets);
        Some(Self(key))
    }

    /// Returns the text that [`MasterKey::parse_all`] reads.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(general_purpose::STANDARD.encode(self.0.as_slice()));
        Zeroizing::new(format!("{COMMENT}\n{}\n", *key))
    }

    /// Returns the id by which rows name the key.
    pub(crate) fn id(&self) -> KeyId {
        let derived = Zeroizing::new(blake3::derive_key("mailhaul 2026 vault: key id", self.0.as_slice()));
        let mut id = KeyId::default();
        id.copy_from_slice(&derived[..size_of::<KeyId>()]);
        id
    }

    /// Returns the vault of this key.
    ///
    /// It has a derived key: the master key itself never seals anything.
    pub(crate) fn vault(&self) -> Vault {
        let derived = Zeroizing::new(blake3::derive_key("mailhaul 2026 vault: passwords", self.0.as_slice()));
        Vault::new(self.id(), &derived)
    }
}

fn hexadecimal(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|it| u8::try_from(it).ok());
    // The full capacity from the start: a vector that grows leaves copies in memory.
    let mut octets = Zeroizing::new(Vec::with_capacity(LENGTH));
    for pair in text.as_bytes().chunks_exact(2) {
        octets.push(digit(pair[0])? << 4 | digit(pair[1])?);
    }
    Some(octets)
}

fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let read = general_purpose::STANDARD.decode(text);
    read.or_else(|_| general_purpose::STANDARD_NO_PAD.decode(text)).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> MasterKey {
        let mut keys = MasterKey::parse_all(text).unwrap();
        assert_eq!(keys.len(), 1);
        keys.remove(0)
    }

    #[test]
    fn a_key_is_read_as_it_is_written_and_in_hexadecimal() {
        let key = MasterKey::random().unwrap();
        let read = only(&key.text());
        assert_eq!((read.0.as_slice(), read.id()), (key.0.as_slice(), key.id()));
        let digits = key.0.map(|octet| format!("{octet:02X}")).concat();
        assert_eq!(only(&format!("\n # mine\r\n{digits}\r\n")).id(), key.id());
        assert_ne!(MasterKey::random().unwrap().id(), key.id());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let key = general_purpose::STANDARD.encode([7; 32]);
        assert!(MasterKey::parse_all(&key).is_some());
        let two = format!("{key}\n{}", "5a".repeat(32));
        assert_eq!(MasterKey::parse_all(&two).unwrap().len(), 2);
        for wrong in [
            "",
            "# nothing\n",
            "secret",
            &format!("{key}\n{key}\n{key}"),
            &general_purpose::STANDARD.encode([7; 31]),
            &general_purpose::STANDARD.encode([7; 33]),
            &"+7".repeat(32),
            &"zz".repeat(32),
            &"\u{e9}".repeat(32),
        ] {
            assert!(MasterKey::parse_all(wrong).is_none(), "{wrong:?}");
        }
    }
}
