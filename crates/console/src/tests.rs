#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Read as _;

use flate2::read::GzDecoder;

use super::*;

fn files(entries: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    entries.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

const INDEX_TEXT: &str = "<script src=\"{folder}/app.js\"></script>{modules}";

#[test]
fn every_change_of_a_file_changes_all_addresses() {
    let one = Console::new(files(&[("index.html", INDEX_TEXT), ("app.js", "1"), (PREACT, "p")]));
    let two = Console::new(files(&[("index.html", INDEX_TEXT), ("app.js", "2"), (PREACT, "p")]));
    assert_ne!(one.digest, two.digest);
    let address = format!("files-{}/app.js", one.digest);
    assert_eq!(one.file(&address).unwrap().plain, b"1");
    assert!(two.file(&address).is_none() && Console::is_file(&address));
    assert!(String::from_utf8(one.shell.plain).unwrap().contains(&address));
}

#[test]
fn only_modules_of_the_first_page_are_loaded_ahead() {
    let page = [
        ("index.html", INDEX_TEXT),
        ("app.js", "import { a } from \"./parts/a.js\";\nconst b = () => import(\"./parts/b.js\");\n"),
        ("parts/a.js", "/** @type {import(\"./c.js\").C} */\nimport { d } from \"../api/d.js\";\n"),
        ("parts/b.js", ""),
        ("parts/c.js", ""),
        ("api/d.js", "import { a } from \"../parts/a.js\";\n"),
        (PREACT, "p"),
    ];
    let shell = String::from_utf8(Console::new(files(&page)).shell.plain).unwrap();
    let is_ahead = |name: &str| shell.contains(&format!("/{name}\">"));
    let all = ["app.js", "parts/a.js", "parts/b.js", "parts/c.js", "api/d.js", PREACT];
    assert_eq!(all.map(is_ahead), [true, true, false, false, true, true], "{shell}");
}

#[test]
fn a_build_without_the_packages_says_how_to_get_them() {
    let console = Console::new(files(&[("index.html", INDEX_TEXT), ("app.js", "1")]));
    let page = String::from_utf8(console.shell().plain.clone()).unwrap();
    assert!(page.contains("sh scripts/console.sh"), "{page}");
    assert!(console.files.is_empty());
}

#[test]
fn compressed_files_have_the_same_content() {
    let console = Console::embedded();
    for file in console.files.values().chain([console.shell()]) {
        let mut text = Vec::new();
        GzDecoder::new(file.gzip.as_slice()).read_to_end(&mut text).unwrap();
        assert_eq!(text, file.plain);
    }
}

#[test]
fn pages_import_only_files_that_are_served() {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let mut files = BTreeMap::new();
    read(&web, "", &mut files).unwrap();
    let vendor = ["preact", "hooks", "signals", "signals-core"].map(|it| format!("vendor/{it}.js"));
    for (name, text) in files.iter().filter(|(name, _)| is_script(name)) {
        for (at, quoted) in imports(&String::from_utf8_lossy(text)) {
            let target = imports::resolved(name, &quoted);
            assert!(files.contains_key(&target) || vendor.contains(&target), "{name}:{at}: {quoted}");
        }
    }
}

#[test]
fn only_the_api_folder_knows_addresses_and_timers() {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let mut files = BTreeMap::new();
    read(&web, "", &mut files).unwrap();
    let banned = ["fetch(", "innerHTML", "outerHTML", "setTimeout", "setInterval", "/api/v1", "localStorage"];
    for (name, text) in files.iter().filter(|(name, _)| is_script(name) && !name.starts_with("api/")) {
        let text = String::from_utf8_lossy(text);
        for word in banned {
            assert!(!text.contains(word), "{name} has {word}, which only api/ may have");
        }
    }
}

/// True for a module of JavaScript.
fn is_script(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "js")
}

/// Relative addresses in `from "..."` and `import("...")`, each with its line.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines().filter(|line| !line.trim_start().starts_with('*'))) {
        for start in ["from \"", "import(\""] {
            for (at, _) in line.match_indices(start) {
                let rest = &line[at + start.len()..];
                let quoted = rest.split('"').next().unwrap_or_default();
                let is_type = line.contains("@type") || line.contains("@param") || line.contains("/**");
                if quoted.starts_with('.') && !is_type {
                    found.push((number, quoted.to_owned()));
                }
            }
        }
    }
    found
}
