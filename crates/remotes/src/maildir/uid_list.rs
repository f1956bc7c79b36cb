//! The file `dovecot-uidlist`, version 3: the UID of each file.
//!
//! ```text
//! 3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1
//! 25006 :1276528487.M364837P9451.kurkku,S=1355
//! 25017 W2481 :1276533073.M242911P3632.kurkku
//! ```
//!
//! The first line has UIDVALIDITY and a UID above all UIDs at the time of writing. Dovecot and mailhaul append
//! further lines. Unknown words in the first line and in front of names are kept.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    fmt::Write as _,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
};

use mailhaul_mail::{Uid, UidValidity};

use super::file_name::base_of;

/// The file, in the folder's directory.
pub(super) const FILE: &str = "dovecot-uidlist";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) uid: Uid,
    /// Further words of the line, each with a blank behind.
    told: String,
    /// The file name without flags.
    pub(super) base: OsString,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UidList {
    pub(super) validity: UidValidity,
    /// The next UID; 0 if none is left.
    next: u32,
    /// Further words of the first line, each with a blank in front.
    told: String,
    /// Ascending by UID.
    pub(super) entries: Vec<Entry>,
    /// True if lines can be appended to the file.
    pub(super) is_sound: bool,
}

impl UidList {
    /// A list for a folder that has none.
    pub(super) fn new(validity: UidValidity) -> Self {
        Self { validity, next: 1, told: String::new(), entries: Vec::new(), is_sound: false }
    }

    /// Reads the file. A broken line is skipped, and its file gets a new UID.
    ///
    /// Returns `None` if the first line is broken, because then no UID means anything.
    pub(super) fn parse(octets: &[u8]) -> Option<Self> {
        let mut lines = octets.split_inclusive(|it| *it == b'\n');
        let first = str::from_utf8(lines.next()?.strip_suffix(b"\n")?).ok()?;
        let mut words = first.split(' ');
        if words.next() != Some("3") {
            return None;
        }
        let (mut validity, mut next, mut told) = (None, 1, String::new());
        for word in words {
            match word.split_at_checked(1) {
                Some(("V", number)) => validity = number.parse().ok().and_then(UidValidity::new),
                Some(("N", number)) => next = number.parse().ok()?,
                _ => told.extend([" ", word]),
            }
        }
        let mut list = Self { told, next, is_sound: true, ..Self::new(validity?) };
        let mut known: HashMap<OsString, usize> = HashMap::new();
        for line in lines {
            let before = list.entries.last().map(|it| it.uid);
            let entry = line.strip_suffix(b"\n").and_then(entry).filter(|it| Some(it.uid) > before);
            let Some(entry) = entry else {
                list.is_sound = false;
                continue;
            };
            if list.next != 0 {
                list.next = entry.uid.get().checked_add(1).map_or(0, |above| list.next.max(above));
            }
            // The first UID of a file counts.
            if known.insert(entry.base.clone(), list.entries.len()).is_some() {
                list.is_sound = false;
                continue;
            }
            list.entries.push(entry);
        }
        Some(list)
    }

    /// The content of the file.
    pub(super) fn print(&self) -> Vec<u8> {
        let mut octets = format!("3 V{} N{}{}\n", self.validity, self.next, self.told).into_bytes();
        self.entries.iter().for_each(|entry| entry.print(&mut octets));
        octets
    }

    /// The UID of the next message.
    pub(super) fn next(&self) -> Option<Uid> {
        Uid::new(self.next)
    }

    /// Assigns the next UID to a file; `None` if none is left.
    pub(super) fn add(&mut self, base: &OsStr) -> Option<Uid> {
        let uid = self.next()?;
        self.next = self.next.checked_add(1).unwrap_or(0);
        self.entries.push(Entry { uid, told: String::new(), base: base.to_owned() });
        Some(uid)
    }
}

impl Entry {
    /// Writes the line.
    pub(super) fn print(&self, octets: &mut Vec<u8>) {
        let mut head = String::new();
        // Writing into a string does not fail.
        _ = write!(head, "{} {}:", self.uid, self.told);
        octets.extend_from_slice(head.as_bytes());
        octets.extend_from_slice(self.base.as_bytes());
        octets.push(b'\n');
    }
}

fn entry(line: &[u8]) -> Option<Entry> {
    let colon = line.iter().position(|it| *it == b':')?;
    let head = str::from_utf8(&line[..colon]).ok()?;
    let (uid, told) = head.split_once(' ')?;
    let is_fine =
        told.is_empty() || (told.ends_with(' ') && told.split(' ').all(|it| it.is_empty() || is_told(it)));
    let base = base_of(OsStr::from_bytes(&line[colon + 1..]));
    if !is_fine || base.is_empty() || base.as_bytes().contains(&b'/') || base.as_bytes().contains(&0) {
        return None;
    }
    let uid = uid.parse().ok().and_then(Uid::new)?;
    Some(Entry { uid, told: told.to_owned(), base: OsString::from_vec(base.as_bytes().to_vec()) })
}

/// A letter for the kind, and a value.
fn is_told(word: &str) -> bool {
    word.starts_with(|it: char| it.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written by a Dovecot 2.3.19 that had read a `Z120` from mailhaul.
    const DOVECOTS: &str = "3 V1234567 N8 G30524231cafd056b8b38000083ecc375\n\
        1 W34 :1700000000.M1P1Q1.mh,S=30,W=34,Z=+0530\n\
        7 Z120 :1700000000.M2P1Q2.mh,S=30,W=34,Z=-0730:2,S\n\
        8 :1700000000.M3P1Q3.mh,S=30,W=34\n";

    fn uids(list: &UidList) -> Vec<u32> {
        list.entries.iter().map(|it| it.uid.get()).collect()
    }

    #[test]
    fn dovecots_list_is_read_and_kept() {
        let mut list = UidList::parse(DOVECOTS.as_bytes()).unwrap();
        assert_eq!((list.validity.get(), list.next().unwrap().get(), list.is_sound), (1_234_567, 9, true));
        assert_eq!(uids(&list), [1, 7, 8]);
        assert_eq!(list.entries[1].base, "1700000000.M2P1Q2.mh,S=30,W=34,Z=-0730");
        assert_eq!(list.add(OsStr::new("new")).unwrap().get(), 9);
        let printed = String::from_utf8(list.print()).unwrap();
        let kept = DOVECOTS.replace(" N8", " N10").replace(":2,S", "");
        assert_eq!(printed, format!("{kept}9 :new\n"));
        assert_eq!(UidList::parse(printed.as_bytes()), Some(UidList { is_sound: true, ..list }));
    }

    #[test]
    fn a_line_that_is_broken_costs_its_uid_and_no_other() {
        for broken in [
            "9 :torn in the mid",
            "\0\0\0\0\n",
            "7 :again-lower\n",
            "9 w1 :x\n",
            "9 :a/b\n",
            "x :y\n",
            "9 :\n",
        ] {
            let list = UidList::parse(format!("{DOVECOTS}{broken}").as_bytes()).unwrap();
            assert_eq!((uids(&list), list.is_sound), (vec![1, 7, 8], false), "{broken:?}");
        }
        let twice = format!("{DOVECOTS}20 :1700000000.M1P1Q1.mh,S=30,W=34,Z=+0530\n");
        let list = UidList::parse(twice.as_bytes()).unwrap();
        assert_eq!((uids(&list), list.next().unwrap().get(), list.is_sound), (vec![1, 7, 8], 21, false));
        for nothing in ["", "3 V1 N1", "2 V1 N1\n", "3 V0 N1\n", "3 N1\n", "3 V1 Nx\n", "\0\0\0\0"] {
            assert_eq!(UidList::parse(nothing.as_bytes()), None, "{nothing:?}");
        }
    }

    #[test]
    fn the_last_uid_is_given_once() {
        let mut list = UidList::parse(b"3 V1 N4294967295\n").unwrap();
        assert_eq!(list.add(OsStr::new("a")).map(Uid::get), Some(u32::MAX));
        assert_eq!((list.add(OsStr::new("b")), list.next()), (None, None));
    }

    proptest! {
        #[test]
        fn anything_is_read_without_harm_and_what_is_read_is_printed_back(
            octets in prop::collection::vec(prop_oneof![
                Just(b'3'), Just(b' '), Just(b'V'), Just(b'N'), Just(b'1'), Just(b'9'), Just(b':'), Just(b'\n'), any::<u8>(),
            ], 0..80),
        ) {
            for octets in [octets.clone(), [b"3 V1 N1\n".as_slice(), &octets].concat()] {
                if let Some(list) = UidList::parse(&octets) {
                    prop_assert!(list.entries.windows(2).all(|pair| pair[0].uid < pair[1].uid));
                    let again = UidList::parse(&list.print()).unwrap();
                    prop_assert_eq!(again.entries, list.entries);
                    prop_assert!(again.next >= list.next || list.next == 0);
                }
            }
        }
    }
}
