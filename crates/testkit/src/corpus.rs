//! Real messages for tests.

use std::{fs, path::Path, process::Command};

use crate::Mailmaker;

/// Returns real messages as they are stored, if a collection of them is beside the project; otherwise
/// generated ones.
///
/// The order is always the same.
pub fn corpus() -> Vec<Vec<u8>> {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/messages.tar.xz");
    if !archive.exists() {
        let mut maker = Mailmaker::new(5);
        return (0..300).map(|number| maker.message(500 + 20 * number)).collect();
    }
    let directory = tempfile::tempdir().unwrap();
    let unpacked = Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(directory.path()).status();
    assert!(unpacked.unwrap().success());
    let (mut directories, mut files) = (vec![directory.path().to_owned()], Vec::new());
    while let Some(it) = directories.pop() {
        let (inner, found): (Vec<_>, Vec<_>) =
            fs::read_dir(it).unwrap().map(|entry| entry.unwrap().path()).partition(|path| path.is_dir());
        directories.extend(inner);
        files.extend(found.into_iter().filter(|path| !path.ends_with("MANIFEST.tsv")));
    }
    files.sort();
    files.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Replaces each LF without a CR by CRLF, as IMAP requires.
pub fn with_crlf(octets: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(octets.len() + octets.len() / 20);
    for (index, octet) in octets.iter().enumerate() {
        if *octet == b'\n' && (index == 0 || octets[index - 1] != b'\r') {
            lines.push(b'\r');
        }
        lines.push(*octet);
    }
    lines
}
