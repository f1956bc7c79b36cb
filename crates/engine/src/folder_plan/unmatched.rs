//! Options that match no folder: most of them are typing errors.

use std::fmt;

use mailhaul_mail::FolderPath;

use super::{rules::FolderRules, uses::Uses};
use crate::folder::Folder;

/// Which option it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderOption {
    /// Only these folders.
    Include,
    /// Not these folders.
    Exclude,
    /// These folders go there.
    Map,
}

/// An option that matches no folder of the mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// Which one.
    pub option: FolderOption,
    /// The folder as the operator wrote it.
    pub value: String,
    /// A folder with a similar name.
    pub near: Option<FolderPath>,
}

/// Without the option's name, which the program knows.
impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" matches no folder", self.value)?;
        match &self.near {
            Some(near) => write!(f, ", did you mean \"{near}\"?"),
            None => Ok(()),
        }
    }
}

/// The options that match none of these folders. A folder by its use that no mailbox needs to have is no error to exclude.
pub(crate) fn unmatched(folders: &[Folder], rules: &FolderRules) -> Vec<Unmatched> {
    let uses = Uses::of(folders);
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

/// The folder whose name is most like this one: the same elsewhere, or with few other letters.
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
    fn an_option_that_matches_nothing_is_told_with_a_near_name() {
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
