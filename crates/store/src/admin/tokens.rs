//! API tokens of the service. Only a digest of each is stored.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{Timestamp, ToSpan};
use mailhaul_mail::Secret;
use mailhaul_migration::Guid;
use zeroize::Zeroizing;

use crate::{
    db::{
        columns::{Cells, millis},
        error::{Fault, StoreError},
        sql::{self, Connection, Row},
    },
    handles::Tokens,
};

/// Prefix of every token. A search for it finds tokens in files and logs.
const TOKEN_PREFIX: &str = "mh_";

/// Minimum time between two updates of the last use. A call of the service should not wait for the disk.
const LAST_USE_INTERVAL_SECONDS: i64 = 60;

/// A token without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its permanent id.
    pub guid: Guid,
    /// Its name, unique without regard to case among the tokens that are not revoked.
    pub name: String,
    /// The rights of its bearer, in the caller's words.
    pub role: String,
    pub created: Timestamp,
    /// Its last use, to the minute.
    pub last_used: Option<Timestamp>,
    pub revoked: Option<Timestamp>,
}

impl Tokens<'_> {
    /// Creates a token of 256 random bits.
    ///
    /// The token is returned only here, and cannot be recovered later.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`].
    pub async fn create(
        self,
        name: &str,
        role: &str,
        now: Timestamp,
    ) -> Result<(ApiToken, Secret), StoreError> {
        let db = self.0;
        let (name, role) = (name.to_owned(), role.to_owned());
        db.change(move |connection| {
            Box::pin(async move {
                if find(connection, &name).await?.is_some() {
                    return Err(StoreError::NameTaken { what: "token", name }.into());
                }
                let mut octets = Zeroizing::new([0; 32]);
                getrandom::fill(octets.as_mut_slice())?;
                let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(octets.as_slice()));
                let token = Secret::new(format!("{TOKEN_PREFIX}{}", *text));
                sql::query(
                    "INSERT INTO api_token (guid, name, role, digest, created) VALUES (?, ?, ?, ?, ?)",
                )
                .bind(Guid::new_v4())
                .bind(name.clone())
                .bind(role)
                .bind(digest(&token))
                .bind(millis(now))
                .execute(&mut *connection)
                .await?;
                let kept = find(connection, &name).await?;
                Ok((kept.ok_or_else(|| StoreError::not_found("token", name))?, token))
            })
        })
        .await
    }

    /// Returns all tokens, also revoked ones, in the order of creation.
    pub async fn list(self) -> Result<Vec<ApiToken>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let rows =
                    sql::query("SELECT api_token.* FROM api_token ORDER BY id").fetch_all(connection).await?;
                rows.iter().map(token).collect()
            })
        })
        .await
    }

    /// Returns the token with this secret, and records its use.
    ///
    /// `None` if it is unknown or revoked.
    pub async fn check(self, given: &Secret, now: Timestamp) -> Result<Option<ApiToken>, StoreError> {
        let db = self.0;
        let digest = digest(given);
        let known = db
            .read(|connection| {
                let digest = digest.clone();
                Box::pin(async move {
                    let row =
                        sql::query("SELECT api_token.* FROM api_token WHERE digest = ? AND revoked IS NULL")
                            .bind(digest)
                            .fetch_optional(connection)
                            .await?;
                    row.as_ref().map(token).transpose()
                })
            })
            .await?;
        let Some(mut known) = known else { return Ok(None) };
        let is_noted = known.last_used.is_some_and(|last| {
            now < last.saturating_add(LAST_USE_INTERVAL_SECONDS.seconds()).unwrap_or(last)
        });
        if !is_noted {
            let guid = known.guid;
            db.change_beside(move |connection| {
                Box::pin(async move {
                    sql::query("UPDATE api_token SET last_used = ? WHERE guid = ?")
                        .bind(millis(now))
                        .bind(guid)
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await?;
            known.last_used = Some(now);
        }
        Ok(Some(known))
    }

    /// Revokes the token of this name or GUID.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also if it is revoked already.
    pub async fn revoke(self, identity: &str, now: Timestamp) -> Result<ApiToken, StoreError> {
        let db = self.0;
        let identity = identity.to_owned();
        db.change(move |connection| {
            Box::pin(async move {
                let known = find(connection, &identity).await?;
                let mut known = known.ok_or_else(|| StoreError::not_found("token", identity))?;
                sql::query("UPDATE api_token SET revoked = ? WHERE guid = ?")
                    .bind(millis(now))
                    .bind(known.guid)
                    .execute(connection)
                    .await?;
                known.revoked = Some(now);
                Ok(known)
            })
        })
        .await
    }
}

/// Returns the digest of a token.
///
/// A token holds 256 random bits. A plain digest is enough to keep it from being guessed.
fn digest(token: &Secret) -> Vec<u8> {
    blake3::hash(token.expose()).as_bytes().to_vec()
}

/// Returns the token of this name or GUID that is not revoked.
async fn find(connection: &mut Connection, identity: &str) -> Result<Option<ApiToken>, Fault> {
    let row = sql::query(
        "SELECT api_token.* FROM api_token WHERE (guid = ?1 OR name_key = ?2) AND revoked IS NULL \
         ORDER BY guid = ?1 DESC LIMIT 1",
    )
    .bind(Guid::parse_str(identity).ok())
    .bind(identity.to_ascii_lowercase())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(token).transpose()
}

fn token(row: &Row) -> Result<ApiToken, Fault> {
    let cells = Cells(row);
    Ok(ApiToken {
        guid: cells.get("guid")?,
        name: cells.get("name")?,
        role: cells.get("role")?,
        created: cells.time("created")?,
        last_used: cells.time_if("last_used")?,
        revoked: cells.time_if("revoked")?,
    })
}
