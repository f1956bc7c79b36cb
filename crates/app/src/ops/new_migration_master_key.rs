//! New-MigrationMasterKey.

use std::path::PathBuf;

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::MasterKeySource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{failures::told, nouns::MASTER_KEY};
use crate::context::{Context, master_key};

/// Seals all passwords with another key.
pub(crate) struct NewMigrationMasterKey;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// A file with the new key, which `MAILHAUL_MASTER_KEY_FILE` has to name from the next start on. Without it a new key is
    /// made in the data directory, if the key is kept there.
    key_file: Option<String>,
}

/// Where the key is now.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationMasterKey {
    /// The file that holds it.
    key_file: String,
    /// What is to be done now.
    message: String,
}

impl Operation<Context> for NewMigrationMasterKey {
    const VERB: Verb = Verb::New;
    const NOUN: Noun = MASTER_KEY;
    const ROLE: Role = Role::Admin;
    const ABOUT: &'static str = "Seals all passwords with another key, at once or not at all.";
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
                "Set MAILHAUL_MASTER_KEY_FILE to this file wherever mailhaul runs on this data directory.",
            ),
            None if master_key() == MasterKeySource::DataDirectory => (
                MasterKeySource::DataDirectory,
                context.data.join("master.key").display().to_string(),
                "Keep a copy of the new key elsewhere; backups of the database need the key of their time.",
            ),
            None => {
                let failure = Failure::invalid("KeyFile: the key is not kept in the data directory");
                return Err(failure.with_advice("Write a new key into a file, and name it with -KeyFile."));
            }
        };
        context.store.rotate_master_key(source).await.map_err(told)?;
        Ok(Answer::one(MigrationMasterKey { key_file: file, message: message.to_owned() }))
    }
}
