//! SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding.

use std::marker::PhantomData;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{EagerHash, Hmac, KeyInit, Mac, digest::Digest};
use mailhaul_mail::{Retry, Scope};
use sha1::Sha1;
use sha2::Sha256;
use stringprep::saslprep;
use zeroize::Zeroizing;

use super::{Credentials, Mechanism, unexpected};
use crate::error::{Error, ErrorKind};

pub(super) const SHA_1: &str = "SCRAM-SHA-1";
pub(super) const SHA_256: &str = "SCRAM-SHA-256";

/// Maximum number of hash rounds. Servers need fewer, and more would take seconds.
const MAX_ROUNDS: u32 = 1_000_000;

pub(super) fn sha_1(credentials: &Credentials) -> Option<Box<dyn Mechanism + Send>> {
    Some(Box::new(Scram::<Sha1>::new(SHA_1, credentials, &nonce()?)))
}

pub(super) fn sha_256(credentials: &Credentials) -> Option<Box<dyn Mechanism + Send>> {
    Some(Box::new(Scram::<Sha256>::new(SHA_256, credentials, &nonce()?)))
}

/// Returns `None` if the system has no random numbers.
fn nonce() -> Option<String> {
    let mut octets = [0; 18];
    getrandom::fill(&mut octets).ok()?;
    Some(STANDARD.encode(octets))
}

/// Escapes a name (RFC 5802, section 5.1; RFC 5801, section 4).
pub(super) fn saslname(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

/// State of the exchange.
enum ScramState {
    /// The first message is not answered yet.
    First,
    /// The proof was sent. The server must answer with this signature.
    Proved(Vec<u8>),
    /// The server's signature is correct.
    Verified,
    /// The exchange failed. Nothing more is sent.
    Failed,
}

struct Scram<D> {
    name: &'static str,
    gs2_header: String,
    first_bare: String,
    nonce: String,
    password: Zeroizing<Vec<u8>>,
    state: ScramState,
    /// Reason of a refusal (`e=`, section 7). The server sends NO after an empty answer.
    server_error: Option<String>,
    hash: PhantomData<fn() -> D>,
}

impl<D: EagerHash + Digest> Scram<D> {
    fn new(name: &'static str, credentials: &Credentials, nonce: &str) -> Self {
        let gs2_header = match credentials.identity() {
            Some(owner) => format!("n,a={},", saslname(owner)),
            None => "n,,".to_owned(),
        };
        // A name that SASLprep rejects is sent as it is, because the server may still know it.
        let user = saslprep(&credentials.user).unwrap_or_else(|_| credentials.user.as_str().into());
        let password = credentials.secret.expose();
        let prepared = std::str::from_utf8(password).ok().and_then(|text| saslprep(text).ok());
        let password = prepared.map_or_else(|| password.to_vec(), |text| text.into_owned().into_bytes());
        Self {
            name,
            gs2_header,
            first_bare: format!("n={},r={nonce}", saslname(&user)),
            nonce: nonce.to_owned(),
            password: Zeroizing::new(password),
            state: ScramState::First,
            server_error: None,
            hash: PhantomData,
        }
    }

    fn malformed(&self) -> Error {
        unexpected(self.name, "the server's message is malformed")
    }

    fn hmac(&self, key: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut mac = Hmac::<D>::new_from_slice(key).map_err(|_| self.malformed())?;
        mac.update(message);
        Ok(mac.finalize().into_bytes().to_vec())
    }

    /// Returns the client-final-message, and the signature that the server must send (section 3).
    fn prove(&self, server_first: &str) -> Result<(String, Vec<u8>), Error> {
        let mut parts = server_first.split(',');
        let mut part = |key: &str| parts.next().and_then(|part| part.strip_prefix(key));
        let (Some(nonce), Some(salt), Some(rounds)) = (part("r="), part("s="), part("i=")) else {
            return Err(self.malformed());
        };
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(unexpected(self.name, "the server's nonce does not begin with the client's nonce"));
        }
        let salt = STANDARD.decode(salt).map_err(|_| self.malformed())?;
        let rounds: u32 = rounds.parse().map_err(|_| self.malformed())?;
        if !(1..=MAX_ROUNDS).contains(&rounds) {
            return Err(unexpected(self.name, &format!("the server asks for {rounds} rounds")));
        }
        let mut salted = Zeroizing::new(vec![0; <D as Digest>::output_size()]);
        pbkdf2::pbkdf2_hmac::<D>(&self.password, &salt, rounds, &mut salted);

        let without_proof = format!("c={},r={nonce}", STANDARD.encode(&self.gs2_header));
        let auth_message = format!("{},{server_first},{without_proof}", self.first_bare);
        let client_key = self.hmac(&salted, b"Client Key")?;
        let stored_key = D::digest(&client_key);
        let client_signature = self.hmac(&stored_key, auth_message.as_bytes())?;
        let proof: Vec<u8> = client_key.iter().zip(&client_signature).map(|(a, b)| a ^ b).collect();
        let server_key = self.hmac(&salted, b"Server Key")?;
        let server_signature = self.hmac(&server_key, auth_message.as_bytes())?;
        Ok((format!("{without_proof},p={}", STANDARD.encode(proof)), server_signature))
    }

    /// Checks the server-final-message.
    fn verify(&self, server_final: &str, owed: &[u8]) -> Result<(), Error> {
        let part = server_final.split(',').next().unwrap_or_default();
        let signature = part.strip_prefix("v=").and_then(|text| STANDARD.decode(text).ok());
        if signature.ok_or_else(|| self.malformed())? == owed {
            Ok(())
        } else {
            Err(refused(self.name, "the server cannot prove that it knows the password"))
        }
    }
}

/// Error of an exchange that fails with these credentials on every connection.
fn refused(name: &str, what: &str) -> Error {
    Error {
        scope: Scope::Endpoint,
        retry: Retry::Never,
        ..Error::session(ErrorKind::Authentication, format!("{name}: {what}"))
    }
}

impl<D: EagerHash + Digest> Mechanism for Scram<D> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn initial(&mut self) -> Option<Vec<u8>> {
        Some(format!("{}{}", self.gs2_header, self.first_bare).into_bytes())
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Error> {
        let text = std::str::from_utf8(challenge).map_err(|_| self.malformed())?;
        if let Some(error) = text.strip_prefix("e=") {
            self.state = ScramState::Failed;
            let error = error.split(',').next().unwrap_or_default();
            self.server_error =
                Some(error.chars().filter(|character| !character.is_control()).take(80).collect());
            return Ok(Vec::new());
        }
        match std::mem::replace(&mut self.state, ScramState::Failed) {
            ScramState::First => {
                let (answer, owed) = self.prove(text)?;
                self.state = ScramState::Proved(owed);
                Ok(answer.into_bytes())
            }
            ScramState::Proved(owed) => {
                self.verify(text, &owed)?;
                self.state = ScramState::Verified;
                Ok(Vec::new())
            }
            ScramState::Verified | ScramState::Failed => {
                Err(unexpected(self.name, "the server sent an unexpected challenge"))
            }
        }
    }

    fn refusal(&self) -> Option<&str> {
        self.server_error.as_deref()
    }

    fn finish(&self) -> Result<(), Error> {
        match self.state {
            ScramState::Verified => Ok(()),
            _ => Err(refused(self.name, "the server said OK and did not prove that it knows the password")),
        }
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Secret;

    use super::*;
    use crate::auth::{AuthorizeAs, CredentialKind};

    const SERVER_FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn credentials() -> Credentials {
        Credentials {
            user: "user".to_owned(),
            authorize_as: None,
            secret: Secret::new("pencil"),
            kind: CredentialKind::Password,
            mechanism: None,
        }
    }

    fn scram() -> Scram<Sha256> {
        Scram::new(SHA_256, &credentials(), "rOprNGfwEbeRWgbNEkqO")
    }

    #[test]
    fn the_exchange_of_rfc_5802() {
        let mut scram = Scram::<Sha1>::new(SHA_1, &credentials(), "fyko+d2lbbFgONRv9qkxdawL");
        assert_eq!(scram.initial().unwrap(), b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
        let first = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
        let expected = "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=";
        assert_eq!(scram.respond(first).unwrap(), expected.as_bytes());
        assert!(scram.finish().is_err());
        assert_eq!(scram.respond(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=").unwrap(), b"");
        scram.finish().unwrap();
        assert!(scram.respond(b"").is_err());
    }

    #[test]
    fn the_exchange_of_rfc_7677() {
        let mut scram = scram();
        assert_eq!(scram.initial().unwrap(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let expected = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(scram.respond(SERVER_FIRST.as_bytes()).unwrap(), expected.as_bytes());
        scram.respond(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
        scram.finish().unwrap();
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_found_out() {
        for last in ["v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "v=", "nonsense", ""] {
            let mut scram = scram();
            scram.respond(SERVER_FIRST.as_bytes()).unwrap();
            assert!(scram.respond(last.as_bytes()).is_err(), "{last}");
            assert_eq!(scram.finish().unwrap_err().kind, ErrorKind::Authentication, "{last}");
        }
    }

    #[test]
    fn the_servers_reason_is_kept_and_its_ok_is_not_believed() {
        for first in [Some(SERVER_FIRST), None] {
            let mut scram = scram();
            if let Some(first) = first {
                scram.respond(first.as_bytes()).unwrap();
            }
            assert_eq!(scram.respond(b"e=unknown-user,x=y").unwrap(), b"");
            assert_eq!(scram.refusal(), Some("unknown-user"));
            assert_eq!(scram.finish().unwrap_err().kind, ErrorKind::Authentication);
        }
    }

    #[test]
    fn odd_first_messages_are_refused() {
        for first in [
            "",
            "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=other%hvYDpWUa2RaTCAf,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOmore,s=*,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOmore,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0",
            "r=rOprNGfwEbeRWgbNEkqOmore,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4000000000",
            "m=ext,r=rOprNGfwEbeRWgbNEkqOmore,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        ] {
            assert_eq!(scram().respond(first.as_bytes()).unwrap_err().kind, ErrorKind::Protocol, "{first}");
        }
        assert!(scram().respond(b"\xFF").is_err());
    }

    #[test]
    fn names_are_escaped_and_another_mailbox_is_named() {
        let credentials = Credentials {
            user: "a,b".to_owned(),
            authorize_as: Some(AuthorizeAs::Identity("x=y".to_owned())),
            ..credentials()
        };
        let mut scram = Scram::<Sha1>::new(SHA_1, &credentials, "abc");
        assert_eq!(scram.initial().unwrap(), b"n,a=x=3Dy,n=a=2Cb,r=abc");
    }

    #[test]
    fn each_exchange_has_its_own_nonce() {
        assert_ne!(nonce().unwrap(), nonce().unwrap());
    }
}
