//! Reads bodies from an IMAP mailbox, and subjects for the report.

pub(crate) mod delivery;
pub(crate) mod ending;
pub(crate) mod examination;
pub(crate) mod fetch_throttling;
pub(crate) mod in_order;
pub(crate) mod judge;
pub(crate) mod sizes;

use std::collections::BTreeMap;

use mail_parser::{DateTime, MessageParser};
use mailhaul_engine::{Error, Heading, Mailbox as _, Missing, PipeWriter, Source, WantedMessage};
use mailhaul_imap::{self as imap, Selected};
use mailhaul_mail::{FolderPath, InternalDate, Scope, Uid, UidSet};

use crate::imap::{
    culprits::is_break,
    link_speed::Gauge,
    mailbox::ImapMailbox,
    numbering::SelectMode,
    source::delivery::{Blame, Delivery, DeliveryError, Step},
};

/// UIDs before and after a message that are searched for another one.
const NEIGHBOURS: u32 = 1000;
/// Skipped messages whose subjects are requested one by one, if the server refuses them together.
const MOST_SUBJECTS: usize = 100;
/// Characters of an author's address. RFC 5321 allows 254 in an address; a name may be longer.
const MAX_SENDER: usize = 320;

impl Source for ImapMailbox {
    async fn fetch(
        &mut self,
        folder: &FolderPath,
        wanted: &[WantedMessage],
        outlet: PipeWriter,
    ) -> Result<Vec<(Uid, Missing)>, Error> {
        self.begin().await?;
        let gauge = Gauge::new(self.link_speed, self.round_trip());
        let mut delivery = Delivery::new(
            self.numbered(folder),
            &self.culprits,
            self.choice.profile,
            wanted,
            outlet,
            self.sizes.clone(),
            gauge,
        );
        loop {
            let selected = self.open(folder, SelectMode::Examine).await?;
            let delivered = deliver(selected, &mut delivery).await;
            self.link_speed = delivery.gauge.link_speed();
            match delivered {
                Ok(DeliveryEnd::All(there)) => return Ok(delivery.into_missing(|uid| there.contains(uid))),
                Ok(DeliveryEnd::UntilCompressed) => self.compress().await?,
                Err(DeliveryError::Closed) => return Ok(Vec::new()),
                Err(DeliveryError::Wire(error)) => match delivery.blame(error) {
                    Blame::Message => self.session = None,
                    Blame::Unknown(error) => return Err(self.explain_in(folder, error)),
                },
            }
        }
    }

    /// A server may refuse a skipped message, or break the connection at it. Then only its heading is
    /// missing in the report.
    async fn prepare(&mut self, folder: &FolderPath) -> Result<(), Error> {
        self.begin().await?;
        self.open(folder, SelectMode::Examine).await.map(drop)
    }

    async fn headings(&mut self, folder: &FolderPath, uids: &UidSet) -> Result<Vec<(Uid, Heading)>, Error> {
        let culprits = self.culprits.in_folder(&self.numbered(folder));
        let (alone, together): (Vec<Uid>, Vec<Uid>) = uids.iter().partition(|uid| culprits.contains_key(uid));
        let mut found = BTreeMap::new();
        let mut end = SubjectsEnd::All;
        let mut one_by_one = alone;
        if !together.is_empty() {
            end = self.read_subjects(folder, &together.iter().copied().collect(), &mut found).await?;
        }
        if end == SubjectsEnd::Refused {
            let lacking = together.into_iter().filter(|uid| !found.contains_key(uid)).take(MOST_SUBJECTS);
            one_by_one.splice(0..0, lacking.collect::<Vec<Uid>>());
        }
        for uid in one_by_one {
            if end == SubjectsEnd::Broken {
                break;
            }
            end = self.read_subjects(folder, &UidSet::range(uid, uid), &mut found).await?;
        }
        Ok(found.into_iter().collect())
    }
}

/// The end of a command for subjects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SubjectsEnd {
    All,
    Refused,
    /// The connection ended.
    Broken,
}

impl ImapMailbox {
    async fn read_subjects(
        &mut self,
        folder: &FolderPath,
        uids: &UidSet,
        found: &mut BTreeMap<Uid, Heading>,
    ) -> Result<SubjectsEnd, Error> {
        let mut selected = self.open(folder, SelectMode::Examine).await?;
        let fetched = selected
            .uid_fetch(uids, "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT FROM DATE)])", |fetch| {
                let header = fetch.sections.iter().find_map(|it| fetch.inline(&it.spec));
                found.extend(fetch.uid.zip(header.and_then(|it| heading(it))));
            })
            .await;
        match fetched {
            Ok(()) => Ok(SubjectsEnd::All),
            Err(error) if error.scope < Scope::Session || error.may_mean_one_message() => {
                Ok(SubjectsEnd::Refused)
            }
            Err(error) if is_break(&error) => {
                self.session = None;
                Ok(SubjectsEnd::Broken)
            }
            Err(error) => Err(self.explain_in(folder, error)),
        }
    }
}

/// Reads the fields of a header, decoded (RFC 2047). Without any of them there is no heading.
fn heading(header: &[u8]) -> Option<Heading> {
    let header = MessageParser::default().parse_headers(header)?;
    let author = header.from().and_then(|from| from.first());
    let sender = author.and_then(|author| author.address().or_else(|| author.name()));
    let sent = header.date().filter(|date| date.is_valid());
    let zone = |date: &DateTime| {
        let minutes = i16::from(date.tz_hour) * 60 + i16::from(date.tz_minute);
        if date.tz_before_gmt { -minutes } else { minutes }
    };
    let heading = Heading {
        subject: header.subject().map(str::to_owned),
        sender: sender.map(|sender| sender.chars().take(MAX_SENDER).collect()),
        sent: sent.and_then(|date| InternalDate::new(date.to_timestamp(), zone(date))),
    };
    if heading == Heading::default() { None } else { Some(heading) }
}

/// The end of a delivery.
enum DeliveryEnd {
    /// The server gave all that it gives. Of the others, these still exist.
    All(UidSet),
    /// The link is slow. The rest is delivered over a compressed connection.
    UntilCompressed,
}

/// Delivers the wanted messages of the open folder.
async fn deliver(mut selected: Selected<'_>, delivery: &mut Delivery) -> Result<DeliveryEnd, DeliveryError> {
    delivery.opened(selected.data().read_only);
    let mut stream = selected.fetch_stream().await?;
    if delivery.has_silent_messages() {
        stream.set_timeout(stream.timeout() / 2);
    }
    while let Some(step) = delivery.next_step() {
        let alone = match step {
            Step::Together(wanted) => {
                delivery.together(&mut stream, &wanted).await?;
                None
            }
            Step::Alone(uid) => {
                delivery.alone(&mut stream, uid).await?;
                Some(uid)
            }
        };
        delivery.handle_throttle_reply(&mut stream, alone).await?;
        if std::mem::take(&mut delivery.is_slow) {
            return Ok(DeliveryEnd::UntilCompressed);
        }
    }
    while let Some(uid) = delivery.next_unanswered() {
        delivery.alone(&mut stream, uid).await?;
        delivery.handle_throttle_reply(&mut stream, Some(uid)).await?;
    }
    if let Some(uid) = delivery.open_replies().first().copied() {
        let others = neighbours(&mut selected, uid).await?;
        let mut stream = selected.fetch_stream().await?;
        delivery.handle_open_replies(&mut stream, &others).await?;
    }
    let lacking: UidSet = delivery.lacking().collect();
    if lacking.is_empty() {
        return Ok(DeliveryEnd::All(lacking));
    }
    Ok(DeliveryEnd::All(selected.uids_among(&lacking).await?))
}

/// Messages of the folder with UIDs near this one, with their sizes.
async fn neighbours(selected: &mut Selected<'_>, uid: Uid) -> Result<Vec<(Uid, u64)>, imap::Error> {
    let around = |number: u32| Uid::new(number).unwrap_or(Uid::FIRST);
    let first = around(uid.get().saturating_sub(NEIGHBOURS));
    let last = around(uid.get().saturating_add(NEIGHBOURS));
    let mut found = Vec::new();
    selected
        .uid_fetch(&UidSet::range(first, last), "(UID RFC822.SIZE)", |fetch| {
            found.extend(fetch.uid.zip(fetch.rfc822_size));
        })
        .await?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_decoded() {
        let told = |header: &str| heading(header.as_bytes()).and_then(|heading| heading.subject);
        assert_eq!(
            told("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?b?IGFuIGFsbGU=?=\r\n\r\n").as_deref(),
            Some("Grüße an alle")
        );
        assert_eq!(told("\r\n"), None);
    }

    #[test]
    fn authors_and_dates_are_read() {
        let read = |header: &str| heading(header.as_bytes());
        let whole = read(
            "Date: Mon, 2 Nov 2026 10:30:00 +0130\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@b.c>, x@y.z\r\n\r\n",
        );
        let whole = whole.unwrap();
        assert_eq!((whole.sender.as_deref(), whole.subject), (Some("j@b.c"), None));
        let sent = whole.sent.unwrap();
        assert_eq!((sent.unix_seconds(), sent.zone_minutes()), (1_793_610_000, 90));
        assert_eq!(read("From: Root\r\nDate: soon\r\n\r\n").unwrap().sent, None);
        assert_eq!(read("\r\n"), None);
    }
}
