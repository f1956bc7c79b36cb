//! Pairing of two message lists as multisets.
//!
//! A fingerprint is evidence, not identity. If it is ambiguous, digests decide; true duplicates stay duplicates.

use std::collections::{BTreeMap, HashMap, HashSet};

use mailhaul_mail::{Digest, Digests, Fingerprint, Uid};

/// A message on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// UID on its side.
    pub uid: Uid,
    pub fingerprint: Fingerprint,
    /// Bytes as claimed.
    pub size: u64,
    /// Date of arrival in seconds since 1970; `None` if unknown.
    pub arrived: Option<i64>,
}

impl Candidate {
    /// True if the sizes are equal and no two known dates differ.
    fn is_like(&self, other: &Self) -> bool {
        self.size == other.size && self.arrived.zip(other.arrived).is_none_or(|(one, other)| one == other)
    }
}

/// Messages with one fingerprint, if it alone does not decide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doubt {
    pub left: Vec<Uid>,
    pub right: Vec<Uid>,
}

/// Result of a pairing by fingerprints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairing {
    /// Certain pairs of left and right.
    pub sure: Vec<(Uid, Uid)>,
    /// To be decided by digests.
    pub doubts: Vec<Doubt>,
}

/// Proof that two messages are the same, if their fingerprint occurs once on each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The fingerprint: the folder holds only our copies, and a mistake would lose no message.
    Fingerprint,
    /// The fingerprint, and equal size and date of arrival (an unknown date fits).
    ///
    /// The date separates versions of a draft.
    SizeAndDate,
    /// Only a digest of the bytes.
    Digest,
}

/// Pairs by fingerprint as the proof allows. Digests decide the rest.
pub fn pair_by_fingerprint(left: &[Candidate], right: &[Candidate], proof: Proof) -> Pairing {
    let mut groups: BTreeMap<Fingerprint, (Vec<&Candidate>, Vec<&Candidate>)> = BTreeMap::new();
    for candidate in left {
        groups.entry(candidate.fingerprint).or_default().0.push(candidate);
    }
    for candidate in right {
        // Only messages of the left side matter.
        if let Some(group) = groups.get_mut(&candidate.fingerprint) {
            group.1.push(candidate);
        }
    }
    let mut pairing = Pairing::default();
    for (left, right) in groups.into_values() {
        match (left.as_slice(), right.as_slice()) {
            (_, []) => {}
            ([one], [other])
                if proof == Proof::Fingerprint || (proof == Proof::SizeAndDate && one.is_like(other)) =>
            {
                pairing.sure.push((one.uid, other.uid));
            }
            _ => pairing.doubts.push(Doubt {
                left: left.iter().map(|it| it.uid).collect(),
                right: right.iter().map(|it| it.uid).collect(),
            }),
        }
    }
    pairing
}

/// Compared part of two digests.
type Rule = fn(&Digests) -> Digest;

const SAME_BYTES: Rule = |it| it.whole;
const SAME_TEXT: Rule = |it| it.text;

/// Pairs the messages of a doubt, which must share one fingerprint.
///
/// All bytes count first, then the text after the header, which alone proves nothing. Among equal messages, those that
/// `suit` each other are paired first.
pub fn pair_by_digests<L: Copy, R: Copy>(
    left: &[(L, Digests)],
    right: &[(R, Digests)],
    suit: impl Fn(L, R) -> bool,
) -> Vec<(L, R)> {
    pair(left, right, &[SAME_BYTES, SAME_TEXT], suit)
}

/// Pairs messages whose bytes are all equal, and no others.
pub(crate) fn pair_by_bytes<L: Copy, R: Copy>(
    left: &[(L, Digests)],
    right: &[(R, Digests)],
    suit: impl Fn(L, R) -> bool,
) -> Vec<(L, R)> {
    pair(left, right, &[SAME_BYTES], suit)
}

fn pair<L: Copy, R: Copy>(
    left: &[(L, Digests)],
    right: &[(R, Digests)],
    rules: &[Rule],
    suit: impl Fn(L, R) -> bool,
) -> Vec<(L, R)> {
    let (mut left, mut right) = (left.to_vec(), right.to_vec());
    let mut pairs = Vec::new();
    for (rule, only_suited) in rules.iter().flat_map(|rule| [(rule, true), (rule, false)]) {
        let mut positions: HashMap<Digest, Vec<usize>> = HashMap::new();
        for (place, (_, digests)) in right.iter().enumerate() {
            positions.entry(rule(digests)).or_default().push(place);
        }
        let mut is_paired = vec![false; right.len()];
        left.retain(|(key, digests)| {
            let Some(same) = positions.get_mut(&rule(digests)) else { return true };
            let fits = |place: &usize| !only_suited || suit(*key, right[*place].0);
            let Some(index) = same.iter().position(fits) else { return true };
            let place = same.remove(index);
            is_paired[place] = true;
            pairs.push((*key, right[place].0));
            false
        });
        right = right.into_iter().zip(is_paired).filter(|(_, paired)| !paired).map(|(it, _)| it).collect();
    }
    pairs
}

/// Decides the doubts, as far as digests are known.
///
/// All bytes count first, even with other fingerprints, because a server may return another message's header. Then
/// messages with one fingerprint are paired by their text.
pub(crate) fn pair_doubts(
    doubts: &[Doubt],
    left: &HashMap<Uid, Digests>,
    right: &HashMap<Uid, Digests>,
    suit: impl Fn(Uid, Uid) -> bool + Copy,
) -> Vec<(Uid, Uid)> {
    let known = |uids: &[Uid], digests: &HashMap<Uid, Digests>| -> Vec<(Uid, Digests)> {
        uids.iter().filter_map(|uid| Some((*uid, *digests.get(uid)?))).collect()
    };
    let all = |uids: fn(&Doubt) -> &Vec<Uid>| doubts.iter().flat_map(uids).copied().collect::<Vec<Uid>>();
    let mut pairs =
        pair_by_bytes(&known(&all(|it| &it.left), left), &known(&all(|it| &it.right), right), suit);
    let (ours, theirs): (HashSet<Uid>, HashSet<Uid>) = pairs.iter().copied().unzip();
    for doubt in doubts {
        let (mut left, mut right) = (known(&doubt.left, left), known(&doubt.right, right));
        left.retain(|(uid, _)| !ours.contains(uid));
        right.retain(|(uid, _)| !theirs.contains(uid));
        pairs.extend(pair_by_digests(&left, &right, suit));
    }
    pairs
}

/// A message by the data that survive rewritten headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextKey {
    pub(crate) uid: Uid,
    /// Digest of the text after the header.
    pub(crate) text: Digest,
    /// Date of arrival in seconds since 1970; `None` if unknown.
    pub(crate) arrived: Option<i64>,
}

/// Pairs copies with rewritten headers by equal text and equal date of arrival.
///
/// If a date is unknown, a text that occurs once on each side is enough, unless it is empty.
pub(crate) fn pair_by_text(left: &[TextKey], right: &[TextKey]) -> Vec<(Uid, Uid)> {
    let (mut left, mut right) = (left.to_vec(), right.to_vec());
    let mut pairs = Vec::new();
    left.retain(|it| {
        let fits =
            |other: &TextKey| it.text == other.text && it.arrived.is_some() && it.arrived == other.arrived;
        let found = right.iter().position(fits);
        pairs.extend(found.map(|index| (it.uid, right.remove(index).uid)));
        found.is_none()
    });
    let count = |list: &[TextKey], text: Digest| list.iter().filter(|it| it.text == text).count();
    for it in &left {
        let is_single =
            it.text != Digest::of(b"") && count(&left, it.text) == 1 && count(&right, it.text) == 1;
        let is_undated = |other: &TextKey| it.arrived.is_none() || other.arrived.is_none();
        let other = right.iter().find(|other| is_single && other.text == it.text && is_undated(other));
        pairs.extend(other.map(|other| (it.uid, other.uid)));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Digest;

    use super::*;

    fn candidate(number: u32, fingerprint: u8, size: u64) -> Candidate {
        let fingerprint = Fingerprint::from_bytes([fingerprint; 16]);
        Candidate { uid: uid(number), fingerprint, size, arrived: Some(7) }
    }

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    fn digests(whole: u8, text: u8) -> Digests {
        Digests { whole: Digest::from_bytes([whole; 16]), text: Digest::from_bytes([text; 16]) }
    }

    #[test]
    fn one_on_each_side_decides_when_sizes_and_dates_agree() {
        let pairing = pair_by_fingerprint(
            &[candidate(1, 1, 10), candidate(2, 2, 10), candidate(3, 3, 10)],
            &[candidate(11, 1, 10), candidate(12, 2, 11), candidate(14, 4, 10)],
            Proof::SizeAndDate,
        );
        assert_eq!(pairing.sure, [(uid(1), uid(11))]);
        assert_eq!(pairing.doubts, [Doubt { left: vec![uid(2)], right: vec![uid(12)] }]);
        for (arrived, is_sure) in [(Some(7), true), (Some(8), false), (None, true)] {
            let other = Candidate { arrived, ..candidate(11, 1, 10) };
            let pairing = pair_by_fingerprint(&[candidate(1, 1, 10)], &[other], Proof::SizeAndDate);
            assert_eq!((pairing.sure.is_empty(), pairing.doubts.is_empty()), (!is_sure, is_sure));
        }
        let ours = pair_by_fingerprint(&[candidate(2, 2, 10)], &[candidate(12, 2, 11)], Proof::Fingerprint);
        assert_eq!(ours.sure, [(uid(2), uid(12))]);
        let strict = pair_by_fingerprint(&[candidate(1, 1, 10)], &[candidate(11, 1, 10)], Proof::Digest);
        assert_eq!((strict.sure.len(), strict.doubts.len()), (0, 1));
    }

    #[test]
    fn duplicates_stay_and_similar_messages_are_distinguished() {
        let pairing = pair_by_fingerprint(
            &[candidate(1, 1, 5), candidate(2, 1, 5)],
            &[candidate(11, 1, 5)],
            Proof::Fingerprint,
        );
        assert_eq!(pairing.doubts, [Doubt { left: vec![uid(1), uid(2)], right: vec![uid(11)] }]);
        let left = [(uid(1), digests(1, 1)), (uid(2), digests(2, 2)), (uid(3), digests(2, 2))];
        let right = [(uid(11), digests(2, 2)), (uid(12), digests(9, 1)), (uid(13), digests(8, 8))];
        assert_eq!(pair_by_digests(&left, &right, |_, _| true), [(uid(2), uid(11)), (uid(1), uid(12))]);
        let twins = [(uid(11), digests(1, 1)), (uid(12), digests(1, 1))];
        let suit = |one: Uid, other: Uid| one.get() + 11 == other.get();
        assert_eq!(pair_by_digests(&left[..1], &twins, suit), [(uid(1), uid(12))]);
    }

    #[test]
    fn bytes_decide_against_the_fingerprints_of_other_messages() {
        let doubts = [
            Doubt { left: vec![uid(1)], right: vec![uid(11)] },
            Doubt { left: vec![uid(2)], right: vec![uid(12)] },
        ];
        let left = HashMap::from([(uid(1), digests(2, 1)), (uid(2), digests(1, 1))]);
        let right = HashMap::from([(uid(11), digests(1, 1)), (uid(12), digests(2, 1))]);
        let mut pairs = pair_doubts(&doubts, &left, &right, |_, _| true);
        pairs.sort();
        assert_eq!(pairs, [(uid(1), uid(12)), (uid(2), uid(11))]);
    }

    #[test]
    fn copies_with_other_headers_are_paired_by_text_and_date() {
        let uid = |number: u32| Uid::new(number).unwrap();
        let by_text = |number: u32, text: &str, arrived| TextKey {
            uid: uid(number),
            text: Digest::of(text.as_bytes()),
            arrived,
        };
        let left = [
            by_text(1, "OK", Some(100)),
            by_text(2, "OK", Some(200)),
            by_text(3, "once", None),
            by_text(4, "", Some(300)),
            by_text(5, "twice", None),
            by_text(6, "twice", None),
        ];
        let right = [
            by_text(11, "OK", Some(200)),
            by_text(12, "OK", Some(900)),
            by_text(13, "once", Some(900)),
            by_text(14, "", Some(900)),
            by_text(15, "twice", Some(900)),
        ];
        let pairs = pair_by_text(&left, &right);
        // "OK" of another date came from others; the two "twice" cannot be distinguished.
        assert_eq!(pairs, [(uid(2), uid(11)), (uid(3), uid(13))]);
    }
}
