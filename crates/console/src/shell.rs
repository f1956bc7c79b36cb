//! The page that loads the console: `index.html` with the addresses of this build. Pure.

use std::path::Path;

/// Begin of the folder of all files below `/console/`; the digest follows.
pub(crate) const FOLDER: &str = "files-";

/// Place in `index.html` for the folder of the files.
const FOLDER_MARK: &str = "{folder}";
/// Place in `index.html` for the modules that the browser loads ahead.
const MODULES_MARK: &str = "{modules}";
/// Folder of pages, which are loaded when they are opened.
const PAGES: &str = "pages/";
const WORDS: &str = "words/";

/// Page of a build without the packages from npm.
pub(crate) const WITHOUT_MODULES: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
    <title>mailhaul</title></head><body><main><h1>The web console is not in this build</h1>\
    <p>Its JavaScript packages come from npm. To build it in, run <code>sh scripts/console.sh</code> and then \
    <code>cargo build</code> in mailhaul's source directory. Everything can be done with the program \
    <code>mailhaul</code> too.</p></main></body></html>\n";

/// True for a module of JavaScript.
pub(crate) fn is_script(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "js")
}

/// Fills `index.html` with the folder of this build and its modules.
pub(crate) fn with_addresses<'a>(index: &str, digest: &str, names: impl Iterator<Item = &'a str>) -> String {
    let folder = format!("/console/{FOLDER}{digest}");
    let is_early = |name: &&str| is_script(name) && !name.starts_with(PAGES) && !name.starts_with(WORDS);
    let modules: Vec<String> = names
        .filter(is_early)
        .map(|name| format!("<link rel=\"modulepreload\" href=\"{folder}/{name}\">"))
        .collect();
    index.replace(MODULES_MARK, &modules.join("\n")).replace(FOLDER_MARK, &folder)
}
