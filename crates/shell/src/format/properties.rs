//! Selection of properties by patterns.

use std::collections::HashSet;

use crate::{value::same_name, wildcard::Wildcard};

/// Returns the known names that match the patterns; all names without patterns.
///
/// A name without a wildcard is returned even if it is unknown.
pub(crate) fn resolve(known: &[&str], patterns: &[&str]) -> Vec<String> {
    if patterns.is_empty() {
        return known.iter().map(|&name| name.to_owned()).collect();
    }
    let mut names: Vec<String> = Vec::new();
    let mut taken = HashSet::new();
    let mut take = |name: &str| {
        if taken.insert(name.to_lowercase()) {
            names.push(name.to_owned());
        }
    };
    for &pattern in patterns {
        if Wildcard::is_pattern(pattern) {
            let wildcard = Wildcard::new(pattern, false);
            known.iter().filter(|name| wildcard.matches(name)).for_each(|name| take(name));
        } else {
            take(known.iter().find(|name| same_name(name, pattern)).unwrap_or(&pattern));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_pick_names_once_each() {
        let known = ["Identity", "MaxSyncs", "Port", "MaxMigrations"];
        for (patterns, names) in [
            (&[][..], &known[..]),
            (&["port", "Max*"], &["Port", "MaxSyncs", "MaxMigrations"]),
            (&["maxmigrations", "M*", "*"], &["MaxMigrations", "MaxSyncs", "Identity", "Port"]),
            (&["Prot", "Nothing*"], &["Prot"]),
        ] {
            assert_eq!(resolve(&known, patterns), names);
        }
    }
}
