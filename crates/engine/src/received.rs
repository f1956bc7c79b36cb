//! The operator's filter by time of arrival: a set of times.

/// A set of times in seconds since 1970: disjoint spans in order, each without its end.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Received(Vec<(i64, i64)>);

impl Received {
    /// All times.
    pub fn any() -> Self {
        Self::between(i64::MIN, i64::MAX)
    }

    /// The empty set.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// From `first` on, before `end`.
    pub fn between(first: i64, end: i64) -> Self {
        Self(if first < end { vec![(first, end)] } else { Vec::new() })
    }

    /// At this time or after it.
    pub fn since(first: i64) -> Self {
        Self::between(first, i64::MAX)
    }

    /// Before this time.
    pub fn before(end: i64) -> Self {
        Self::between(i64::MIN, end)
    }

    /// The complement of the set.
    #[must_use]
    pub fn not(&self) -> Self {
        let mut spans = Vec::new();
        let mut from = i64::MIN;
        for (first, end) in &self.0 {
            if from < *first {
                spans.push((from, *first));
            }
            from = *end;
        }
        if from < i64::MAX {
            spans.push((from, i64::MAX));
        }
        Self(spans)
    }

    /// The intersection of both sets.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut spans = Vec::new();
        for (first, end) in &self.0 {
            for (other_first, other_end) in &other.0 {
                let (first, end) = (*first.max(other_first), *end.min(other_end));
                if first < end {
                    spans.push((first, end));
                }
            }
        }
        Self(spans)
    }

    /// The union of both sets.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.not().and(&other.not()).not()
    }

    /// True if the time is in the set.
    pub fn contains(&self, seconds: i64) -> bool {
        self.0.iter().any(|(first, end)| (*first..*end).contains(&seconds))
    }
}

impl Default for Received {
    fn default() -> Self {
        Self::any()
    }
}

/// Short if nothing is left out. Ledgers keep this text to detect a changed filter, so it must not change.
impl std::fmt::Debug for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == Self::any() { f.write_str("any") } else { f.debug_list().entries(&self.0).finish() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sets() -> impl Strategy<Value = Received> {
        prop::collection::vec((-20i64..20, -20i64..20), 0..4).prop_map(|spans| {
            spans
                .into_iter()
                .fold(Received::none(), |all, (a, b)| all.or(&Received::between(a.min(b), a.max(b))))
        })
    }

    proptest! {
        #[test]
        fn sets_are_sets(a in sets(), b in sets(), moment in -25i64..25) {
            let (in_a, in_b) = (a.contains(moment), b.contains(moment));
            prop_assert_eq!(a.and(&b).contains(moment), in_a && in_b);
            prop_assert_eq!(a.or(&b).contains(moment), in_a || in_b);
            prop_assert_eq!(a.not().contains(moment), !in_a);
            prop_assert_eq!(a.not().not(), a.clone());
            prop_assert_eq!(a.and(&Received::any()), a);
        }
    }

    #[test]
    fn spans_include_their_first_second_only() {
        assert!(Received::since(5).contains(5) && !Received::since(5).contains(4));
        assert!(!Received::before(5).contains(5) && Received::before(5).contains(4));
        assert_eq!(Received::between(5, 5), Received::none());
        assert_eq!(format!("{:?} {:?}", Received::any(), Received::between(1, 2)), "any [(1, 2)]");
    }
}
