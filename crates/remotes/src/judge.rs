//! Whether octets that came for a message are the message.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use bytes::Bytes;
use mailhaul_mail::Uid;

use crate::{
    ending,
    placeholder::{self, Placeholder},
};

/// Messages of which the size was told exactly, before another size is a reason to doubt.
const EXACT: u32 = 3;
/// One size that is an estimate among so many exact ones takes nothing from that.
const EXACT_BESIDE: u32 = 8;

/// What octets are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// They are the message.
    Sound,
    /// The message is asked for once more, alone, because of this.
    Doubtful(String),
    /// They are a text of the server in place of the message.
    Placeholder(String),
}

/// Judges the messages of one folder as they come.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// Messages that were as large as their RFC822.SIZE.
    exact: u32,
    /// Messages that came twice alike with another size than was told.
    estimated: u32,
    /// What came first of a message in doubt.
    doubts: BTreeMap<Uid, Octets>,
    /// Octets that came first of messages that end before they say so.
    cut: BTreeMap<Uid, u64>,
    /// Texts that this kind of server gives in place of messages.
    placeholders: &'static [Placeholder],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Octets {
    length: u64,
    hash: u64,
}

impl Judge {
    pub(crate) fn new(placeholders: &'static [Placeholder]) -> Self {
        Self { placeholders, ..Self::default() }
    }

    /// A message that came whole.
    pub(crate) fn whole(&mut self, uid: Uid, claimed: u64, body: &Bytes) -> Worth {
        // An empty body is what some servers give for a message that was just expunged (Courier).
        if body.is_empty() && claimed > 0 {
            return Worth::Doubtful("the server gives an empty body".to_owned());
        }
        if let Some(words) = placeholder::found(self.placeholders, body) {
            return Worth::Placeholder(words);
        }
        let length = body.len() as u64;
        match self.cut.get(&uid) {
            None if ending::is_cut(body) => {
                self.cut.insert(uid, length);
                let words = format!("the server gives {length} octets, and the message does not end there");
                return Worth::Doubtful(words);
            }
            Some(before) if length < *before => {
                let words = format!("the server gives {length} octets, and {before} before");
                return Worth::Doubtful(words);
            }
            // What no item gives more of is the message.
            Some(_) => return Worth::Sound,
            None => {}
        }
        self.sized(uid, claimed, length, || {
            let mut hasher = DefaultHasher::new();
            body.hash(&mut hasher);
            hasher.finish()
        })
    }

    /// True where another item may give more of the message.
    pub(crate) fn is_cut(&self, uid: Uid) -> bool {
        self.cut.contains_key(&uid)
    }

    /// A message that will be streamed, of so many octets.
    pub(crate) fn streamed(&mut self, uid: Uid, claimed: u64, length: u64) -> Worth {
        self.sized(uid, claimed, length, || 0)
    }

    /// RFC822.SIZE is exact on some servers and an estimate on others: one message that differs where the others do not is
    /// taken only when the same octets come twice.
    fn sized(&mut self, uid: Uid, claimed: u64, length: u64, hash: impl FnOnce() -> u64) -> Worth {
        let before = self.doubts.remove(&uid);
        if length == claimed {
            self.exact = self.exact.saturating_add(1);
            return Worth::Sound;
        }
        let are_exact = self.exact >= EXACT && self.exact / EXACT_BESIDE >= self.estimated;
        let is_taken_as_it_is = claimed == 0 || (before.is_none() && !are_exact);
        let octets = (!is_taken_as_it_is).then(|| Octets { length, hash: hash() });
        let Some(octets) = octets.filter(|it| before != Some(*it)) else {
            self.estimated = self.estimated.saturating_add(1);
            return Worth::Sound;
        };
        self.doubts.insert(uid, octets);
        let words = if before.is_some() { " each time differently" } else { "" };
        Worth::Doubtful(format!(
            "the server gives {length} octets{words} of a message of which it tells {claimed}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    fn judge(judge: &mut Judge, number: u32, claimed: u64, body: &str) -> bool {
        judge.whole(uid(number), claimed, &Bytes::copy_from_slice(body.as_bytes())) == Worth::Sound
    }

    #[test]
    fn where_sizes_are_exact_another_one_must_come_twice_alike() {
        let mut it = Judge::default();
        assert!((1..=8).all(|number| judge(&mut it, number, 5, "hello")));
        assert!(!judge(&mut it, 9, 9, "cut"));
        assert!(!judge(&mut it, 9, 9, "cu"), "not alike");
        assert!(judge(&mut it, 9, 9, "cu"));
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
    fn where_sizes_are_estimates_they_prove_nothing() {
        let mut it = Judge::default();
        assert!((1..=3).all(|number| judge(&mut it, number, 7, "hello")));
        assert!((4..=9).all(|number| judge(&mut it, number, 5, "hello")));
        assert!(judge(&mut it, 10, 9, "cut") && judge(&mut it, 11, 0, "cut"));
        assert_eq!(it.streamed(uid(12), 300_000, 300_001), Worth::Sound);
    }
}
