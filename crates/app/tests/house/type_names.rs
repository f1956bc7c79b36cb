//! One word for one thing: a public type has a name that no other crate uses for another one.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Item, Visibility};

use crate::sources::crates;

/// Names that mean the same in every crate.
const SHARED: &[&str] = &["Error", "ErrorKind"];

fn public_name(item: &Item) -> Option<String> {
    let (visibility, name) = match item {
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        Item::Type(item) => (&item.vis, &item.ident),
        _ => return None,
    };
    matches!(visibility, Visibility::Public(_)).then(|| name.to_string())
}

#[test]
fn no_public_type_has_the_name_of_another_crates_type() {
    let mut owners: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for a_crate in crates() {
        for name in a_crate.files.iter().flat_map(|file| &file.items).filter_map(public_name) {
            owners.entry(name).or_default().insert(a_crate.name.clone());
        }
    }
    // The test kit has servers of its own, with the words of the real ones.
    for owner in owners.values_mut() {
        owner.remove("mailhaul-testkit");
    }
    let is_double = |name: &str, owners: &BTreeSet<String>| owners.len() > 1 && !SHARED.contains(&name);
    let doubles: Vec<&String> =
        owners.iter().filter(|(name, owners)| is_double(name, owners)).map(|(name, _)| name).collect();
    assert_eq!(doubles, Vec::<&String>::new());
}
