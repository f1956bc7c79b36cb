//! UIDs, UIDVALIDITY and mod-sequences (RFC 9051, section 2.3.1; RFC 7162).

use std::{
    fmt,
    num::{NonZeroU32, NonZeroU64},
};

/// Unique identifier of a message within a folder and its [`UidValidity`]. Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(NonZeroU32);

impl Uid {
    pub const FIRST: Self = Self(NonZeroU32::MIN);
    pub const LAST: Self = Self(NonZeroU32::MAX);

    /// Returns `None` for 0, which the grammar forbids.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// UIDVALIDITY: while it stays the same, a folder's UIDs identify the same messages. Never 0.
///
/// Quirk: the grammar allows 32 bits, and some servers count milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UidValidity(NonZeroU64);

impl UidValidity {
    pub const LAST: Self = Self(NonZeroU64::MAX);

    /// Returns `None` for 0, which the grammar forbids.
    pub fn new(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for UidValidity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Mod-sequence (RFC 7162): grows with every change of a folder. 0 if the server sends none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModSeq(pub u64);

impl fmt::Display for ModSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
