//! ID (RFC 2971), ENABLE (RFC 5161) and NAMESPACE (RFC 2342) in one round trip: what a session begins with. LIST can be
//! sent with them.

use std::time::{Duration, Instant};

use mailhaul_mail::Scope;

use super::{ListQuery, ListedMailbox, list::Listing};
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
    /// The mailboxes, if they were wanted and the answer is complete.
    pub listed: Option<Vec<ListedMailbox>>,
    /// Time until the first answer.
    pub round_trip: Duration,
}

impl Session {
    /// Says who we are, enables extensions and asks where mailboxes are, all at once; each only where the server offers
    /// it. What is refused is passed over: some servers offer what they refuse (Courier ID), and nothing depends on it.
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
            (LIST, query.map(|it| self.list_command(it))),
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
                // A caller that lists again gets the error.
                Ok(_) if *name == LIST => {
                    introduction.listed = std::mem::take(&mut listing).conclude(LIST).ok()
                }
                _ => {}
            }
        }
        Ok(introduction)
    }
}

const LIST: &str = "LIST";
