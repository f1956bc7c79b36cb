//! The page that loads the console: `index.html` with the addresses of this build. Pure.

/// Begin of the folder of all files below `/console/`; the digest follows.
pub(crate) const FOLDER: &str = "files-";

/// Place in `index.html` for the folder of the files.
const FOLDER_MARK: &str = "{folder}";
/// Place in `index.html` for the modules that the browser loads ahead.
const MODULES_MARK: &str = "{modules}";
/// Page of a build without the packages from npm.
pub(crate) const WITHOUT_MODULES: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
    <title>mailhaul</title></head><body><main><h1>The web console is not in this build</h1>\
    <p>Its JavaScript packages come from npm. To build it in, run <code>sh scripts/console.sh</code> and then \
    <code>cargo build</code> in mailhaul's source directory. Everything can be done with the program \
    <code>mailhaul</code> too.</p></main></body></html>\n";

/// Fills `index.html` with the folder of this build and the modules of its first page.
pub(crate) fn with_addresses<'a>(
    index: &str,
    digest: &str,
    modules: impl Iterator<Item = &'a String>,
) -> String {
    let folder = format!("/console/{FOLDER}{digest}");
    let links: Vec<String> =
        modules.map(|name| format!("<link rel=\"modulepreload\" href=\"{folder}/{name}\">")).collect();
    index.replace(MODULES_MARK, &links.join("\n")).replace(FOLDER_MARK, &folder)
}
