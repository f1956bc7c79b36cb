//! Paths of folders.

use std::{cmp::Ordering, fmt};

/// Folder name as decoded segments.
///
/// It contains no delimiter, namespace prefix or modified UTF-7; these belong to the server that
/// uses them. `INBOX` is always in upper case (RFC 9051, section 5.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FolderPath {
    segments: Vec<String>,
}

impl FolderPath {
    /// Builds a path of at least one segment. Empty segments are kept, because servers have them.
    /// An empty list gives INBOX.
    pub fn new<S: Into<String>>(segments: impl IntoIterator<Item = S>) -> Self {
        let mut segments: Vec<String> = segments.into_iter().map(Into::into).collect();
        match segments.first() {
            None => segments.push("INBOX".to_owned()),
            Some(first) if first.eq_ignore_ascii_case("INBOX") => "INBOX".clone_into(&mut segments[0]),
            Some(_) => {}
        }
        Self { segments }
    }

    /// INBOX, which every mailbox has.
    pub fn inbox() -> Self {
        Self::new(["INBOX"])
    }

    /// Parses the form of [`fmt::Display`], which operators write too.
    ///
    /// Segments are joined by `/`; `\/` is a slash inside a segment, `\\` a backslash, and `\0` a NUL.
    pub fn parse(text: &str) -> Self {
        let mut segments = vec![String::new()];
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let last = segments.len() - 1;
            match character {
                '/' => segments.push(String::new()),
                '\\' => segments[last].push(match characters.next() {
                    Some('0') => '\0',
                    Some(other) => other,
                    None => '\\',
                }),
                other => segments[last].push(other),
            }
        }
        Self::new(segments)
    }

    /// Segments, outermost first; never empty.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    pub fn is_inbox(&self) -> bool {
        self.segments.len() == 1 && self.segments[0] == "INBOX"
    }

    /// Last segment.
    pub fn name(&self) -> &str {
        self.segments.last().map_or("", String::as_str)
    }

    /// True if this is `ancestor` or below it.
    pub fn is_within(&self, ancestor: &Self) -> bool {
        self.segments.starts_with(&ancestor.segments)
    }

    /// Removes `prefix`. Returns INBOX if no segment remains, `None` if the path is not below
    /// `prefix`.
    pub fn strip_prefix(&self, prefix: &Self) -> Option<Self> {
        self.segments.strip_prefix(prefix.segments.as_slice()).map(|rest| Self::new(rest.iter().cloned()))
    }

    pub fn parent(&self) -> Option<Self> {
        let (_, parents) = self.segments.split_last()?;
        if parents.is_empty() { None } else { Some(Self::new(parents.iter().cloned())) }
    }
}

/// INBOX first, then segment by segment.
impl Ord for FolderPath {
    fn cmp(&self, other: &Self) -> Ordering {
        other.is_inbox().cmp(&self.is_inbox()).then_with(|| self.segments.cmp(&other.segments))
    }
}

impl PartialOrd for FolderPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for FolderPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.segments.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            for character in segment.chars() {
                if matches!(character, '/' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{character}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn inbox_has_one_spelling_and_comes_first() {
        assert!(FolderPath::parse("inbox").is_inbox());
        assert_eq!(FolderPath::parse("Inbox/Sub").to_string(), "INBOX/Sub");
        let mut paths = [FolderPath::parse("Archive"), FolderPath::parse("INBOX/a"), FolderPath::inbox()];
        paths.sort();
        assert!(paths[0].is_inbox());
    }

    #[test]
    fn a_prefix_is_whole_segments() {
        let root = FolderPath::parse("users/terry");
        assert!(FolderPath::parse("users/terry").strip_prefix(&root).unwrap().is_inbox());
        assert_eq!(
            FolderPath::parse("users/terry/Sent").strip_prefix(&root),
            Some(FolderPath::parse("Sent"))
        );
        assert_eq!(FolderPath::parse("users/terrya").strip_prefix(&root), None);
    }

    #[test]
    fn a_nul_has_an_escape() {
        assert_eq!(FolderPath::parse("a\\0b"), FolderPath::new(["a\0b"]));
        assert_eq!(FolderPath::parse("a\\\\0b"), FolderPath::new(["a\\0b"]));
    }

    proptest! {
        #[test]
        fn display_and_parse_are_inverse(segments in prop::collection::vec(".{0,6}", 1..4)) {
            let path = FolderPath::new(segments);
            prop_assert_eq!(FolderPath::parse(&path.to_string()), path);
        }
    }
}
