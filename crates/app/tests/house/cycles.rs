//! No two files of a crate import each other, directly or by way of others.

use std::collections::{BTreeMap, BTreeSet};

use syn::UseTree;

use crate::sources::{Crate, SourceFile, crates};

/// The paths that a `use` names, one name each.
fn paths(tree: &UseTree, prefix: &[String], found: &mut Vec<Vec<String>>) {
    let with = |name: String| prefix.iter().cloned().chain([name]).collect::<Vec<String>>();
    match tree {
        UseTree::Path(path) => paths(&path.tree, &with(path.ident.to_string()), found),
        UseTree::Name(name) => found.push(with(name.ident.to_string())),
        UseTree::Rename(rename) => found.push(with(rename.ident.to_string())),
        UseTree::Glob(_) => found.push(prefix.to_vec()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| paths(tree, prefix, found)),
    }
}

/// The file that a path leads to: that of the longest module in it. `None` for another crate.
fn file_of(modules: &BTreeMap<&[String], &str>, from: &SourceFile, path: &[String]) -> Option<String> {
    let (first, mut rest) = path.split_first()?;
    let mut base = match first.as_str() {
        "crate" => Vec::new(),
        "self" => from.module.clone(),
        "super" => from.module.split_last()?.1.to_vec(),
        _ => return None,
    };
    while let Some((next, after)) = rest.split_first()
        && next == "super"
    {
        base.pop();
        rest = after;
    }
    for name in rest {
        base.push(name.clone());
        if !modules.contains_key(base.as_slice()) {
            base.pop();
            break;
        }
    }
    modules.get(base.as_slice()).map(|file| (*file).to_owned())
}

fn imports(a_crate: &Crate) -> BTreeMap<String, BTreeSet<String>> {
    let modules: BTreeMap<&[String], &str> =
        a_crate.files.iter().map(|file| (file.module.as_slice(), file.name.as_str())).collect();
    let mut imports = BTreeMap::new();
    for file in &a_crate.files {
        let mut found = Vec::new();
        for item in &file.items {
            if let syn::Item::Use(item) = item {
                paths(&item.tree, &[], &mut found);
            }
        }
        let mut files: BTreeSet<String> =
            found.iter().filter_map(|path| file_of(&modules, file, path)).collect();
        files.remove(&file.name);
        imports.insert(file.name.clone(), files);
    }
    imports
}

fn reachable(imports: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(file) = next.pop() {
        let further = imports.get(&file).into_iter().flatten().filter(|file| seen.insert((*file).clone()));
        next.extend(further.cloned());
    }
    seen
}

#[test]
fn no_files_import_each_other() {
    let mut found = Vec::new();
    for a_crate in crates() {
        let imports = imports(&a_crate);
        let comes_back = |file: &&String| reachable(&imports, file).contains(*file);
        found.extend(imports.keys().filter(comes_back).map(|file| format!("{}/{file}", a_crate.name)));
    }
    found.sort();
    assert_eq!(found, Vec::<String>::new());
}
