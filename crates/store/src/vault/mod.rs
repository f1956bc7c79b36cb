//! Passwords at rest: each sealed by XChaCha20-Poly1305 under a key derived from the master key.
//!
//! The database alone opens nothing: the master key is in a file of its own ([`MasterKeySource`]). What a seal is bound
//! to (whose secret, which one, which key) is authenticated with it, so that a row cannot be put in another's place.
//! All rows are under the same key: changing it seals everything anew in one transaction.

mod key_file;
mod keys;
mod master_key;
mod rotate;
mod seal;
pub(crate) mod secrets;

use std::path::PathBuf;

use strum::{Display, EnumString, IntoStaticStr};

pub(crate) use keys::Keys;

/// Where the master key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterKeySource {
    /// The file `master.key` in the data directory; made where nothing is sealed yet.
    DataDirectory,
    /// A file that the administrator keeps. It is never made, and must be closed to everybody but its owner.
    File(PathBuf),
    /// A credential that the service manager hands over (`$CREDENTIALS_DIRECTORY/master-key`), with whatever mode it has.
    Credential(PathBuf),
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
    /// What an endpoint's access tokens are come by with: a client secret, a private key, a refresh token.
    TokenSecret,
}
