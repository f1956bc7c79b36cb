//! New-MigrationMasterKey.

use std::path::PathBuf;

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::MasterKeySource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::{Context, master_key},
    ops::shared::{failures::into_failure, nouns::MASTER_KEY},
};

pub(crate) struct NewMigrationMasterKey;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// File with the new key [default: a new key in the data directory].
    ///
    /// If you give KeyFile, set `MAILHAUL_MASTER_KEY_FILE` to it before the next start. Without
    /// KeyFile, this works only if the current key is in the data directory.
    key_file: Option<String>,
}

/// Location of the master key after the change.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationMasterKey {
    /// File that holds the key.
    key_file: String,
    /// Next step for the administrator.
    message: String,
}

impl Operation<Context> for NewMigrationMasterKey {
    const VERB: Verb = Verb::New;
    const NOUN: Noun = MASTER_KEY;
    const ROLE: Role = Role::Admin;
    const ABOUT: &'static str = "Encrypts all passwords with a new key; all of them or none.";
    const VIEW: &'static [&'static str] = &["KeyFile", "Message"];
    const CONFIRM: bool = true;

    type Request = Request;
    type Response = MigrationMasterKey;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationMasterKey>, Failure> {
        let (source, file, message) = match request.key_file {
            Some(file) => (
                MasterKeySource::File(PathBuf::from(&file)),
                file,
                "Set MAILHAUL_MASTER_KEY_FILE to this file for every mailhaul that uses this data directory.",
            ),
            None if master_key() == MasterKeySource::DataDirectory => (
                MasterKeySource::DataDirectory,
                context.data.join("master.key").display().to_string(),
                "Keep a copy of the new key elsewhere. Older backups of the database need the older key.",
            ),
            None => {
                let failure = Failure::invalid("KeyFile: the current key is not in the data directory");
                return Err(failure.with_advice("Write a new key into a file, and name it with -KeyFile."));
            }
        };
        context.store.secrets().rotate(source).await.map_err(into_failure)?;
        Ok(Answer::one(MigrationMasterKey { key_file: file, message: message.to_owned() }))
    }
}
