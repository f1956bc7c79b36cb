//! Messages that the target accepted and does not have.

use mailhaul_mail::Uid;

const NOT_STORED_REASON: &str = "the target accepted this message (OK) and does not store it";

/// Begins the words about a damaged copy.
pub(crate) const STORED_PREFIX: &str = "the target stored ";

/// A message that the target accepted and does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LostMessage {
    pub(crate) uid: Uid,
    /// What the target did, for the operator.
    pub(crate) words: String,
}

impl LostMessage {
    pub(crate) fn not_stored(uid: Uid) -> Self {
        Self { uid, words: NOT_STORED_REASON.to_owned() }
    }

    /// True if a message was skipped with such words.
    pub(crate) fn is_meant(words: &str) -> bool {
        words == NOT_STORED_REASON || words.starts_with(STORED_PREFIX)
    }
}
