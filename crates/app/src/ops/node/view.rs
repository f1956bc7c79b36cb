//! View of a node.

use jiff::Timestamp;
use mailhaul_migration::Guid;
use mailhaul_store::Node;
use schemars::JsonSchema;
use serde::Serialize;

/// Service that runs on the database.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationNode {
    /// Name, by default that of the machine.
    identity: String,
    /// Id of this run. A restart gives a new one.
    guid: Guid,
    /// Alive; Draining if it begins no pass; Lost if others continue with its mailboxes.
    state: NodeState,
    /// Number of mailboxes that the node migrates now.
    mailboxes: u64,
    /// Maximum number of mailboxes at the same time.
    capacity: u32,
    /// Ids of the master keys that the node has; two while the key is changed.
    master_keys: Vec<String>,
    /// Id of the archive that the node can write to; null without --archive.
    archive: Option<Guid>,
    /// Version of the program.
    version: String,
    /// Time of the start.
    started_date_time: Timestamp,
    /// Time at which the node renewed its lease, by the clock of the database.
    last_beat_date_time: Timestamp,
}

/// State of a node.
#[derive(Serialize, JsonSchema)]
enum NodeState {
    Alive,
    Draining,
    Lost,
}

impl MigrationNode {
    pub(crate) fn new(node: Node) -> Self {
        let state = match (node.is_alive, node.is_draining) {
            (false, _) => NodeState::Lost,
            (true, true) => NodeState::Draining,
            (true, false) => NodeState::Alive,
        };
        Self {
            identity: node.settings.name,
            guid: node.guid,
            state,
            mailboxes: node.mailboxes,
            capacity: node.settings.capacity,
            master_keys: node.keys,
            archive: node.archive,
            version: node.settings.program,
            started_date_time: node.started,
            last_beat_date_time: node.last_beat,
        }
    }
}
