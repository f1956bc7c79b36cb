//! Modules that a module imports. Pure.

use std::collections::{BTreeMap, BTreeSet};

/// Module with which the console begins.
const FIRST: &str = "app.js";
/// Folder of the packages from npm, all of which the first page needs.
const VENDOR: &str = "vendor/";

/// Names of the modules that the first page needs, directly or through others.
pub(crate) fn first_modules(files: &BTreeMap<String, Vec<u8>>) -> BTreeSet<String> {
    let vendor = files.keys().filter(|name| name.starts_with(VENDOR)).cloned();
    let mut found: BTreeSet<String> = vendor.collect();
    let mut left = vec![FIRST.to_owned()];
    while let Some(name) = left.pop() {
        let Some(content) = files.get(&name) else { continue };
        if found.insert(name.clone()) {
            let text = String::from_utf8_lossy(content);
            left.extend(static_imports(&text).map(|address| resolved(&name, address)));
        }
    }
    found
}

/// Relative addresses that are imported when the module is loaded, and not later by `import()`.
fn static_imports(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter(|line| line.starts_with("import "));
    let quoted = lines.filter_map(|line| line.split_once(" from \"")?.1.split('"').next());
    quoted.filter(|address| address.starts_with('.'))
}

/// Name of the file that a module names by a relative address.
pub(crate) fn resolved(module: &str, address: &str) -> String {
    let folder = module.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in address.split('/') {
        match part {
            "." => {}
            ".." => _ = parts.pop(),
            name => parts.push(name),
        }
    }
    parts.join("/")
}
