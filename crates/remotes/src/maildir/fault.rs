//! Disk errors, and their meaning for the engine.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use mailhaul_engine::{Error, ErrorKind};
use mailhaul_mail::{Retry, Scope};

/// Limits of open files: of this process, and of this machine.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

/// A disk error with its path.
#[derive(Debug)]
pub(super) struct Fault {
    path: PathBuf,
    error: io::Error,
}

impl Fault {
    /// An error reported by the system.
    pub(super) fn at(path: &Path, error: io::Error) -> Self {
        Self { path: path.to_owned(), error }
    }

    /// An error found by mailhaul.
    pub(super) fn found(path: &Path, kind: io::ErrorKind, words: impl fmt::Display) -> Self {
        Self::at(path, io::Error::new(kind, words.to_string()))
    }

    pub(super) fn kind(&self) -> io::ErrorKind {
        self.error.kind()
    }

    /// True if the file does not exist.
    pub(super) fn is_missing(&self) -> bool {
        self.kind() == io::ErrorKind::NotFound
    }

    /// The same as an error of the engine. `whose` names mailbox and folder.
    pub(super) fn explain(&self, whose: impl fmt::Display) -> Error {
        use io::ErrorKind as K;
        let (scope, retry, kind, advice) = match self.kind() {
            K::StorageFull | K::QuotaExceeded => {
                (Scope::Endpoint, Retry::Never, ErrorKind::Quota, "; free some space, and run it again")
            }
            K::FileTooLarge => (Scope::Message, Retry::Never, ErrorKind::TooLarge, ""),
            K::ReadOnlyFilesystem => (Scope::Endpoint, Retry::Never, ErrorKind::Refused, ""),
            K::PermissionDenied
            | K::NotFound
            | K::AlreadyExists
            | K::NotADirectory
            | K::InvalidFilename
            | K::InvalidData
            | K::CrossesDevices => (Scope::Folder, Retry::Never, ErrorKind::Refused, ""),
            K::ResourceBusy => (Scope::Folder, Retry::After(None), ErrorKind::Throttled, ""),
            // Files are closed again later. Until then other mailboxes fail in the same way.
            _ if matches!(self.error.raw_os_error(), Some(EMFILE | ENFILE)) => {
                let advice = "; raise the limit of open files (LimitNOFILE, ulimit -n)";
                (Scope::Endpoint, Retry::After(None), ErrorKind::Refused, advice)
            }
            // For example a network disk that is away for a moment.
            _ => (Scope::Session, Retry::Now, ErrorKind::Connection, ""),
        };
        let (path, error) = (self.path.display(), &self.error);
        Error::new(scope, retry, kind, format!("{whose}: {path}: {error}{advice}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENOSPC: i32 = 28;
    const EDQUOT: i32 = if cfg!(target_os = "linux") { 122 } else { 69 };
    const EROFS: i32 = 30;
    const EACCES: i32 = 13;
    const EFBIG: i32 = 27;
    const EIO: i32 = 5;

    #[test]
    fn every_failure_has_its_scope_and_names_the_path() {
        let told = |number: i32| {
            let fault = Fault::at(Path::new("/mail/annb/cur"), io::Error::from_raw_os_error(number));
            let error = fault.explain("target annb");
            assert!(error.message.starts_with("target annb: /mail/annb/cur: "), "{error}");
            (error.scope, error.retry, error.kind)
        };
        assert_eq!(told(ENOSPC), (Scope::Endpoint, Retry::Never, ErrorKind::Quota));
        assert_eq!(told(EROFS), (Scope::Endpoint, Retry::Never, ErrorKind::Refused));
        assert_eq!(told(EACCES), (Scope::Folder, Retry::Never, ErrorKind::Refused));
        assert_eq!(told(EFBIG), (Scope::Message, Retry::Never, ErrorKind::TooLarge));
        assert_eq!(told(EIO), (Scope::Session, Retry::Now, ErrorKind::Connection));
        for number in [EMFILE, ENFILE] {
            assert_eq!(told(number), (Scope::Endpoint, Retry::After(None), ErrorKind::Refused));
        }
        assert_eq!(told(EDQUOT), (Scope::Endpoint, Retry::Never, ErrorKind::Quota));
    }
}
