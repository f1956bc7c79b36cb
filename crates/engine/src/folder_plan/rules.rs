//! The operator's rules for folders.

use std::{collections::BTreeSet, fmt};

use mailhaul_mail::FolderPath;

use super::pattern::FolderPattern;

/// The operator's target for a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderMapping {
    /// Levels of the folder's name; none for all folders.
    source: Vec<String>,
    /// True if all folders below are included. They keep their names below the target.
    below: bool,
    /// Levels of the target folder, none for the top of the target; `None` to leave the folder out.
    target: Option<Vec<String>>,
}

impl FolderMapping {
    /// Parses an operator's mapping.
    ///
    /// The source is `Name`, `Name/*`, or `*` for all folders. The target is a name, and `-` or nothing leaves the
    /// folder out. For a source with `*` the target may end with `/*`, and `*` is the top of the target.
    ///
    /// # Errors
    ///
    /// If the source is empty, or the target alone has a `*`; with a sentence.
    pub fn parse(source: &str, target: &str) -> Result<Self, String> {
        let levels = |name: &str| FolderPath::parse(name).segments().to_vec();
        let (source, below) = match (source, source.strip_suffix("/*")) {
            ("", _) | (_, Some("")) => return Err("a folder's name must not be empty".to_owned()),
            ("*", _) => (Vec::new(), true),
            (_, Some(name)) => (levels(name), true),
            (name, None) => (levels(name), false),
        };
        let target = match (target, target.strip_suffix("/*")) {
            ("" | "-", _) => None,
            (_, Some("")) => return Err("the target's name must not be empty".to_owned()),
            ("*", _) if below => Some(Vec::new()),
            (_, Some(place)) if below => Some(levels(place)),
            ("*", _) | (_, Some(_)) => {
                return Err(format!("\"{target}\" needs a source that ends with * too"));
            }
            (place, None) => Some(levels(place)),
        };
        Ok(Self { source, below, target })
    }

    /// Returns a folder that is in the map twice.
    pub fn repeated(map: &[Self]) -> Option<&Self> {
        let mut seen = BTreeSet::new();
        map.iter().find(|it| !seen.insert((&it.source, it.below)))
    }

    /// True if the mapping applies to this folder.
    pub(super) fn matches(&self, path: &FolderPath) -> bool {
        self.place(path).is_some()
    }

    /// Returns the target of this folder; `None` if the mapping does not apply.
    fn place(&self, path: &FolderPath) -> Option<Mapped> {
        let rest = path.segments().strip_prefix(self.source.as_slice())?;
        if !rest.is_empty() && !self.below {
            return None;
        }
        let Some(target) = &self.target else { return Some(Mapped::LeftOut) };
        let mut levels = target.iter().chain(rest).peekable();
        // A folder whose content goes to the top has no target folder itself.
        levels.peek()?;
        Some(Mapped::To(FolderPath::new(levels.cloned())))
    }
}

/// The source, as operators write it.
impl fmt::Display for FolderMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.source.as_slice(), self.below) {
            ([], _) => f.write_str("*"),
            (levels, true) => write!(f, "{}/*", FolderPath::new(levels)),
            (levels, false) => write!(f, "{}", FolderPath::new(levels)),
        }
    }
}

/// Result of the operator's map for a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mapped {
    To(FolderPath),
    LeftOut,
}

/// The operator's rules for folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderRules {
    /// Only these; all if empty.
    pub include: Vec<FolderPattern>,
    /// Not these.
    pub exclude: Vec<FolderPattern>,
    /// Targets of folders. The mapping that names a folder itself counts, else that of the nearest parent.
    pub map: Vec<FolderMapping>,
}

impl FolderRules {
    /// Returns the map's result for the folder; `None` if no mapping applies.
    pub(super) fn mapped(&self, path: &FolderPath) -> Option<Mapped> {
        let meant = self.map.iter().filter_map(|it| Some((it, it.place(path)?)));
        let nearest = meant.max_by_key(|(it, _)| (it.source.len(), !it.below))?;
        Some(nearest.1)
    }

    /// True if the map names the folder, or one above it. A map for all folders names none.
    pub(super) fn names(&self, path: &FolderPath) -> bool {
        self.map.iter().any(|it| !it.source.is_empty() && it.place(path).is_some())
    }

    /// Returns the target folder that the map gives.
    pub(super) fn wanted(&self, path: &FolderPath) -> Option<FolderPath> {
        match self.mapped(path)? {
            Mapped::To(target) => Some(target),
            Mapped::LeftOut => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mapping_counts() {
        let map = [("a/*", "x/*"), ("a/b/*", "-"), ("a/b/c", "y"), ("d", ""), ("e", "f")];
        let map = map.iter().map(|(source, target)| FolderMapping::parse(source, target).unwrap()).collect();
        let rules = FolderRules { map, ..FolderRules::default() };
        let table = [
            ("a", "x"),
            ("a/q/r", "x/q/r"),
            ("a/b", "-"),
            ("a/b/z", "-"),
            ("a/b/c", "y"),
            ("d", "-"),
            ("e", "f"),
            ("e/below", "?"),
            ("ab", "?"),
        ];
        for (path, expected) in table {
            let told = match rules.mapped(&FolderPath::parse(path)) {
                None => "?".to_owned(),
                Some(Mapped::LeftOut) => "-".to_owned(),
                Some(Mapped::To(target)) => target.to_string(),
            };
            assert_eq!(told, expected, "{path}");
        }
        for (source, target) in [("", "x"), ("/*", "x"), ("a", "x/*"), ("a/*", "/*"), ("a", "*")] {
            assert!(FolderMapping::parse(source, target).is_err(), "{source} {target}");
        }
        let literal = FolderMapping::parse("a", "\\-").unwrap();
        assert_eq!(literal.target, Some(vec!["-".to_owned()]));
    }

    #[test]
    fn a_map_for_all_folders_counts_last_and_has_an_inverse() {
        let rules = |map: &[(&str, &str)]| {
            let map = map.iter().map(|(source, target)| FolderMapping::parse(source, target).unwrap());
            FolderRules { map: map.collect(), ..FolderRules::default() }
        };
        let told = |rules: &FolderRules, path: &str| {
            rules.wanted(&FolderPath::parse(path)).map_or("?".to_owned(), |it| it.to_string())
        };
        let there = rules(&[("*", "Old/*"), ("INBOX", "INBOX"), ("a/*", "-")]);
        let table = [("INBOX", "INBOX"), ("INBOX/x", "Old/INBOX/x"), ("Sent", "Old/Sent"), ("a/b", "?")];
        for (path, expected) in table {
            assert_eq!(told(&there, path), expected, "{path}");
        }
        assert!(there.names(&FolderPath::parse("a/b")) && !there.names(&FolderPath::parse("Sent")));
        let back = rules(&[("Old/*", "*")]);
        for (path, expected) in [("Old/Sent/x", "Sent/x"), ("Old/inbox", "INBOX"), ("Old", "?"), ("b", "?")] {
            assert_eq!(told(&back, path), expected, "{path}");
        }
        let text: Vec<String> = there.map.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["*", "INBOX", "a/*"]);
        // A folder with this name.
        assert_eq!(told(&rules(&[("\\*", "x")]), "*"), "x");
    }
}
