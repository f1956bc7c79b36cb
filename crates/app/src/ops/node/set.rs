//! Set-MigrationNode.

use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::MigrationNode;
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::NODE},
};

pub(crate) struct SetMigrationNode;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the node.
    identity: String,
    /// Ends the passes of the node, which other nodes continue, and begins no more; $false begins again.
    ///
    /// Do this before you stop or update a machine.
    drain: bool,
}

impl Operation<Context> for SetMigrationNode {
    const VERB: Verb = Verb::Set;
    const NOUN: Noun = NODE;
    const ROLE: Role = Role::Admin;
    const ABOUT: &'static str = "Takes the mailboxes from a node, or gives it mailboxes again.";
    const VIEW: &'static [&'static str] = &["Identity", "State", "Mailboxes", "Capacity"];

    type Request = Request;
    type Response = MigrationNode;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationNode>, Failure> {
        let set =
            context.store.nodes().drain(&request.identity, request.drain).await.map_err(into_failure)?;
        context.wake().await;
        let nodes = context.store.nodes().list().await.map_err(into_failure)?;
        let changed = nodes.into_iter().filter(|node| set.contains(&node.guid));
        Ok(Answer::all(changed.map(MigrationNode::new).collect()))
    }
}
