//! Options that match no folder: most of them are typing errors.

use std::fmt;

use mailhaul_mail::FolderPath;

use super::{rules::FolderRules, uses::Uses};
use crate::folder::Folder;

/// The kind of option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderOption {
    Include,
    Exclude,
    Map,
}

/// An option that matches no folder of the mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    pub option: FolderOption,
    /// The folder as the operator wrote it.
    pub value: String,
    /// A folder with a similar name.
    pub near: Option<FolderPath>,
}

/// Omits the option's name, which the program knows.
impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" matches no folder", self.value)?;
        match &self.near {
            Some(near) => write!(f, ", did you mean \"{near}\"?"),
            None => Ok(()),
        }
    }
}

/// Returns the options that match none of these folders.
///
/// A special use that a mailbox need not have may be excluded without an error.
pub(crate) fn unmatched(folders: &[Folder], rules: &FolderRules) -> Vec<Unmatched> {
    let uses = Uses::new(folders);
    let mut options: Vec<(FolderOption, String, bool)> = Vec::new();
    for pattern in &rules.include {
        let is_met = folders.iter().any(|it| pattern.matches(it, &uses));
        options.push((FolderOption::Include, pattern.to_string(), is_met));
    }
    for pattern in &rules.exclude {
        let is_met = pattern.is_by_use() || folders.iter().any(|it| pattern.matches(it, &uses));
        options.push((FolderOption::Exclude, pattern.to_string(), is_met));
    }
    for mapping in &rules.map {
        options.push((
            FolderOption::Map,
            mapping.to_string(),
            folders.iter().any(|it| mapping.matches(&it.path)),
        ));
    }
    let of_value = |(option, value, is_met): (FolderOption, String, bool)| {
        let near = near(&value, folders);
        (!is_met).then_some(Unmatched { option, value, near })
    };
    options.into_iter().filter_map(of_value).collect()
}

/// Returns the folder with the most similar name: the same elsewhere, or with few other letters.
fn near(value: &str, folders: &[Folder]) -> Option<FolderPath> {
    let wanted = FolderPath::parse(value.strip_suffix("/*").unwrap_or(value));
    let text = wanted.to_string().to_lowercase();
    let distance = |path: &FolderPath| {
        if path.name().to_lowercase() == wanted.name().to_lowercase() {
            return 1;
        }
        strsim::damerau_levenshtein(&path.to_string().to_lowercase(), &text)
    };
    let most = (text.chars().count() / 3).max(1);
    let near = folders.iter().map(|it| (distance(&it.path), &it.path)).min()?;
    (near.0 <= most).then(|| near.1.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder_plan::{FolderMapping, FolderPattern};

    #[test]
    fn an_option_without_a_match_is_reported_with_a_near_name() {
        let folder = |path: &str| Folder {
            path: FolderPath::parse(path),
            special_use: None,
            selectable: path != "Old",
            subscribed: true,
            status: None,
            leave_out: None,
        };
        let folders = ["INBOX", "Sent", "Old", "Old/2020", "INBOX/Projects"].map(folder);
        let pattern = |text: &&str| FolderPattern::parse(text).unwrap();
        let rules = FolderRules {
            include: ["Snet", "Old/*", "#Junk#", "Sent"].iter().map(pattern).collect(),
            exclude: ["#Junk#", "sent", "Projects"].iter().map(pattern).collect(),
            map: [("Lists/*", "L"), ("Old", "O"), ("*", "X/*")]
                .map(|(source, target)| FolderMapping::parse(source, target).unwrap())
                .to_vec(),
        };
        let told = unmatched(&folders, &rules).into_iter().map(|it| {
            format!("{:?} {} {}", it.option, it.value, it.near.map_or("-".to_owned(), |it| it.to_string()))
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "Include Snet Sent",
                "Include #Junk# -",
                "Exclude sent Sent",
                "Exclude Projects INBOX/Projects",
                "Map Lists/* -",
            ]
        );
    }
}
