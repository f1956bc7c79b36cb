//! Subscriptions that a pass does not remove: folders that are subscribed on the target and not on the source.

use std::collections::BTreeSet;

use mailhaul_mail::FolderPath;

use crate::{folder::Folder, folder_plan::FolderPlan};

/// Returns target folders that stay subscribed although none of their source folders is.
///
/// Empty if the target was not listed. A source without any subscription does not use them, so it proves nothing.
pub(crate) fn stay_subscribed(plans: &[FolderPlan], target: &[Folder]) -> Vec<FolderPath> {
    let wanted: BTreeSet<&FolderPath> =
        plans.iter().filter(|plan| plan.subscribe).filter_map(|plan| plan.target.as_ref()).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let planned: BTreeSet<&FolderPath> = plans.iter().filter_map(|plan| plan.target.as_ref()).collect();
    let stays = |folder: &&Folder| {
        let path = &folder.path;
        folder.subscribed && !path.is_inbox() && planned.contains(path) && !wanted.contains(path)
    };
    target.iter().filter(stays).map(|folder| folder.path.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(source: &str, target: Option<&str>, subscribe: bool) -> FolderPlan {
        let (source, target) = (FolderPath::parse(source), target.map(FolderPath::parse));
        FolderPlan { source, target, subscribe, reason: String::new(), status: None }
    }

    fn folder(path: &str, subscribed: bool) -> Folder {
        let path = FolderPath::parse(path);
        Folder { path, special_use: None, selectable: true, subscribed, status: None, leave_out: None }
    }

    #[test]
    fn folders_that_only_the_target_subscribes_are_reported() {
        let plans = [
            plan("INBOX", Some("INBOX"), false),
            plan("Kept", Some("Kept"), true),
            plan("Left", Some("Left"), false),
            plan("Away", Some("Away"), false),
            plan("One", Some("Both"), false),
            plan("Other", Some("Both"), true),
            plan("Omitted", None, false),
        ];
        let there = ["INBOX", "Kept", "Left", "Both", "Omitted", "Foreign"].map(|path| folder(path, true));
        let target = [&there[..], &[folder("Away", false)]].concat();
        assert_eq!(stay_subscribed(&plans, &target), [FolderPath::parse("Left")]);
        assert_eq!(stay_subscribed(&plans, &[]), []);
        assert_eq!(stay_subscribed(&[plan("Left", Some("Left"), false)], &target), []);
    }
}
