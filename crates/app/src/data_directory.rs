//! Location of the data: the data directory, and the database if it is on a server.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use mailhaul_store::ServerAddress;

/// The places of one installation's data.
#[derive(Clone, Debug)]
pub(crate) struct DataPlace {
    /// Directory of the socket and the archive, and of the database file.
    pub(crate) directory: PathBuf,
    /// The database on a server, in place of the file.
    pub(crate) server: Option<ServerAddress>,
}

impl DataPlace {
    /// Returns the named place. The database's name is that of an option or of `MAILHAUL_DATABASE`.
    ///
    /// # Errors
    /// No home directory; an address that is none, or that holds a password.
    pub(crate) fn named(directory: Option<&PathBuf>, database: Option<&str>) -> Result<Self> {
        let server = database.map(ServerAddress::parse).transpose();
        let server = server.map_err(|reason| anyhow!("--database (or MAILHAUL_DATABASE): {reason}"))?;
        Ok(Self { directory: self::directory(directory)?, server })
    }
}

/// Returns the named directory, else that of the XDG base directory specification.
fn directory(named: Option<&PathBuf>) -> Result<PathBuf> {
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
