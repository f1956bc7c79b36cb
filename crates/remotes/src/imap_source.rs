//! Bodies from an IMAP mailbox, and subjects for people.

use mail_parser::MessageParser;
use mailhaul_engine::{Error, Mailbox as _, Missing, Outlet, Source, Wanted};
use mailhaul_imap::Selected;
use mailhaul_mail::{FolderPath, Uid, UidSet};

use crate::{
    culprits::is_break,
    delivery::{Blame, Delivery, Step, Stop},
    imap_mailbox::ImapMailbox,
    line::Gauge,
    opening::Mode,
};

impl Source for ImapMailbox {
    async fn fetch(
        &mut self,
        folder: &FolderPath,
        wanted: &[Wanted],
        outlet: Outlet,
    ) -> Result<Vec<(Uid, Missing)>, Error> {
        self.begin().await?;
        let gauge = Gauge::new(self.line, self.round_trip());
        let mut delivery = Delivery::new(self.numbered(folder), &self.culprits, wanted, outlet, gauge);
        loop {
            let selected = self.open(folder, Mode::Examine).await?;
            let delivered = deliver(selected, &mut delivery).await;
            self.line = delivery.gauge.line();
            match delivered {
                Ok(Delivered::All(there)) => return Ok(delivery.into_missing(|uid| there.contains(uid))),
                Ok(Delivered::UntilTheLineIsCompressed) => self.compress().await?,
                Err(Stop::Closed) => return Ok(Vec::new()),
                Err(Stop::Wire(error)) => match delivery.blame(error) {
                    Blame::Message => self.session = None,
                    Blame::Unknown(error) => return Err(self.explain_in(folder, error)),
                },
            }
        }
    }

    /// A server may break the connection at a message that is skipped: then the report lacks its subject, and nothing else.
    async fn subjects(&mut self, folder: &FolderPath, uids: &UidSet) -> Result<Vec<(Uid, String)>, Error> {
        let culprits = self.culprits.of(&self.numbered(folder));
        let others: UidSet = uids.iter().filter(|uid| !culprits.contains_key(uid)).collect();
        let alone = uids.iter().filter(|uid| culprits.contains_key(uid)).map(|uid| UidSet::range(uid, uid));
        let mut subjects = Vec::new();
        for uids in std::iter::once(others).chain(alone).filter(|it| !it.is_empty()) {
            let mut selected = self.open(folder, Mode::Examine).await?;
            let fetched = selected
                .uid_fetch(&uids, "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])", |fetch| {
                    let header = fetch.sections.iter().find_map(|it| fetch.inline(&it.spec));
                    subjects.extend(fetch.uid.zip(header.and_then(|it| subject(it))));
                })
                .await;
            match fetched {
                Err(error) if is_break(&error) => {
                    self.session = None;
                    break;
                }
                fetched => fetched.map_err(|error| self.explain_in(folder, error))?,
            }
        }
        Ok(subjects)
    }
}

/// The subject out of a header, decoded (RFC 2047).
fn subject(header: &[u8]) -> Option<String> {
    MessageParser::default().parse_headers(header)?.subject().map(str::to_owned)
}

/// How far the messages were delivered.
enum Delivered {
    /// All that the server gives; with those of the others that are still in the folder.
    All(UidSet),
    /// The line turned out to be slow: more is to be delivered over a better one.
    UntilTheLineIsCompressed,
}

/// Delivers what is wanted from the open folder.
async fn deliver(mut selected: Selected<'_>, delivery: &mut Delivery) -> Result<Delivered, Stop> {
    let mut stream = selected.fetch_stream().await?;
    while let Some(step) = delivery.next_step() {
        match step {
            Step::Together(wanted) => delivery.together(&mut stream, &wanted).await?,
            Step::Alone(uid) => delivery.alone(&mut stream, uid).await?,
        }
        if std::mem::take(&mut delivery.is_slow) {
            return Ok(Delivered::UntilTheLineIsCompressed);
        }
    }
    while let Some(uid) = delivery.next_unanswered() {
        delivery.alone(&mut stream, uid).await?;
    }
    let lacking: UidSet = delivery.lacking().collect();
    if lacking.is_empty() {
        return Ok(Delivered::All(lacking));
    }
    Ok(Delivered::All(selected.uids_among(&lacking).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_decoded() {
        let told = |header: &str| subject(header.as_bytes());
        assert_eq!(
            told("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?b?IGFuIGFsbGU=?=\r\n\r\n").as_deref(),
            Some("Grüße an alle")
        );
        assert_eq!(told("\r\n"), None);
    }
}
