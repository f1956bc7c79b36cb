//! Sealed rows. They are written in the transaction of the rows that they belong to.

use mailhaul_mail::Secret;
use mailhaul_migration::Guid;

use super::{
    SecretName,
    keys::Keys,
    seal::{KeyId, Vault},
};
use crate::{
    db::{
        columns::Cells,
        error::{Fault, StoreError},
        sql::{self, Builder, Connection, Value},
    },
    handles::Secrets,
};

/// Rows of one statement.
const ROWS_PER_STATEMENT: usize = 250;

impl Secrets<'_> {
    /// Returns a secret of a user or an endpoint; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError::VaultLocked`] before [`Secrets::unlock`]; [`StoreError::Sealed`] if the row was changed.
    pub async fn get(self, owner: Guid, name: SecretName) -> Result<Option<Secret>, StoreError> {
        let db = self.0;
        let keys = &db.shared.keys;
        if keys.first().is_none() {
            return Err(StoreError::VaultLocked);
        }
        db.read(|connection| {
            let keys = keys.clone();
            Box::pin(async move { find(connection, &keys, owner, name).await })
        })
        .await
    }

    /// Replaces a secret by the one that was made from it. The endpoint does not count as changed.
    ///
    /// Returns false if the stored secret is not `before` any more. Then another caller has set one
    /// meanwhile, which stays.
    ///
    /// # Errors
    /// As [`Secrets::get`].
    pub async fn replace(
        self,
        owner: Guid,
        name: SecretName,
        before: Secret,
        now: Secret,
    ) -> Result<bool, StoreError> {
        let db = self.0;
        let keys = db.shared.keys.clone();
        db.change(move |connection| {
            Box::pin(async move {
                if find(connection, &keys, owner, name).await? != Some(before) {
                    return Ok(false);
                }
                put(connection, &keys, name, &[(owner, now)]).await?;
                Ok(true)
            })
        })
        .await
    }
}

async fn find(
    connection: &mut Connection,
    keys: &Keys,
    owner: Guid,
    name: SecretName,
) -> Result<Option<Secret>, Fault> {
    let row = sql::query("SELECT key_id, sealed FROM secret WHERE owner = ? AND name = ?")
        .bind(owner)
        .bind(name.to_string())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let vault = keys.with_id(row.try_get(0)?).ok_or(StoreError::KeyChanged)?;
    vault.open(owner, name, row.try_get(1)?).map(Some)
}

/// Seals a secret of each owner, and replaces one of the same name.
pub(crate) async fn put(
    connection: &mut Connection,
    keys: &Keys,
    name: SecretName,
    secrets: &[(Guid, Secret)],
) -> Result<(), Fault> {
    let vault = keys.in_use(connection).await?;
    for chunk in secrets.chunks(ROWS_PER_STATEMENT) {
        let sealed: Result<Vec<_>, Fault> = chunk
            .iter()
            .map(|(owner, secret)| Ok((*owner, name, vault.seal(*owner, name, secret)?)))
            .collect();
        insert(connection, vault.id(), sealed?).await?;
    }
    Ok(())
}

/// Removes all secrets of an owner.
pub(crate) async fn remove(connection: &mut Connection, owner: Guid) -> Result<(), Fault> {
    sql::query("DELETE FROM secret WHERE owner = ?").bind(owner).execute(connection).await?;
    Ok(())
}

/// Removes all secrets of the users of a batch.
pub(crate) async fn remove_of_batch(connection: &mut Connection, batch: Guid) -> Result<(), Fault> {
    sql::query("DELETE FROM secret WHERE owner IN (SELECT guid FROM migration_user WHERE batch = ?)")
        .bind(batch)
        .execute(connection)
        .await?;
    Ok(())
}

/// Opens everything with one key and seals it with another.
pub(super) async fn reseal(connection: &mut Connection, old: &Vault, new: &Vault) -> Result<(), Fault> {
    let mut after = (Guid::nil(), String::new());
    loop {
        let rows = sql::query(
            "SELECT owner, name, key_id, sealed FROM secret WHERE (owner, name) > (?, ?) \
             ORDER BY owner, name LIMIT ?",
        )
        .bind(after.0)
        .bind(after.1)
        .bind(i64::try_from(ROWS_PER_STATEMENT).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await?;
        let mut sealed = Vec::with_capacity(rows.len());
        for row in &rows {
            let cells = Cells(row);
            let (owner, name) = (cells.get::<Guid>("owner")?, cells.word::<SecretName>("name")?);
            if cells.get::<&[u8]>("key_id")? != old.id() {
                let how = "is sealed with another key than the rest";
                return Err(StoreError::Sealed { owner, name: name.into(), how }.into());
            }
            let secret = old.open(owner, name, cells.get("sealed")?)?;
            sealed.push((owner, name, new.seal(owner, name, &secret)?));
        }
        let Some((owner, name, _)) = sealed.last() else { return Ok(()) };
        after = (*owner, name.to_string());
        insert(connection, new.id(), sealed).await?;
    }
}

async fn insert(
    connection: &mut Connection,
    key: KeyId,
    rows: Vec<(Guid, SecretName, Vec<u8>)>,
) -> Result<(), Fault> {
    if rows.is_empty() {
        return Ok(());
    }
    let count = rows.len();
    let mut query = Builder::new("INSERT INTO secret (key_id, owner, name, sealed) VALUES ");
    query.push_rows(rows.into_iter().map(|(owner, name, sealed)| -> [Value; 4] {
        let name: &'static str = name.into();
        [key.to_vec().into(), owner.into(), name.into(), sealed.into()]
    }));
    query.push(" ON CONFLICT (owner, name) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed");
    // Only the statement of a full chunk is used again.
    query.build().persistent(count == ROWS_PER_STATEMENT).execute(connection).await?;
    Ok(())
}
