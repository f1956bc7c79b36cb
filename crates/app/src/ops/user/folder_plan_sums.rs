//! Sums of folder plans over users, and folders that meet in one target. Pure.

use std::collections::BTreeMap;

use mailhaul_engine::FolderPlan;
use schemars::JsonSchema;
use serde::Serialize;

/// Maximum number of different folders and of clashes that are shown.
const MAX_SHOWN: usize = 5000;

/// Targets of folders with these settings.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationFolderPlanTest {
    /// User or batch.
    identity: String,
    /// Users whose folders were read.
    user_count: u64,
    /// Folders of these users; those with one name, target and reason are one row. At most 5,000.
    folders: Vec<PlannedFolderSum>,
    /// Folders of one user that meet in one target folder; at most 5,000.
    clashes: Vec<FolderClash>,
    /// Users whose folders cannot be read.
    failures: Vec<FolderPlanFailure>,
}

/// Folder of one or more users.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct PlannedFolderSum {
    /// Folder on the source.
    source_folder: String,
    /// Folder on the target; null if the folder is left out.
    target_folder: Option<String>,
    /// True if the folder is left out.
    is_left_out: bool,
    /// Reason for the target, or for leaving the folder out.
    reason: String,
    /// Users that have it.
    user_count: u64,
    /// Messages in it, as far as servers tell.
    item_count: u64,
}

/// Folders of a user that go to one target folder.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct FolderClash {
    /// Folder on the target.
    target_folder: String,
    /// Folders on the source.
    source_folders: Vec<String>,
    /// Users with this clash.
    user_count: u64,
    /// E-mail address of one of them.
    example: String,
}

/// User whose folders cannot be read.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct FolderPlanFailure {
    /// E-mail address of the user.
    identity: String,
    /// Reason, with the server's words.
    message: String,
}

/// Source folder, target folder and reason.
type Key = (String, Option<String>, String);

/// Plans of the users so far.
#[derive(Default)]
pub(crate) struct PlanSums {
    users: u64,
    /// Users and messages of each folder.
    folders: BTreeMap<Key, (u64, u64)>,
    /// Users of each clash, and one of them.
    clashes: BTreeMap<(String, Vec<String>), (u64, String)>,
    failures: Vec<FolderPlanFailure>,
}

impl PlanSums {
    pub(crate) fn fail(&mut self, user: &str, message: String) {
        self.failures.push(FolderPlanFailure { identity: user.to_owned(), message });
    }

    pub(crate) fn add(&mut self, user: &str, plans: Vec<FolderPlan>) {
        self.users += 1;
        let mut by_target: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for plan in plans {
            let (source, target) = (plan.source.to_string(), plan.target.map(|target| target.to_string()));
            if let Some(target) = &target {
                by_target.entry(target.clone()).or_default().push(source.clone());
            }
            let (users, messages) = self.folders.entry((source, target, plan.reason)).or_default();
            *users += 1;
            *messages += plan.status.map_or(0, |status| u64::from(status.messages));
        }
        for (target, mut sources) in by_target.into_iter().filter(|(_, sources)| sources.len() > 1) {
            sources.sort();
            let (users, _) = self.clashes.entry((target, sources)).or_insert_with(|| (0, user.to_owned()));
            *users += 1;
        }
    }

    pub(crate) fn into_result(self, identity: String) -> MigrationFolderPlanTest {
        let folders = self.folders.into_iter().take(MAX_SHOWN).map(|((source, target, reason), counts)| {
            PlannedFolderSum {
                source_folder: source,
                is_left_out: target.is_none(),
                target_folder: target,
                reason,
                user_count: counts.0,
                item_count: counts.1,
            }
        });
        let clashes =
            self.clashes.into_iter().take(MAX_SHOWN).map(|((target, sources), (users, example))| {
                FolderClash { target_folder: target, source_folders: sources, user_count: users, example }
            });
        MigrationFolderPlanTest {
            identity,
            user_count: self.users,
            folders: folders.collect(),
            clashes: clashes.collect(),
            failures: self.failures,
        }
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::FolderPath;

    use super::*;

    fn plan(source: &str, target: &str) -> FolderPlan {
        FolderPlan {
            source: FolderPath::parse(source),
            target: (target != "-").then(|| FolderPath::parse(target)),
            subscribe: true,
            reason: "same name".to_owned(),
            status: None,
        }
    }

    #[test]
    fn folders_are_summed_and_clashes_named() {
        let mut sums = PlanSums::default();
        sums.add("ann", vec![plan("INBOX", "INBOX"), plan("Sent", "Sent"), plan("Old/Sent", "Sent")]);
        sums.add("bob", vec![plan("INBOX", "INBOX"), plan("Old/Sent", "Sent"), plan("Sent", "Sent")]);
        sums.add("eve", vec![plan("INBOX", "INBOX"), plan("Sent", "Sent"), plan("Old/Sent", "-")]);
        sums.fail("dan", "refused".to_owned());
        let result = sums.into_result("B".to_owned());
        let folders: Vec<_> = result
            .folders
            .iter()
            .map(|it| (it.source_folder.as_str(), it.target_folder.as_deref(), it.user_count))
            .collect();
        assert_eq!(
            folders,
            [
                ("INBOX", Some("INBOX"), 3),
                ("Old/Sent", None, 1),
                ("Old/Sent", Some("Sent"), 2),
                ("Sent", Some("Sent"), 3)
            ]
        );
        let sources = vec!["Old/Sent".to_owned(), "Sent".to_owned()];
        let clash = FolderClash {
            target_folder: "Sent".to_owned(),
            source_folders: sources,
            user_count: 2,
            example: "ann".to_owned(),
        };
        assert_eq!((result.user_count, result.clashes, result.failures.len()), (3, vec![clash], 1));
    }
}
