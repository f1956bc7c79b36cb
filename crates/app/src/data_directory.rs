//! Location of the data directory.

use std::path::PathBuf;

use anyhow::{Result, anyhow};

/// Returns the named directory, else that of the XDG base directory specification.
pub(crate) fn directory(named: Option<&PathBuf>) -> Result<PathBuf> {
    if let Some(data) = named {
        return Ok(data.clone());
    }
    named_by("XDG_DATA_HOME")
        .filter(|it| it.is_absolute())
        .or_else(|| Some(named_by("HOME")?.join(".local/share")))
        .map(|it| it.join("mailhaul"))
        .ok_or_else(|| {
            anyhow!("there is no home directory for the data; give --data DIR or set MAILHAUL_DATA")
        })
}

/// Returns the path in an environment variable; `None` if it is unset or empty.
pub(crate) fn named_by(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|it| !it.is_empty()).map(PathBuf::from)
}

/// Socket of the service that runs on this data directory.
pub(crate) fn socket(data: &std::path::Path) -> PathBuf {
    data.join("mailhaul.sock")
}
