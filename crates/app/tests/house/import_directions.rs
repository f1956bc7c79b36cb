//! Allowed dependencies of crates: the table of ARCHITECTURE.md, compared with cargo's metadata.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

const ALLOWED: [(&str, &[&str]); 14] = [
    ("mailhaul-mail", &[]),
    ("mailhaul-imap", &["mailhaul-mail"]),
    ("mailhaul-engine", &["mailhaul-mail"]),
    ("mailhaul-oauth", &["mailhaul-mail"]),
    ("mailhaul-remotes", &["mailhaul-mail", "mailhaul-imap", "mailhaul-engine", "mailhaul-oauth"]),
    ("mailhaul-migration", &["mailhaul-mail", "mailhaul-engine"]),
    ("mailhaul-store", &["mailhaul-mail", "mailhaul-engine", "mailhaul-migration"]),
    ("mailhaul-shell", &["mailhaul-mail"]),
    ("mailhaul-console", &[]),
    ("mailhaul-records", &[]),
    ("mailhaul-operations", &["mailhaul-mail", "mailhaul-shell"]),
    (
        "mailhaul",
        &[
            "mailhaul-mail",
            "mailhaul-imap",
            "mailhaul-engine",
            "mailhaul-oauth",
            "mailhaul-remotes",
            "mailhaul-migration",
            "mailhaul-store",
            "mailhaul-shell",
            "mailhaul-operations",
            "mailhaul-console",
            "mailhaul-records",
        ],
    ),
    ("mailhaul-testkit", &["mailhaul-mail", "mailhaul-imap", "mailhaul-engine"]),
    (
        "mailhaul-bench",
        &[
            "mailhaul-mail",
            "mailhaul-imap",
            "mailhaul-engine",
            "mailhaul-migration",
            "mailhaul-store",
            "mailhaul-testkit",
        ],
    ),
];

#[test]
fn crates_import_only_what_the_architecture_allows() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ALLOWED.iter().map(|(name, may)| (*name, may.iter().copied().collect())).collect();
    let mut seen = BTreeSet::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} has no line in the table"));
        seen.insert(name.to_owned());
        for dependency in &package.dependencies {
            let (target, kind) = (dependency.name.as_str(), dependency.kind);
            if !allowed.contains_key(target) {
                continue;
            }
            let fine = match kind {
                DependencyKind::Normal => may.contains(target),
                // The test kit is for tests alone.
                _ => may.contains(target) || target == "mailhaul-testkit",
            };
            assert!(fine, "{name} must not depend on {target} ({kind})");
        }
    }
    assert_eq!(seen, allowed.keys().map(|name| (*name).to_owned()).collect());
}
