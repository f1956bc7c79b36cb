//! Modified UTF-7, the encoding of mailbox names (RFC 3501, section 5.1.3).

use base64::{Engine as _, alphabet, engine::GeneralPurpose, engine::general_purpose::NO_PAD};

/// Base64 with `,` for `/` and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::IMAP_MUTF7, NO_PAD);

/// Encodes text: printable ASCII as it is, `&` as `&-`, everything else as UTF-16 in base64.
pub(crate) fn encode(text: &str) -> Vec<u8> {
    let mut wire = Vec::with_capacity(text.len());
    let mut pending = Vec::new();
    for character in text.chars() {
        if matches!(character, ' '..='~') {
            flush(&mut pending, &mut wire);
            wire.push(character as u8);
            if character == '&' {
                wire.push(b'-');
            }
        } else {
            let mut units = [0; 2];
            pending.extend(character.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut pending, &mut wire);
    wire
}

fn flush(pending: &mut Vec<u8>, wire: &mut Vec<u8>) {
    if !pending.is_empty() {
        wire.push(b'&');
        wire.extend_from_slice(BASE64.encode(&pending).as_bytes());
        wire.push(b'-');
        pending.clear();
    }
}

/// Decodes a name. Returns `None` unless encoding the text gives the same bytes again.
///
/// Two names on a server thus never become the same text.
pub(crate) fn decode(wire: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(wire.len());
    let mut rest = wire;
    while let Some((&first, after)) = rest.split_first() {
        match first {
            b'&' => {
                let end = after.iter().position(|&octet| octet == b'-')?;
                let (encoded, tail) = (&after[..end], &after[end + 1..]);
                if encoded.is_empty() {
                    text.push('&');
                } else {
                    let octets = BASE64.decode(encoded).ok()?;
                    let (pairs, odd) = octets.as_chunks::<2>();
                    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
                    text.push_str(&String::from_utf16(&units).ok().filter(|_| odd.is_empty())?);
                }
                rest = tail;
            }
            b' '..=b'~' => {
                text.push(char::from(first));
                rest = after;
            }
            _ => return None,
        }
    }
    if encode(&text) == wire { Some(text) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_names() {
        for (text, wire) in [
            ("Gelöscht/日本語", "Gel&APY-scht/&ZeVnLIqe-"),
            ("&-tilde~", "&--tilde~"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("", ""),
            ("\u{1F4E7}", "&2D3c5w-"),
        ] {
            assert_eq!(encode(text), wire.as_bytes());
            assert_eq!(decode(wire.as_bytes()).as_deref(), Some(text));
        }
    }

    #[test]
    fn names_that_are_not_canonical_are_not_decoded() {
        for wire in ["&", "&APY", "&AGE-", "a&b", "&2D0-", "&APY-&APY-", "gr\u{fc}n", "&A-"] {
            assert_eq!(decode(wire.as_bytes()), None, "{wire:?}");
        }
    }

    proptest! {
        #[test]
        fn every_text_survives(text in ".{0,20}") {
            prop_assert_eq!(decode(&encode(&text)), Some(text));
        }
    }
}
