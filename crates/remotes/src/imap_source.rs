//! Bodies from an IMAP mailbox: FETCH commands in flight, bodies passed on as they come.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mail_parser::MessageParser;
use mailhaul_engine::{Closed, Error, Mailbox as _, Missing, Outlet, Piece, Source, Wanted};
use mailhaul_imap::{
    self as imap, CommandId, FetchEvent, FetchStream, Selected,
    response::{Fetch, Status, StatusResponse},
};
use mailhaul_mail::{FolderPath, Scope, Uid, UidSet};

use crate::{
    imap_mailbox::ImapMailbox,
    in_order::{Batch, InOrder},
    line::Gauge,
    opening::Mode,
};

/// Bodies without the mark `\Seen` that a plain `BODY[]` would set.
const BODY: &str = "(UID BODY.PEEK[])";
/// So many messages are asked for in one command at most.
const BATCH_MESSAGES: usize = 100;
/// And so many octets, as claimed, unless one message alone is larger.
const BATCH_OCTETS: u64 = 1 << 20;
/// So many commands are under way at most.
const IN_FLIGHT: usize = 16;
/// And so many octets, as claimed, unless one command alone asks for more: what a server answers out of turn has to wait
/// within half of the process's budget.
const IN_FLIGHT_OCTETS: u64 = 4 << 20;

impl Source for ImapMailbox {
    async fn fetch(
        &mut self,
        folder: &FolderPath,
        wanted: &[Wanted],
        outlet: Outlet,
    ) -> Result<Vec<(Uid, Missing)>, Error> {
        self.begin().await?;
        let mut delivery = Delivery::new(wanted, outlet, Gauge::new(self.line, self.round_trip()));
        loop {
            let selected = self.open(folder, Mode::Examine).await?;
            let delivered = deliver(selected, wanted, &mut delivery).await;
            let delivered = delivered.map_err(|error| self.explain_in(folder, error))?;
            self.line = delivery.gauge.line();
            match delivered {
                Some(missing) => return Ok(missing),
                None => self.compress().await?,
            }
        }
    }

    async fn subjects(&mut self, folder: &FolderPath, uids: &UidSet) -> Result<Vec<(Uid, String)>, Error> {
        let mut selected = self.open(folder, Mode::Examine).await?;
        let mut subjects = Vec::new();
        let fetched = selected
            .uid_fetch(uids, "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])", |fetch| {
                let header = fetch.sections.iter().find_map(|it| fetch.inline(&it.spec));
                subjects.extend(fetch.uid.zip(header.and_then(|it| subject(it))));
            })
            .await;
        fetched.map_err(|error| self.explain_in(folder, error))?;
        Ok(subjects)
    }
}

/// The subject out of a header, decoded (RFC 2047).
fn subject(header: &[u8]) -> Option<String> {
    MessageParser::default().parse_headers(header)?.subject().map(str::to_owned)
}

/// Delivers what is wanted from the open folder. Returns what could not be delivered; `None` where the line turned out to
/// be slow, and more is to be delivered over a better one.
async fn deliver(
    mut selected: Selected<'_>,
    wanted: &[Wanted],
    delivery: &mut Delivery,
) -> Result<Option<Vec<(Uid, Missing)>>, imap::Error> {
    let mut stream = selected.fetch_stream().await?;
    let left: Vec<Wanted> =
        wanted.iter().filter(|it| !delivery.delivered.contains(&it.uid)).copied().collect();
    delivery.run(&mut stream, batches(&left), IN_FLIGHT).await?;
    if delivery.is_closed {
        return Ok(Some(Vec::new()));
    }
    if std::mem::take(&mut delivery.is_slow) {
        return Ok(None);
    }
    // What did not come in company is asked for alone: then every answer has one meaning.
    let alone: Vec<Batch> = delivery.undelivered().map(Batch::of_one).collect();
    delivery.run(&mut stream, alone, 1).await?;
    let lacking: UidSet = delivery.undelivered().collect();
    if delivery.is_closed || lacking.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let there = selected.uids_among(&lacking).await?;
    let unexplained = || "the server lists the message and does not give it".to_owned();
    let missing = lacking.iter().map(|uid| {
        let why = if there.contains(uid) {
            Missing::Withheld(delivery.excuses.remove(&uid).unwrap_or_else(unexplained))
        } else {
            Missing::Gone
        };
        (uid, why)
    });
    Ok(Some(missing.collect()))
}

/// Cuts what is wanted into commands. Their messages come in the order of UIDs, whatever the order here.
fn batches(wanted: &[Wanted]) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut batch = Batch::default();
    for it in wanted {
        let is_full = batch.messages == BATCH_MESSAGES || batch.octets + it.size > BATCH_OCTETS;
        if is_full && batch.messages > 0 {
            batches.push(std::mem::take(&mut batch));
        }
        batch.uids.insert(it.uid);
        batch.messages += 1;
        batch.octets += it.size;
    }
    if batch.messages > 0 {
        batches.push(batch);
    }
    batches
}

struct Delivery {
    bodies: InOrder,
    /// Octets as claimed, of all that is wanted.
    claimed: BTreeMap<Uid, u64>,
    delivered: BTreeSet<Uid>,
    /// What the server said of messages that it did not give.
    excuses: BTreeMap<Uid, String>,
    /// Nobody listens to the outlet any more.
    is_closed: bool,
    gauge: Gauge,
    /// The line has just turned out to be slow: nothing more is asked for until it is compressed.
    is_slow: bool,
}

impl Delivery {
    fn new(wanted: &[Wanted], outlet: Outlet, gauge: Gauge) -> Self {
        Self {
            bodies: InOrder::new(outlet),
            claimed: wanted.iter().map(|it| (it.uid, it.size)).collect(),
            delivered: BTreeSet::new(),
            excuses: BTreeMap::new(),
            is_closed: false,
            gauge,
            is_slow: false,
        }
    }

    fn undelivered(&self) -> impl Iterator<Item = Uid> + '_ {
        self.claimed.keys().copied().filter(|uid| !self.delivered.contains(uid))
    }

    fn wants(&self, uid: Uid) -> bool {
        self.claimed.contains_key(&uid) && !self.delivered.contains(&uid)
    }

    /// Sends the commands, at most so many at a time, and passes on what comes.
    async fn run(
        &mut self,
        stream: &mut FetchStream<'_>,
        batches: Vec<Batch>,
        in_flight: usize,
    ) -> Result<(), imap::Error> {
        let mut waiting: VecDeque<Batch> = batches.into();
        // The large body that comes by; none where it is not wanted, or nobody knows yet whose it is.
        let mut passing: Option<Uid> = None;
        loop {
            while !self.is_slow
                && self.bodies.len() < in_flight
                && let Some(next) = waiting.front()
                && (self.bodies.len() == 0 || self.bodies.octets() + next.octets <= IN_FLIGHT_OCTETS)
                && let Some(admission) = self.bodies.admit(next.octets)
                && let Some(batch) = waiting.pop_front()
            {
                self.bodies.ask(stream.send(&batch.uids, BODY)?, batch, admission);
            }
            let Some(event) = stream.next().await? else { return Ok(()) };
            // With one message asked for, it is the one that comes, whether its UID comes first, last or not at all.
            let only = self.bodies.only();
            let sent = match event {
                FetchEvent::BodyStart { uid, section, length } => {
                    passing = uid.or(only).filter(|uid| section.is_empty() && self.wants(*uid));
                    match passing {
                        Some(uid) => self.bodies.begin(uid, length, Piece::Start(uid, length)).await,
                        None => Ok(()),
                    }
                }
                FetchEvent::BodyChunk(octets) if passing.is_some() => {
                    self.is_slow |= self.gauge.passed(octets.len());
                    self.bodies.follow(Piece::Chunk(octets)).await
                }
                FetchEvent::BodyEnd if let Some(uid) = passing.take() => {
                    self.delivered.insert(uid);
                    self.bodies.follow(Piece::End).await
                }
                FetchEvent::Message(fetch) => self.message(&fetch, only).await,
                FetchEvent::Completed { command, status } => {
                    self.completed(command, &status)?;
                    self.bodies.done(command).await
                }
                FetchEvent::BodyChunk(_) | FetchEvent::BodyEnd | FetchEvent::Other(_) => Ok(()),
            };
            if sent == Err(Closed) {
                self.is_closed = true;
                return Ok(());
            }
        }
    }

    async fn message(&mut self, fetch: &Fetch, only: Option<Uid>) -> Result<(), Closed> {
        let Some(body) = fetch.inline("") else { return Ok(()) };
        let Some(uid) = fetch.uid.or(only).filter(|uid| self.wants(*uid)) else { return Ok(()) };
        // An empty body is what some servers give for a message that was just expunged (Courier).
        if body.is_empty() && self.claimed.get(&uid).is_some_and(|claimed| *claimed > 0) {
            self.excuses.insert(uid, "the server gives an empty body".to_owned());
            return Ok(());
        }
        self.delivered.insert(uid);
        self.is_slow |= self.gauge.passed(body.len());
        self.bodies.begin(uid, body.len() as u64, Piece::Message(uid, body.clone())).await
    }

    /// A refused command is no end: its messages are asked for one by one, and then the server's words are kept.
    fn completed(&mut self, command: CommandId, status: &StatusResponse) -> Result<(), imap::Error> {
        if status.status == Status::Ok {
            return Ok(());
        }
        let error = imap::Error::refused("UID FETCH", status);
        if error.scope >= Scope::Session {
            return Err(error);
        }
        let asked = self.bodies.batch(command).map(|it| it.uids.clone()).unwrap_or_default();
        for uid in asked.iter().filter(|uid| !self.delivered.contains(uid)) {
            self.excuses.insert(uid, error.message.clone());
        }
        Ok(())
    }
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

    #[test]
    fn small_messages_share_a_command_and_large_ones_do_not() {
        let wanted = |sizes: &[u64]| -> Vec<usize> {
            let wanted: Vec<Wanted> = (1..)
                .zip(sizes)
                .filter_map(|(uid, size)| Some(Wanted { uid: Uid::new(uid)?, size: *size }))
                .collect();
            batches(&wanted).iter().map(|it| it.messages).collect()
        };
        assert_eq!(wanted(&[10; 250]), [100, 100, 50]);
        assert_eq!(wanted(&[1, 30 << 20, 1, 1, 600 << 10, 600 << 10]), [1, 1, 3, 1]);
        assert!(wanted(&[]).is_empty());
    }
}
