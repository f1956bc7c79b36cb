//! Files of the web console, embedded in the program.
//!
//! Knows files and their addresses, and nothing of operations. The digest of all files is a part of
//! each address, so that a browser may keep a file forever.

mod imports;
mod shell;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};

/// All files: name below `web/`, content.
static EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Characters of the digest in an address.
const DIGEST_LENGTH: usize = 16;
/// Name of the page that loads all others.
const INDEX: &str = "index.html";
/// File that only a build with the packages from npm has.
const PREACT: &str = "vendor/preact.js";

/// One file with its content, as it is and compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebFile {
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    pub plain: Vec<u8>,
    pub gzip: Vec<u8>,
}

/// The files of the console under one digest.
#[derive(Clone, Debug)]
pub struct Console {
    digest: String,
    shell: WebFile,
    files: BTreeMap<String, WebFile>,
}

impl Console {
    /// Returns the files of this build.
    ///
    /// Without the packages from npm there is only a page that says how to get them.
    pub fn embedded() -> Self {
        Self::new(EMBEDDED.iter().map(|(name, content)| ((*name).to_owned(), content.to_vec())).collect())
    }

    /// Returns the files of a directory, with the embedded packages from npm.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn from_directory(directory: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        read(directory, "", &mut files)?;
        let vendor = EMBEDDED.iter().filter(|(name, _)| name.starts_with("vendor/"));
        files.extend(vendor.map(|(name, content)| ((*name).to_owned(), content.to_vec())));
        Ok(Self::new(files))
    }

    fn new(mut files: BTreeMap<String, Vec<u8>>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for (name, content) in &files {
            hasher.update(name.as_bytes()).update(&[0]);
            hasher.update(&(content.len() as u64).to_le_bytes()).update(content);
        }
        let digest = hasher.finalize().to_hex()[..DIGEST_LENGTH].to_owned();
        let shell = if files.contains_key(PREACT) {
            let index = files.remove(INDEX).unwrap_or_default();
            let modules = imports::first_modules(&files);
            shell::with_addresses(&String::from_utf8_lossy(&index), &digest, modules.iter())
        } else {
            files.clear();
            shell::WITHOUT_MODULES.to_owned()
        };
        let shell = web_file(INDEX, shell.into_bytes());
        let files = files.into_iter().map(|(name, content)| {
            let file = web_file(&name, content);
            (name, file)
        });
        Self { digest, shell, files: files.collect() }
    }

    /// Returns the page of every address that is no file.
    pub fn shell(&self) -> &WebFile {
        &self.shell
    }

    /// Finds the file of an address below `/console/`; it may be kept forever.
    pub fn file(&self, address: &str) -> Option<&WebFile> {
        let (digest, name) = address.strip_prefix(shell::FOLDER)?.split_once('/')?;
        self.files.get(name).filter(|_| digest == self.digest)
    }

    /// True if the address below `/console/` names a file, of this build or of another one.
    pub fn is_file(address: &str) -> bool {
        address.starts_with(shell::FOLDER)
    }
}

fn read(directory: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|it| it.to_str()) else { continue };
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            read(&path, &format!("{name}/"), files)?;
        } else {
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(())
}

fn web_file(name: &str, plain: Vec<u8>) -> WebFile {
    let content_type = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    // Writing to memory does not fail.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let gzip = encoder.write_all(&plain).and_then(|()| encoder.finish()).unwrap_or_default();
    WebFile { content_type, plain, gzip }
}

#[cfg(test)]
mod tests;
