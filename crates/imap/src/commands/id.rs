//! ID (RFC 2971).

use crate::{encode::Command, error::Error, response::Untagged, session::Session};

impl Session {
    /// Identifies the client, and returns the identification of the server. Empty if the server does not support ID.
    pub async fn id(&mut self, fields: &[(&str, &str)]) -> Result<Vec<(String, Option<String>)>, Error> {
        let Some(command) = self.id_command(fields) else { return Ok(Vec::new()) };
        let mut answer = Vec::new();
        let collect = |untagged| {
            if let Untagged::Id(fields) = untagged {
                answer = fields;
            }
        };
        self.link.run("ID", &command, collect).await?;
        Ok(answer)
    }

    pub(super) fn id_command(&self, fields: &[(&str, &str)]) -> Option<Command> {
        if !self.link.has("ID") {
            None
        } else if fields.is_empty() {
            Some(Command::new("ID").raw("NIL"))
        } else {
            Some(Command::new("ID").strings(fields.iter().flat_map(|(name, value)| [name, value])))
        }
    }
}
