//! What the operator wants of folders.

use std::{collections::BTreeSet, fmt};

use mailhaul_mail::FolderPath;

use super::pattern::FolderPattern;

/// Where the operator wants a folder to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderMapping {
    /// The folder.
    pub source: FolderPath,
    /// Whether all folders below are meant too, which keep their names below the target.
    pub below: bool,
    /// The place on the target; `None` to leave it out.
    pub target: Option<FolderPath>,
}

impl FolderMapping {
    /// Reads what an operator wrote: the source is `Name` or `Name/*`; the target is a name, for a source with `/*` the
    /// same may stand behind it, and `-` or nothing leaves the folder out.
    ///
    /// # Errors
    /// Where the source is empty, or the target alone ends with `/*`; with words.
    pub fn parse(source: &str, target: &str) -> Result<Self, String> {
        let (name, below) = source.strip_suffix("/*").map_or((source, false), |name| (name, true));
        if name.is_empty() {
            return Err("a folder's name must not be empty".to_owned());
        }
        let target = match target {
            "" | "-" => None,
            other => Some(match other.strip_suffix("/*") {
                Some("") => return Err("the target's name must not be empty".to_owned()),
                Some(place) if below => FolderPath::parse(place),
                Some(_) => return Err(format!("\"{other}\" needs a source that ends with /* too")),
                None => FolderPath::parse(other),
            }),
        };
        Ok(Self { source: FolderPath::parse(name), below, target })
    }

    /// A folder that is in the map twice.
    pub fn repeated(map: &[Self]) -> Option<&Self> {
        let mut seen = BTreeSet::new();
        map.iter().find(|it| !seen.insert((&it.source, it.below)))
    }

    /// What is said of this folder; `None` where it is not meant.
    fn place(&self, path: &FolderPath) -> Option<Mapped> {
        let rest = path.segments().strip_prefix(self.source.segments())?;
        if !rest.is_empty() && !self.below {
            return None;
        }
        let below = |target: &FolderPath| FolderPath::new(target.segments().iter().chain(rest).cloned());
        Some(self.target.as_ref().map_or(Mapped::LeftOut, |target| Mapped::To(below(target))))
    }
}

/// The source, as operators write it.
impl fmt::Display for FolderMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.source, if self.below { "/*" } else { "" })
    }
}

/// What the operator's map says of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mapped {
    To(FolderPath),
    LeftOut,
}

/// What the operator wants of folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderRules {
    /// Only these; all where empty.
    pub include: Vec<FolderPattern>,
    /// Not these.
    pub exclude: Vec<FolderPattern>,
    /// These go there. The one that names a folder itself counts, else the nearest above it.
    pub map: Vec<FolderMapping>,
}

impl FolderRules {
    /// What the map says of the folder; `None` where it says nothing.
    pub(super) fn mapped(&self, path: &FolderPath) -> Option<Mapped> {
        let meant = self.map.iter().filter_map(|it| Some((it, it.place(path)?)));
        let nearest = meant.max_by_key(|(it, _)| (it.source.segments().len(), !it.below))?;
        Some(nearest.1)
    }

    /// Where the map wants the folder.
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
        for (source, target) in [("", "x"), ("/*", "x"), ("a", "x/*"), ("a/*", "/*")] {
            assert!(FolderMapping::parse(source, target).is_err(), "{source} {target}");
        }
        let literal = FolderMapping::parse("a", "\\-").unwrap();
        assert_eq!(literal.target, Some(FolderPath::new(["-"])));
    }
}
