//! Embeds `web/`, and the files of Preact that `scripts/console.sh` installs from npm.
//!
//! Without the files from npm the crate builds too; the console then has one page that says so.

#![allow(clippy::print_stdout, reason = "a build script talks to cargo by stdout")]

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Files from npm: the name that pages import, and the place below `node_modules`.
const VENDOR: [(&str, &str); 4] = [
    ("preact.js", "preact/dist/preact.mjs"),
    ("hooks.js", "preact/hooks/dist/hooks.mjs"),
    ("signals-core.js", "@preact/signals-core/dist/signals-core.module.js"),
    ("signals.js", "@preact/signals/dist/signals.module.js"),
];

/// Names of packages in their imports, and the embedded files that replace them.
const IMPORTS: [(&str, &str); 3] = [
    ("\"preact\"", "\"./preact.js\""),
    ("\"preact/hooks\"", "\"./hooks.js\""),
    ("\"@preact/signals-core\"", "\"./signals-core.js\""),
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=web");
    let mut files = Vec::new();
    collect(&root.join("web"), "", &mut files)?;
    if let Some(modules) = modules(&out) {
        for (name, place) in VENDOR {
            let source = modules.join(place);
            println!("cargo:rerun-if-changed={}", source.display());
            let mut text = fs::read_to_string(&source)?;
            for (package, file) in IMPORTS {
                text = text.replace(package, file);
            }
            // The map is not embedded.
            let end = text.find("//# sourceMappingURL").unwrap_or(text.len());
            let copy = out.join(name);
            fs::write(&copy, &text[..end])?;
            files.push((format!("vendor/{name}"), copy));
        }
    }
    files.sort();
    let mut table = String::from("&[");
    for (name, path) in files {
        let path = path.to_str().ok_or("the path of a file is not UTF-8")?;
        write!(table, "({name:?}, include_bytes!({path:?}).as_slice()),")?;
    }
    table.push(']');
    fs::write(out.join("files.rs"), table)?;
    Ok(())
}

/// Finds the packages below the build directory, which is an ancestor of `OUT_DIR`.
fn modules(out: &Path) -> Option<PathBuf> {
    out.ancestors().take(7).map(|it| it.join("console/node_modules")).find(|it| it.join(VENDOR[0].1).exists())
}

fn collect(directory: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|it| it.to_str()) else { continue };
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else {
            files.push((name, path));
        }
    }
    Ok(())
}
