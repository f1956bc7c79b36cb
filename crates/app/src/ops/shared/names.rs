//! Fixed names in views and requests.

/// Name of the archive in the data directory, in place of an endpoint's name. No endpoint may have
/// it.
pub(crate) const ARCHIVE: &str = "Archive";

/// Exchange's migration type of mail servers.
pub(crate) const IMAP: &str = "IMAP";
