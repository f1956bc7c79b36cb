//! Long answers in parts: what `-ResultSize` still allows, and where the next part begins.

use mailhaul_migration::Limit;
use mailhaul_operations::{Continuation, Failure};
use mailhaul_store::{Bookmark, Page};

/// How many results there are where nobody says, as in Exchange.
const DEFAULT_RESULT_SIZE: Limit = Limit::At(1000);
/// Results of one part.
const PART: u32 = 1000;

/// How far a reader has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// What is still wanted.
    left: Limit,
    /// The last one that was shown.
    pub(crate) after: Option<Bookmark>,
}

impl Reading {
    /// From the beginning, or from where the last part ended.
    pub(crate) fn new(size: Option<Limit>, continuation: Option<&Continuation>) -> Result<Self, Failure> {
        let Some(Continuation(text)) = continuation else {
            return Ok(Self { left: size.unwrap_or(DEFAULT_RESULT_SIZE), after: None });
        };
        let parts =
            text.split_once('.').and_then(|(left, after)| Some((left.parse().ok()?, after.parse().ok()?)));
        let (left, after) = parts.ok_or_else(|| Failure::invalid("Continuation is not one of ours"))?;
        Ok(Self { left, after: Some(after) })
    }

    /// How many to ask for.
    pub(crate) fn limit(self) -> u32 {
        match self.left {
            Limit::At(left) => left.min(PART),
            Limit::Unlimited => PART,
        }
    }

    /// Where the part after this page begins; `None` where nothing more is there or wanted.
    pub(crate) fn next<T>(self, page: &Page<T>) -> Option<String> {
        let next = page.next?;
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

/// The most that a short list may have.
pub(crate) fn most(size: Option<Limit>) -> usize {
    match size.unwrap_or(DEFAULT_RESULT_SIZE) {
        Limit::At(most) => usize::try_from(most).unwrap_or(usize::MAX),
        Limit::Unlimited => usize::MAX,
    }
}
