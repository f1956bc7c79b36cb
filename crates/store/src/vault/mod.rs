//! Sealed passwords: XChaCha20-Poly1305 under a key derived from the master key.
//!
//! The database alone opens nothing: the master key is in a file of its own ([`MasterKeySource`]). Owner,
//! name and key of a secret are authenticated with it, so that a row cannot replace another one.
//!
//! Invariant: all rows are under the same key. A change of the key seals everything again in one transaction.

mod key_file;
mod keys;
mod master_key;
mod rotate;
mod seal;
pub(crate) mod secrets;

use std::path::{Path, PathBuf};

use strum::{Display, EnumString, IntoStaticStr};

pub(crate) use keys::{Keys, key_in_use};
pub(crate) use seal::KeyId;

/// The place of the master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterKeySource {
    /// The file `master.key` in the data directory. It is created while nothing is sealed yet.
    DataDirectory,
    /// A file of the administrator. It is never created, and only its owner may have access.
    File(PathBuf),
    /// A credential of the service manager (`$CREDENTIALS_DIRECTORY/master-key`), with any mode.
    Credential(PathBuf),
}

/// Returns the id by which rows name the key in a file; `None` if the file holds no key, or is missing.
pub fn key_id_of_file(path: &Path) -> Option<[u8; 8]> {
    Some(key_file::read(path, false).ok()??.id())
}

/// The secrets that an owner may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString, IntoStaticStr)]
pub enum SecretName {
    /// A user's password at the source.
    Password,
    /// A user's password at the target.
    TargetPassword,
    /// The password of an endpoint's administrator.
    AdminPassword,
    /// An endpoint's credential for access tokens: a client secret, a private key, a refresh token.
    TokenSecret,
}
