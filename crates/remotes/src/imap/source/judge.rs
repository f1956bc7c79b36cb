//! Decides if the received bytes are the message.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hasher as _},
};

use bytes::Bytes;
use mailhaul_mail::Uid;

use crate::{
    imap::source::{
        ending,
        examination::{Examination, Facts},
        sizes::Sizes,
    },
    placeholder::{Placeholder, placeholder_reason},
};

/// Doubtful messages that are checked before anything else is requested, while the server's sizes are of
/// unknown accuracy.
const MOST_DOUBTS: usize = 3;

/// Verdict on a received body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BodyVerdict {
    /// The body is the message.
    Sound,
    /// The message is requested once more, alone, for this reason.
    Doubtful(String),
    /// The body is a text of the server in place of the message.
    Placeholder(String),
}

/// Judges the messages of one folder as they arrive.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    sizes: Sizes,
    /// The first body of each doubtful message.
    doubts: BTreeMap<Uid, Octets>,
    /// Doubtful messages that were checked and found complete.
    whole: BTreeMap<Uid, u64>,
    /// True after doubtful messages were requested together once more.
    were_asked_again: bool,
    /// Size of the first body of messages that seem cut (bytes).
    cut: BTreeMap<Uid, u64>,
    /// Texts that this kind of server sends in place of messages.
    placeholders: &'static [Placeholder],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Octets {
    length: u64,
    /// `None` if the body was not read.
    hash: Option<u64>,
}

impl Octets {
    fn is_like(self, other: Self) -> bool {
        let are_hashes_alike = self.hash.zip(other.hash).is_none_or(|(one, two)| one == two);
        self.length == other.length && are_hashes_alike
    }
}

impl Judge {
    pub(crate) fn new(placeholders: &'static [Placeholder], sizes: Sizes) -> Self {
        Self { sizes, placeholders, ..Self::default() }
    }

    pub(crate) fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// Judges a message that arrived in one piece.
    pub(crate) fn whole(&mut self, uid: Uid, claimed: u64, body: &Bytes) -> BodyVerdict {
        // Quirk: Courier sends an empty body for a message that was just expunged.
        if body.is_empty() && claimed > 0 {
            return BodyVerdict::Doubtful("the server sends an empty body".to_owned());
        }
        if let Some(words) = placeholder_reason(self.placeholders, body) {
            return BodyVerdict::Placeholder(words);
        }
        let length = body.len() as u64;
        match self.cut.get(&uid) {
            None if ending::is_cut(body) => {
                self.cut.insert(uid, length);
                let words = format!("the server sends {length} bytes, and the message does not end there");
                return BodyVerdict::Doubtful(words);
            }
            Some(before) if length < *before => {
                let words = format!("the server sends {length} bytes, and {before} before");
                return BodyVerdict::Doubtful(words);
            }
            // Another item gave the rest.
            Some(_) if !ending::is_cut(body) => return BodyVerdict::Sound,
            // No item gives more of it: its end is accepted.
            Some(_) | None => {}
        }
        self.sized(uid, claimed, length, || {
            let mut hasher = DefaultHasher::new();
            hasher.write(body);
            Some(hasher.finish())
        })
    }

    /// True if another item may give more of the message.
    pub(crate) fn is_cut(&self, uid: Uid) -> bool {
        self.cut.contains_key(&uid)
    }

    /// Judges a message of this length that will be streamed.
    pub(crate) fn streamed(&mut self, uid: Uid, claimed: u64, length: u64) -> BodyVerdict {
        self.sized(uid, claimed, length, || None)
    }

    /// Compares the size with RFC822.SIZE, which is exact on some servers and an estimate on others.
    ///
    /// A message of another size is accepted if other sizes differ as well, and enough of those messages
    /// were complete. Otherwise it is checked alone.
    fn sized(
        &mut self,
        uid: Uid,
        claimed: u64,
        length: u64,
        hash: impl FnOnce() -> Option<u64>,
    ) -> BodyVerdict {
        if length == claimed {
            self.doubts.remove(&uid);
            self.sizes.exact();
            return BodyVerdict::Sound;
        }
        if claimed == 0 || self.whole.get(&uid) == Some(&length) || self.sizes.takes(claimed, length) {
            self.doubts.remove(&uid);
            return BodyVerdict::Sound;
        }
        self.doubts.insert(uid, Octets { length, hash: hash() });
        BodyVerdict::Doubtful(differing(length, "", claimed))
    }

    /// True for a message with another size than reported, which must be checked alone.
    pub(crate) fn is_doubted(&self, uid: Uid) -> bool {
        self.doubts.contains_key(&uid)
    }

    /// Messages that are checked before others are requested, while the accuracy of the server's sizes is
    /// unknown.
    pub(crate) fn urgent(&self) -> impl Iterator<Item = Uid> + '_ {
        let is_urgent = self.doubts.len() >= MOST_DOUBTS && self.sizes.are_unknown();
        self.doubts.keys().copied().take(if is_urgent { MOST_DOUBTS } else { 0 })
    }

    /// Takes the doubtful messages, to request them again. Works once.
    pub(crate) fn take_doubts(&mut self) -> Vec<Uid> {
        if std::mem::replace(&mut self.were_asked_again, true) {
            return Vec::new();
        }
        std::mem::take(&mut self.doubts).into_keys().collect()
    }

    /// Ends the doubt about a message that was passed on or skipped.
    pub(crate) fn forget(&mut self, uid: Uid) {
        self.doubts.remove(&uid);
    }

    /// True if the message is shorter than reported.
    pub(crate) fn is_short(&self, uid: Uid, claimed: u64) -> bool {
        self.doubts.get(&uid).is_some_and(|it| it.length < claimed)
    }

    /// True if the message arrived as it did before.
    pub(crate) fn is_as_before(&self, uid: Uid, seen: &Examination) -> bool {
        let octets = Octets { length: seen.length(), hash: Some(seen.hash()) };
        self.doubts.get(&uid).is_none_or(|before| before.is_like(octets))
    }

    /// Checks a message that was read alone, to its end. Returns the reason against it.
    pub(crate) fn check(
        &mut self,
        uid: Uid,
        claimed: u64,
        seen: &Examination,
        facts: &Facts,
    ) -> Result<(), String> {
        let length = seen.length();
        let octets = Octets { length, hash: Some(seen.hash()) };
        let before = self.doubts.insert(uid, octets);
        let are_exact = self.sizes.are_exact();
        if length != claimed {
            if before.is_some_and(|before| !before.is_like(octets)) {
                return Err(differing(length, ", different ones each time,", claimed));
            }
            if let Some(words) = seen.contradiction(claimed, facts, are_exact) {
                return Err(words);
            }
            self.sizes.whole(claimed, length);
        }
        self.doubts.remove(&uid);
        self.whole.insert(uid, length);
        Ok(())
    }
}

fn differing(length: u64, how: &str, claimed: u64) -> String {
    format!("the server sends {length} bytes{how} of a message, and tells a size of {claimed}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    fn judge(judge: &mut Judge, number: u32, claimed: u64, body: &str) -> bool {
        judge.whole(uid(number), claimed, &Bytes::copy_from_slice(body.as_bytes())) == BodyVerdict::Sound
    }

    fn check(judge: &mut Judge, number: u32, claimed: u64, body: &str) -> Result<(), String> {
        let mut seen = Examination::default();
        seen.update(body.as_bytes());
        judge.check(uid(number), claimed, &seen, &Facts::default())
    }

    #[test]
    fn where_sizes_are_exact_another_one_is_checked() {
        let mut it = Judge::default();
        assert!((1..=8).all(|number| judge(&mut it, number, 5, "hello")));
        assert!(!judge(&mut it, 9, 3, "longer") && it.is_doubted(uid(9)));
        assert!(check(&mut it, 9, 3, "longe").unwrap_err().contains("different ones each time"));
        assert_eq!(check(&mut it, 9, 3, "longe"), Ok(()));
        assert!(judge(&mut it, 9, 3, "longe") && !it.is_doubted(uid(9)));
        assert!(!judge(&mut it, 10, 9, "cut") && judge(&mut it, 10, 9, "not cut 9"));
        assert!(!judge(&mut it, 11, 9, ""));
    }

    #[test]
    fn a_message_that_is_cut_is_taken_where_nothing_gives_more() {
        let whole = ending::tests::multipart(200);
        let (less, more) = (&whole[..whole.len() / 2], &whole[..]);
        let mut it = Judge::default();
        assert!(!judge(&mut it, 1, 0, less) && it.is_cut(uid(1)));
        assert!(judge(&mut it, 1, 0, more));
        assert!(!judge(&mut it, 2, 0, less) && !judge(&mut it, 2, 0, "less") && judge(&mut it, 2, 0, less));
        assert!(judge(&mut it, 3, 0, more));
    }

    #[test]
    fn where_sizes_are_estimates_three_are_checked_and_then_few() {
        let mut it = Judge::default();
        assert!((1..=3).all(|number| !judge(&mut it, number, 7, "hello\n")));
        assert_eq!(it.urgent().collect::<Vec<_>>(), [1, 2, 3].map(uid));
        assert!((1..=3).all(|number| check(&mut it, number, 7, "hello\n").is_ok()));
        assert_eq!(it.urgent().count(), 0);
        assert!(judge(&mut it, 4, 7, "hello\n") && judge(&mut it, 5, 0, "cut"));
        assert!(!judge(&mut it, 6, 7, "hel"), "worse than the others");
        assert_eq!(it.streamed(uid(12), 300_000, 270_000), BodyVerdict::Sound);
    }
}
