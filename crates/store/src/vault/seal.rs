//! Encryption of one secret.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use mailhaul_mail::Secret;
use mailhaul_migration::Guid;
use zeroize::Zeroizing;

use super::SecretName;
use crate::db::error::{Fault, StoreError};

/// Bytes of a nonce. Random nonces of this length do not collide.
const NONCE_LENGTH: usize = 24;

/// Id of a key in its rows. It reveals nothing about the key.
pub(crate) type KeyId = [u8; 8];

/// Seals and opens under one key, which is wiped when dropped.
pub(crate) struct Vault {
    id: KeyId,
    cipher: XChaCha20Poly1305,
}

impl Vault {
    pub(super) fn new(id: KeyId, key: &Zeroizing<[u8; 32]>) -> Self {
        Self { id, cipher: XChaCha20Poly1305::new((&**key).into()) }
    }

    /// Returns the id by which rows name the key.
    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    /// Returns nonce and ciphertext.
    pub(crate) fn seal(&self, owner: Guid, name: SecretName, secret: &Secret) -> Result<Vec<u8>, Fault> {
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce)?;
        let bound = self.bound(owner, name);
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), Payload { msg: secret.expose(), aad: &bound });
        // Fails only beyond 256 GiB.
        let sealed = sealed.map_err(|_| Fault::Unreadable("password"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens a secret that was sealed for this owner under this name.
    pub(crate) fn open(&self, owner: Guid, name: SecretName, sealed: &[u8]) -> Result<Secret, Fault> {
        let damaged = || StoreError::Sealed { owner, name: name.into(), how: "was changed or damaged" };
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LENGTH>().ok_or_else(damaged)?;
        let bound = self.bound(owner, name);
        let opened = self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &bound });
        Ok(Secret::new(opened.map_err(|_| damaged())?))
    }

    /// Returns the authenticated data of a seal. Only the last part varies in length.
    fn bound(&self, owner: Guid, name: SecretName) -> Vec<u8> {
        let name: &'static str = name.into();
        [owner.as_bytes().as_slice(), &self.id, name.as_bytes()].concat()
    }
}

/// Reads a key id from a column.
pub(crate) fn key_id(bytes: &[u8]) -> Result<KeyId, Fault> {
    bytes.try_into().map_err(|_| Fault::Unreadable("key_id"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::master_key::MasterKey, *};

    proptest! {
        #[test]
        fn a_seal_opens_only_where_it_belongs_and_only_whole(
            password in prop::collection::vec(any::<u8>(), 0..80),
            spoiled in any::<prop::sample::Index>(),
            bit in 0..8u32,
        ) {
            let (key, owner) = (MasterKey::random().unwrap(), Guid::new_v4());
            let (vault, secret) = (key.vault(), Secret::new(password));
            let sealed = vault.seal(owner, SecretName::Password, &secret).unwrap();
            prop_assert_eq!(&vault.open(owner, SecretName::Password, &sealed).unwrap(), &secret);
            prop_assert_ne!(&vault.seal(owner, SecretName::Password, &secret).unwrap(), &sealed);

            prop_assert!(vault.open(Guid::new_v4(), SecretName::Password, &sealed).is_err());
            prop_assert!(vault.open(owner, SecretName::TargetPassword, &sealed).is_err());
            let other = MasterKey::random().unwrap().vault();
            prop_assert!(other.open(owner, SecretName::Password, &sealed).is_err());
            let mut changed = sealed.clone();
            changed[spoiled.index(sealed.len())] ^= 1 << bit;
            prop_assert!(vault.open(owner, SecretName::Password, &changed).is_err());
            prop_assert!(vault.open(owner, SecretName::Password, &sealed[..spoiled.index(sealed.len())]).is_err());
        }
    }
}
