//! ID (RFC 2971), ENABLE (RFC 5161) and NAMESPACE (RFC 2342) in one round trip: what a session begins with.

use mailhaul_mail::Scope;

use crate::{
    encode::Command,
    error::Error,
    response::{Namespaces, Untagged},
    session::Session,
};

/// What the server told when a session began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Introduction {
    /// Who the server says it is (RFC 2971); empty where it does not say.
    pub id: Vec<(String, Option<String>)>,
    /// Where mailboxes are; `None` where the server does not say.
    pub namespaces: Option<Namespaces>,
}

impl Session {
    /// Says who we are, enables extensions and asks where mailboxes are, all at once; each only where the server offers
    /// it. What is refused is passed over: some servers offer what they refuse (Courier ID), and nothing depends on it.
    pub async fn introduce(
        &mut self,
        fields: &[(&str, &str)],
        extensions: &[&str],
    ) -> Result<Introduction, Error> {
        let all = [
            ("ID", self.id_command(fields)),
            ("ENABLE", self.enable_command(extensions)?),
            ("NAMESPACE", self.namespace_command()),
        ];
        let commands: Vec<(&str, Command)> =
            all.into_iter().filter_map(|(name, command)| Some((name, command?))).collect();
        let mut told = Introduction::default();
        let collect = |untagged| match untagged {
            Untagged::Namespace(namespaces) => told.namespaces = Some(namespaces),
            Untagged::Id(fields) => told.id = fields,
            _ => {}
        };
        let ended = self.link.run_many(&commands, collect).await?;
        for error in ended.into_iter().filter_map(Result::err) {
            if error.scope >= Scope::Session {
                return Err(error);
            }
        }
        Ok(told)
    }
}
