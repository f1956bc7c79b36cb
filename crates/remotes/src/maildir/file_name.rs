//! The file name of a message: `UNIQUE,S=size,W=virtual size,Z=zone:2,FLAGS`.
//!
//! `S` and `W` are Dovecot's and Courier's: the size in bytes, and the size with every line end as CRLF.
//! `Z` is mailhaul's own: the time zone of INTERNALDATE, which the file's time cannot hold. Other programs
//! ignore it.

use std::{
    ffi::{OsStr, OsString},
    fmt::Write as _,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
};

/// Separates the unique part from the flags.
const INFO: &[u8] = b":2,";

/// Facts about a message in its file name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traits {
    /// Size of the file (bytes).
    pub(super) size: u64,
    /// Size with every line end as CRLF (bytes).
    pub(super) virtual_size: u64,
    /// Minutes east of Greenwich.
    pub(super) zone: Option<i16>,
}

/// The unique part of a new name.
pub(super) fn base(unique: &str, traits: &Traits) -> OsString {
    let Traits { size, virtual_size, zone } = traits;
    let mut name = format!("{unique},S={size},W={virtual_size}");
    if let Some(zone) = zone {
        let (sign, minutes) = (if *zone < 0 { '-' } else { '+' }, zone.unsigned_abs());
        // Writing into a string does not fail.
        _ = write!(name, ",Z={sign}{:02}{:02}", minutes / 60, minutes % 60);
    }
    name.into()
}

/// The unique part of a name, which stays when the flags change.
pub(super) fn base_of(name: &OsStr) -> &OsStr {
    let octets = name.as_bytes();
    let end = octets.iter().position(|it| *it == b':').unwrap_or(octets.len());
    OsStr::from_bytes(&octets[..end])
}

/// The letters of the flags; empty if the name has none.
pub(super) fn letters_of(name: &OsStr) -> &[u8] {
    let octets = name.as_bytes();
    octets[base_of(name).len()..].strip_prefix(INFO).unwrap_or_default()
}

/// The name of the message with these flags.
pub(super) fn with_letters(base: &OsStr, letters: &[u8]) -> OsString {
    let mut letters = letters.to_vec();
    letters.sort_unstable();
    letters.dedup();
    OsString::from_vec([base.as_bytes(), INFO, &letters].concat())
}

/// Replaces the unique name and keeps the facts.
pub(super) fn renamed(base: &OsStr, unique: &str) -> OsString {
    let octets = base.as_bytes();
    let told = octets.iter().position(|it| *it == b',').map_or(&[][..], |index| &octets[index..]);
    OsString::from_vec([unique.as_bytes(), told].concat())
}

/// Time zone in the name, in minutes east of Greenwich.
pub(super) fn zone_of(name: &OsStr) -> Option<i16> {
    let told = base_of(name).as_bytes().split(|it| *it == b',').find_map(|it| it.strip_prefix(b"Z="))?;
    let (sign, digits) = str::from_utf8(told).ok()?.split_at_checked(1)?;
    let number: i16 = digits.parse().ok().filter(|_| digits.len() == 4 && !digits.starts_with(['+', '-']))?;
    let minutes = number / 100 * 60 + number % 100;
    match sign {
        "+" => Some(minutes),
        "-" => Some(-minutes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_it_was_given() {
        for (zone, text) in [(0, "+0000"), (345, "+0545"), (-450, "-0730"), (-1439, "-2359")] {
            let name = base("17.M1P2", &Traits { size: 10, virtual_size: 12, zone: Some(zone) });
            assert_eq!(name, *format!("17.M1P2,S=10,W=12,Z={text}"));
            let name = with_letters(&name, b"SaF");
            assert_eq!(name, *format!("17.M1P2,S=10,W=12,Z={text}:2,FSa"));
            assert_eq!(zone_of(&name), Some(zone));
            let moved = renamed(base_of(&name), "18.M1P2");
            assert_eq!(moved, *format!("18.M1P2,S=10,W=12,Z={text}"));
        }
        assert_eq!(base("x", &Traits::default()), *"x,S=0,W=0");
    }

    #[test]
    fn names_of_other_programs_are_understood() {
        for (name, own, letters, zone) in [
            ("1.a.host", "1.a.host", "", None),
            ("1.a.host:2,RSx", "1.a.host", "RSx", None),
            ("1.a.host:1,RS", "1.a.host", "", None),
            ("1.a,S=3,Z=east:2,", "1.a,S=3,Z=east", "", None),
            ("1.a,Z=+00:2,T", "1.a,Z=+00", "T", None),
        ] {
            let name = OsStr::new(name);
            assert_eq!((base_of(name), letters_of(name)), (OsStr::new(own), letters.as_bytes()));
            assert_eq!(zone_of(name), zone, "{name:?}");
        }
    }
}
