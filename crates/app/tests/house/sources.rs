//! The source files of the workspace, parsed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::MetadataCommand;

/// One file below a crate's `src`.
pub(crate) struct SourceFile {
    /// Below `src`, as `vault/keys.rs`.
    pub(crate) name: String,
    /// The module's path within its crate.
    pub(crate) module: Vec<String>,
    pub(crate) items: Vec<syn::Item>,
}

/// A crate with its files, tests left out.
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) files: Vec<SourceFile>,
}

/// All crates of the workspace.
pub(crate) fn crates() -> Vec<Crate> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    metadata
        .workspace_packages()
        .iter()
        .map(|package| {
            let root = package.manifest_path.parent().unwrap().join("src");
            let mut paths = Vec::new();
            collect(root.as_std_path(), &mut paths);
            let files = paths.iter().map(|path| read(root.as_std_path(), path)).collect();
            Crate { name: package.name.to_string(), files }
        })
        .collect()
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        if is_test {
            continue;
        }
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn read(root: &Path, path: &Path) -> SourceFile {
    let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    let mut module: Vec<String> = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    let text = fs::read_to_string(path).unwrap();
    let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let items = file.items.into_iter().filter(|item| !is_of_tests(item)).collect();
    SourceFile { name, module, items }
}

/// True for `#[cfg(test)] mod tests`.
fn is_of_tests(item: &syn::Item) -> bool {
    let syn::Item::Mod(module) = item else { return false };
    module.ident == "tests" || module.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"))
}
