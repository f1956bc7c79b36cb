//! ID (RFC 2971), ENABLE (RFC 5161) and NAMESPACE (RFC 2342) in one round trip: what a session begins with.

use mailhaul_mail::Scope;

use crate::{
    encode::Command,
    error::Error,
    response::{Namespaces, Untagged},
    session::Session,
};

impl Session {
    /// Says who we are, enables extensions and asks where mailboxes are, all at once; each only where the server offers
    /// it. A refused ID is passed over: some servers offer it and refuse it (Courier), and nothing depends on it.
    pub async fn introduce(
        &mut self,
        fields: &[(&str, &str)],
        extensions: &[&str],
    ) -> Result<Option<Namespaces>, Error> {
        let all = [
            ("ID", self.id_command(fields)),
            ("ENABLE", self.enable_command(extensions)?),
            ("NAMESPACE", self.namespace_command()),
        ];
        let commands: Vec<(&str, Command)> =
            all.into_iter().filter_map(|(name, command)| Some((name, command?))).collect();
        let mut told = None;
        let collect = |untagged| {
            if let Untagged::Namespace(namespaces) = untagged {
                told = Some(namespaces);
            }
        };
        let ended = self.link.run_many(&commands, collect).await?;
        for ((name, _), outcome) in commands.iter().zip(ended) {
            match outcome {
                Err(error) if *name != "ID" || error.scope >= Scope::Session => return Err(error),
                _ => {}
            }
        }
        Ok(told)
    }
}
