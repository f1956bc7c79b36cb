//! Messages that the target accepted, and then lost or damaged.

use mailhaul_mail::Uid;

const NOT_STORED_REASON: &str = "the target accepted this message (OK) and does not store it";

/// Beginning of the reason for a damaged copy.
pub(crate) const STORED_PREFIX: &str = "the target stored ";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LostMessage {
    pub(crate) uid: Uid,
    /// The target's behaviour, for the operator.
    pub(crate) words: String,
}

impl LostMessage {
    pub(crate) fn not_stored(uid: Uid) -> Self {
        Self { uid, words: NOT_STORED_REASON.to_owned() }
    }

    /// True if these are the words with which a lost message was skipped.
    pub(crate) fn is_reason(words: &str) -> bool {
        words == NOT_STORED_REASON || words.starts_with(STORED_PREFIX)
    }
}
