//! Flags and keywords of a message (RFC 9051, section 2.3.2).

use std::{fmt, sync::Arc};

/// System flags that a client may set. `\Recent` belongs to the server alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SystemFlag {
    Answered,
    Deleted,
    Draft,
    Flagged,
    Seen,
}

impl SystemFlag {
    /// All flags, in the order of printing.
    pub const ALL: [Self; 5] = [Self::Answered, Self::Deleted, Self::Draft, Self::Flagged, Self::Seen];

    /// Name, with its backslash.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "\\Answered",
            Self::Deleted => "\\Deleted",
            Self::Draft => "\\Draft",
            Self::Flagged => "\\Flagged",
            Self::Seen => "\\Seen",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Flags of one message: system flags and keywords.
///
/// Keywords keep the case in which they were first seen, and compare without regard to it (RFC
/// 9051). Other names with a backslash (such as `\Forwarded`) count as keywords; the target decides
/// whether it accepts them. `\Recent` is dropped.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    system: u8,
    /// Sorted without regard to case, without duplicates; `None` if there is no keyword.
    ///
    /// Clones share the list, and it takes one word if empty: mailboxes have millions of messages.
    keywords: Option<Arc<Vec<Box<str>>>>,
}

impl Flags {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a flag or keyword. `\Recent` and the empty name are ignored.
    pub fn insert(&mut self, name: &str) {
        if let Some(flag) = SystemFlag::ALL.into_iter().find(|flag| flag.name().eq_ignore_ascii_case(name)) {
            self.system |= flag.bit();
        } else if !name.is_empty()
            && !name.eq_ignore_ascii_case("\\Recent")
            && let Err(index) = self.find(name)
        {
            Arc::make_mut(self.keywords.get_or_insert_default()).insert(index, name.into());
        }
    }

    /// True if the flag or keyword is set.
    pub fn contains(&self, name: &str) -> bool {
        match SystemFlag::ALL.into_iter().find(|flag| flag.name().eq_ignore_ascii_case(name)) {
            Some(flag) => self.system & flag.bit() != 0,
            None => self.find(name).is_ok(),
        }
    }

    pub fn has(&self, flag: SystemFlag) -> bool {
        self.system & flag.bit() != 0
    }

    pub fn is_empty(&self) -> bool {
        self.system == 0 && self.keywords.is_none()
    }

    /// Names, system flags first, then keywords in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let system =
            SystemFlag::ALL.into_iter().filter(|flag| self.has(*flag)).map(|flag| -> &str { flag.name() });
        system.chain(self.keywords())
    }

    /// Keywords, and unknown names with a backslash.
    pub fn keywords(&self) -> impl Iterator<Item = &str> {
        self.words().iter().map(AsRef::as_ref)
    }

    /// Returns the flags that `other` lacks.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let words: Vec<Box<str>> =
            self.words().iter().filter(|word| other.find(word).is_err()).cloned().collect();
        let keywords = (!words.is_empty()).then(|| Arc::new(words));
        Self { system: self.system & !other.system, keywords }
    }

    /// Returns the flags for whose name `keep` is true.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        self.iter().filter(|name| keep(name)).collect()
    }

    fn words(&self) -> &[Box<str>] {
        self.keywords.as_ref().map_or(&[], |it| it.as_slice())
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.words().binary_search_by(|word| compare(word, name))
    }
}

fn compare(a: &str, b: &str) -> std::cmp::Ordering {
    a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
}

impl PartialEq for Flags {
    fn eq(&self, other: &Self) -> bool {
        self.system == other.system
            && self.words().len() == other.words().len()
            && self.words().iter().zip(other.words()).all(|(a, b)| a.eq_ignore_ascii_case(b))
    }
}

impl Eq for Flags {}

impl PartialOrd for Flags {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Order for grouping messages with the same flags; it has no other meaning.
impl Ord for Flags {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let words = |flags: &Self| flags.keywords().map(str::to_ascii_lowercase).collect::<Vec<_>>();
        self.system.cmp(&other.system).then_with(|| words(self).cmp(&words(other)))
    }
}

impl<'a> FromIterator<&'a str> for Flags {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let mut flags = Self::new();
        for name in names {
            flags.insert(name);
        }
        flags
    }
}

/// Prints the names separated by single spaces, as inside IMAP's parentheses.
impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(names: &str) -> Flags {
        names.split_whitespace().collect()
    }

    #[test]
    fn case_does_not_matter_and_recent_is_dropped() {
        assert_eq!(flags("\\SEEN $Forwarded \\Recent"), flags("$forwarded \\seen"));
        assert_eq!(flags("Work work WORK").to_string(), "Work");
        assert!(flags("\\Recent").is_empty());
    }

    #[test]
    fn difference_is_by_name() {
        let (old, new) = (flags("\\Seen Alpha beta"), flags("\\Seen \\Flagged BETA gamma"));
        assert_eq!(new.without(&old), flags("\\Flagged gamma"));
        assert_eq!(old.without(&new), flags("alpha"));
    }

    #[test]
    fn prints_in_a_stable_order() {
        assert_eq!(flags("zeta \\Seen Alpha \\Answered").to_string(), "\\Answered \\Seen Alpha zeta");
    }
}
