//! ID (RFC 2971).

use crate::{encode::Command, error::Error, response::Untagged, session::Session};

impl Session {
    /// Says who we are, and asks who the server is. Empty where the server does not know the command.
    pub async fn id(&mut self, fields: &[(&str, &str)]) -> Result<Vec<(String, Option<String>)>, Error> {
        if !self.link.has("ID") {
            return Ok(Vec::new());
        }
        let command = if fields.is_empty() {
            Command::new("ID").raw("NIL")
        } else {
            Command::new("ID").strings(fields.iter().flat_map(|(name, value)| [name, value]))
        };
        let mut told = Vec::new();
        let collect = |untagged| {
            if let Untagged::Id(fields) = untagged {
                told = fields;
            }
        };
        self.link.run("ID", &command, collect).await?;
        Ok(told)
    }
}
