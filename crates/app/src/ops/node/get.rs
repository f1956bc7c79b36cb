//! Get-MigrationNode.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::MigrationNode;
use crate::{
    context::Context,
    ops::shared::{
        failures::{into_failure, not_found},
        nouns::NODE,
    },
};

pub(crate) struct GetMigrationNode;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the node [default: all].
    identity: Option<String>,
}

impl Operation<Context> for GetMigrationNode {
    const VERB: Verb = Verb::Get;
    const NOUN: Noun = NODE;
    const ROLE: Role = Role::Viewer;
    const ABOUT: &'static str = "Lists the services that run on one PostgreSQL database. With a data directory there is one service, and no list.";
    const VIEW: &'static [&'static str] =
        &["Identity", "State", "Mailboxes", "Capacity", "MasterKeys", "Version", "LastBeatDateTime"];

    type Request = Request;
    type Response = MigrationNode;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationNode>, Failure> {
        let mut nodes = context.store.nodes().list().await.map_err(into_failure)?;
        if let Some(identity) = &request.identity {
            nodes.retain(|node| node.is_named(identity));
            if nodes.is_empty() {
                return Err(not_found("node", identity));
            }
        }
        Ok(Answer::all(nodes.into_iter().map(MigrationNode::new).collect()))
    }
}
