//! Paged answers: the remaining ResultSize and the start of the next page.

use mailhaul_migration::Limit;
use mailhaul_operations::{Continuation, Failure};
use mailhaul_store::{Bookmark, Page};

/// Default of ResultSize, as in Exchange.
const DEFAULT_RESULT_SIZE: Limit = Limit::At(1000);
/// Results per page.
const PART: u32 = 1000;

/// Position of a reader in a paged answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Results still allowed by ResultSize.
    left: Limit,
    /// Last result of the page before.
    pub(crate) after: Option<Bookmark>,
}

impl Reading {
    /// Starts at the beginning, or at the continuation.
    pub(crate) fn new(size: Option<Limit>, continuation: Option<&Continuation>) -> Result<Self, Failure> {
        let Some(Continuation(text)) = continuation else {
            return Ok(Self { left: size.unwrap_or(DEFAULT_RESULT_SIZE), after: None });
        };
        let parts =
            text.split_once('.').and_then(|(left, after)| Some((left.parse().ok()?, after.parse().ok()?)));
        let (left, after) = parts
            .ok_or_else(|| Failure::invalid("Continuation is not a value that this service returned"))?;
        Ok(Self { left, after: Some(after) })
    }

    /// Maximum number of results of the next page.
    pub(crate) fn limit(self) -> u32 {
        match self.left {
            Limit::At(left) => left.min(PART),
            Limit::Unlimited => PART,
        }
    }

    /// Number of results before the next page of a sorted list; `None` at its beginning.
    pub(crate) fn offset(self) -> Option<u64> {
        self.after?.to_string().parse().ok()
    }

    /// Continuation of a sorted list after this number of results; `None` if no more were asked for.
    pub(crate) fn next_offset(self, offset: u64) -> Option<String> {
        self.continued(&offset)
    }

    /// Continuation after this page; `None` at the end.
    pub(crate) fn next<T>(self, page: &Page<T>) -> Option<String> {
        self.continued(&page.next?)
    }

    fn continued(self, next: &dyn std::fmt::Display) -> Option<String> {
        let left = match self.left {
            Limit::Unlimited => Limit::Unlimited,
            Limit::At(left) => match left.saturating_sub(self.limit()) {
                0 => return None,
                left => Limit::At(left),
            },
        };
        Some(format!("{left}.{next}"))
    }
}

/// Maximum length of an unpaged list.
pub(crate) fn most(size: Option<Limit>) -> usize {
    match size.unwrap_or(DEFAULT_RESULT_SIZE) {
        Limit::At(most) => usize::try_from(most).unwrap_or(usize::MAX),
        Limit::Unlimited => usize::MAX,
    }
}
