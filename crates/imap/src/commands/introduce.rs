//! First commands of a session in one round trip: ID (RFC 2971), ENABLE (RFC 5161), NAMESPACE (RFC 2342), and LIST.

use std::time::{Duration, Instant};

use mailhaul_mail::Scope;

use super::{ListQuery, ListedMailbox, list::Listing};
use crate::{
    encode::Command,
    error::Error,
    response::{Namespaces, Untagged},
    session::Session,
};

/// Answers to the first commands of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Introduction {
    /// Identification of the server (RFC 2971); empty if it sends none.
    pub id: Vec<(String, Option<String>)>,
    /// Namespaces; `None` if the server sends none.
    pub namespaces: Option<Namespaces>,
    /// Mailboxes, if they were requested and the answer is complete.
    pub listed: Option<Vec<ListedMailbox>>,
    /// Time until the first answer.
    pub round_trip: Duration,
}

impl Session {
    /// Identifies the client, enables extensions and asks for namespaces, all at once, as far as the server offers it.
    ///
    /// Refusals are ignored, because nothing depends on the answers. Some servers refuse a command that they offer (Courier:
    /// ID).
    ///
    /// With `query`, mailboxes are listed too. If [`Introduction::listed`] is `None`, the caller must use
    /// [`list`](Self::list).
    pub async fn introduce(
        &mut self,
        fields: &[(&str, &str)],
        extensions: &[&str],
        query: Option<&ListQuery>,
    ) -> Result<Introduction, Error> {
        let all = [
            ("ID", self.id_command(fields)),
            ("ENABLE", self.enable_command(extensions)?),
            ("NAMESPACE", self.namespace_command()),
            (LIST, query.map(|query| self.list_command(query))),
        ];
        let commands: Vec<(&str, Command)> =
            all.into_iter().filter_map(|(name, command)| Some((name, command?))).collect();
        let mut introduction = Introduction::default();
        let mut listing = Listing::default();
        let collect = |untagged| match untagged {
            Untagged::Namespace(namespaces) => introduction.namespaces = Some(namespaces),
            Untagged::Id(fields) => introduction.id = fields,
            untagged => listing.take(LIST, untagged),
        };
        let begun = Instant::now();
        let mut round_trip = None;
        let answered = || _ = round_trip.get_or_insert_with(|| begun.elapsed());
        let ended = self.link.run_many_noticing(&commands, collect, answered).await?;
        introduction.round_trip = round_trip.unwrap_or_default();
        for ((name, _), outcome) in commands.iter().zip(ended) {
            match outcome {
                Err(error) if error.scope >= Scope::Session => return Err(error),
                // The caller lists again, and gets the error then.
                Ok(_) if *name == LIST => {
                    introduction.listed = std::mem::take(&mut listing).conclude(LIST).ok();
                }
                _ => {}
            }
        }
        Ok(introduction)
    }
}

const LIST: &str = "LIST";
