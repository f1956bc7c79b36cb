//! Where the program keeps what it remembers.

use std::path::PathBuf;

use anyhow::{Result, anyhow};

/// The data directory: the one that was named, else by the XDG base directory specification.
pub(crate) fn directory(named: Option<&PathBuf>) -> Result<PathBuf> {
    if let Some(data) = named {
        return Ok(data.clone());
    }
    named_by("XDG_DATA_HOME")
        .filter(|it| it.is_absolute())
        .or_else(|| Some(named_by("HOME")?.join(".local/share")))
        .map(|it| it.join("mailhaul"))
        .ok_or_else(|| {
            anyhow!("there is no home directory for the data: give --data DIR or set MAILHAUL_DATA")
        })
}

/// The path in a variable of the environment; none where it is empty.
pub(crate) fn named_by(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|it| !it.is_empty()).map(PathBuf::from)
}

/// Where the service of a data directory listens on this machine.
pub(crate) fn socket(data: &std::path::Path) -> PathBuf {
    data.join("mailhaul.sock")
}
