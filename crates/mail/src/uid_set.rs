//! Sets of UIDs, kept as ascending ranges (RFC 9051, `sequence-set`).

use std::{fmt, str::FromStr};

use crate::Uid;

/// Set of UIDs, printed as in IMAP: `1:3,7`. Its memory grows with its ranges, not with its
/// members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UidSet {
    /// Ascending, disjoint, not adjacent; both ends included.
    ranges: Vec<(u32, u32)>,
}

impl UidSet {
    pub fn new() -> Self {
        Self::default()
    }

    /// Range from `first` to `last`, both included, in either order.
    pub fn range(first: Uid, last: Uid) -> Self {
        let (low, high) = (first.get().min(last.get()), first.get().max(last.get()));
        Self { ranges: vec![(low, high)] }
    }

    /// Every UID. It is printed as `1:*`, because some servers visit each number of a range.
    pub fn all() -> Self {
        Self { ranges: vec![(1, u32::MAX)] }
    }

    /// True if no UID is missing.
    pub fn is_all(&self) -> bool {
        self.ranges == [(1, u32::MAX)]
    }

    /// Returns the UIDs that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut kept = Self::new();
        for &(begin, end) in &self.ranges {
            let mut next = Some(begin);
            let start = other.ranges.partition_point(|&(_, last)| last < begin);
            for &(first, last) in other.ranges[start..].iter().take_while(|&&(first, _)| first <= end) {
                if let Some(from) = next.filter(|from| *from < first) {
                    kept.ranges.push((from, first - 1));
                }
                next = last.checked_add(1);
            }
            if let Some(from) = next.filter(|from| *from <= end) {
                kept.ranges.push((from, end));
            }
        }
        kept
    }

    /// Splits the set into a lower and an upper half; the lower one has at most one UID more.
    pub fn halves(&self) -> (Self, Self) {
        let mut rest = self.len().div_ceil(2);
        let (mut lower, mut upper) = (Self::new(), Self::new());
        for &(begin, end) in &self.ranges {
            let length = u64::from(end - begin) + 1;
            if rest >= length {
                lower.ranges.push((begin, end));
            } else if let Ok(before @ 1..) = u32::try_from(rest) {
                lower.ranges.push((begin, begin + before - 1));
                upper.ranges.push((begin + before, end));
            } else {
                upper.ranges.push((begin, end));
            }
            rest = rest.saturating_sub(length);
        }
        (lower, upper)
    }

    /// Adds one UID. Cheap if UIDs come in ascending order.
    pub fn insert(&mut self, uid: Uid) {
        self.insert_range(uid, uid);
    }

    /// Adds all UIDs from `first` to `last`, both included.
    pub fn insert_range(&mut self, first: Uid, last: Uid) {
        let (mut low, mut high) = (first.get().min(last.get()), first.get().max(last.get()));
        // Merges the ranges that touch or overlap [low, high].
        let start = self.ranges.partition_point(|&(_, end)| end.saturating_add(1) < low);
        let stop = self.ranges.partition_point(|&(begin, _)| begin <= high.saturating_add(1));
        if start < stop {
            low = low.min(self.ranges[start].0);
            high = high.max(self.ranges[stop - 1].1);
        }
        self.ranges.splice(start..stop, [(low, high)]);
    }

    pub fn contains(&self, uid: Uid) -> bool {
        let index = self.ranges.partition_point(|&(_, end)| end < uid.get());
        self.ranges.get(index).is_some_and(|&(begin, _)| begin <= uid.get())
    }

    /// True if the set contains a UID from `first` to `last`, both included.
    pub fn meets(&self, first: Uid, last: Uid) -> bool {
        let index = self.ranges.partition_point(|&(_, end)| end < first.get());
        self.ranges.get(index).is_some_and(|&(begin, _)| begin <= last.get())
    }

    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|&(begin, end)| u64::from(end - begin) + 1).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Iterates over the UIDs in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Uid> + '_ {
        self.ranges.iter().flat_map(|&(begin, end)| begin..=end).filter_map(Uid::new)
    }

    /// Iterates over the ranges in ascending order, both ends included.
    pub fn ranges(&self) -> impl Iterator<Item = (Uid, Uid)> + '_ {
        self.ranges.iter().filter_map(|&(begin, end)| Some((Uid::new(begin)?, Uid::new(end)?)))
    }

    pub fn last(&self) -> Option<Uid> {
        self.ranges.last().and_then(|&(_, end)| Uid::new(end))
    }
}

impl FromIterator<Uid> for UidSet {
    fn from_iter<I: IntoIterator<Item = Uid>>(uids: I) -> Self {
        let mut set = Self::new();
        set.extend(uids);
        set
    }
}

impl Extend<Uid> for UidSet {
    fn extend<I: IntoIterator<Item = Uid>>(&mut self, uids: I) {
        for uid in uids {
            self.insert(uid);
        }
    }
}

impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, &(begin, end)) in self.ranges.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            if begin == end { write!(f, "{begin}")? } else { write!(f, "{begin}:{end}")? }
        }
        Ok(())
    }
}

/// Error for text that is not a set of UIDs: `*`, 0 and letters are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a set of UIDs")]
pub struct ParseUidSetError;

impl FromStr for UidSet {
    type Err = ParseUidSetError;

    /// Parses `1:3,7`, with ranges in either order, as in APPENDUID, COPYUID, VANISHED and ESEARCH.
    fn from_str(text: &str) -> Result<Self, ParseUidSetError> {
        let uid = |digits: &str| {
            digits
                .parse()
                .ok()
                .and_then(Uid::new)
                .filter(|_| !digits.starts_with('+'))
                .ok_or(ParseUidSetError)
        };
        let mut set = Self::new();
        for part in text.split(',') {
            let (first, last) = part.split_once(':').unwrap_or((part, part));
            set.insert_range(uid(first)?, uid(last)?);
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_is_no_uid() {
        for text in ["", "0", "*", "1:*", "1,,2", "a", "+1", "4294967296", "1:0"] {
            assert_eq!(text.parse::<UidSet>(), Err(ParseUidSetError), "{text:?}");
        }
        assert_eq!("4294967295".parse::<UidSet>().unwrap().len(), 1);
        assert_eq!("1:4294967295".parse::<UidSet>().unwrap().len(), 4_294_967_295);
    }

    fn set(numbers: &[u32]) -> UidSet {
        numbers.iter().copied().filter_map(Uid::new).collect()
    }

    #[test]
    fn all_uids_can_be_halved_and_reduced() {
        let (lower, upper) = UidSet::all().halves();
        assert_eq!(
            (lower.to_string(), upper.to_string()),
            ("1:2147483648".into(), "2147483649:4294967295".into())
        );
        assert!(UidSet::all().is_all() && !upper.is_all());
        assert_eq!(UidSet::all().without(&set(&[1, 7, u32::MAX])).to_string(), "2:6,8:4294967294");
        assert!(UidSet::all().without(&UidSet::all()).is_empty());
    }

    proptest! {
        #[test]
        fn differences_and_halves_are_those_of_sets(
            numbers in prop::collection::btree_set(1u32..60, 0..40),
            others in prop::collection::btree_set(1u32..60, 0..40),
        ) {
            let numbers: Vec<u32> = numbers.into_iter().collect();
            let others: Vec<u32> = others.into_iter().collect();
            let whole = set(&numbers);
            let kept: Vec<u32> = numbers.iter().copied().filter(|it| !others.contains(it)).collect();
            prop_assert_eq!(whole.without(&set(&others)), set(&kept));
            let (lower, upper) = numbers.split_at(numbers.len().div_ceil(2));
            prop_assert_eq!(whole.halves(), (set(lower), set(upper)));
        }

        #[test]
        fn behaves_like_a_set_and_prints_what_it_reads(numbers in prop::collection::vec(1u32..200, 0..80)) {
            let model: BTreeSet<u32> = numbers.iter().copied().collect();
            let set: UidSet = numbers.iter().copied().filter_map(Uid::new).collect();
            prop_assert_eq!(set.len(), model.len() as u64);
            prop_assert!(set.iter().map(Uid::get).eq(model.iter().copied()));
            for n in 1..200 {
                prop_assert_eq!(set.contains(Uid::new(n).unwrap()), model.contains(&n));
            }
            if !set.is_empty() {
                prop_assert_eq!(set.to_string().parse::<UidSet>().unwrap(), set.clone());
            }
            for pair in set.ranges.windows(2) {
                prop_assert!(pair[0].1 + 1 < pair[1].0, "neither overlapping nor adjacent");
            }
        }
    }
}
