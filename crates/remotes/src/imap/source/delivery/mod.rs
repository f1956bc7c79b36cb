//! The bodies that one call asks for: commands in flight, answers judged, octets passed on.

mod checks;
mod faults;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use mailhaul_engine::{Closed, Missing, Outlet, Piece, Wanted};
use mailhaul_imap::{
    self as imap, CommandId, FetchEvent, FetchStream,
    response::{Content, Fetch, Status, StatusResponse},
};
use mailhaul_mail::{Scope, Uid};

use crate::{
    imap::{
        culprits::{Culprits, NumberedFolder},
        link_speed::Gauge,
        source::{
            examination::Examination,
            in_order::{Batch, InOrder},
            judge::{BodyVerdict, Judge},
            pleas::Pleas,
            sizes::Sizes,
        },
    },
    profile::Profile,
};

/// Bodies without the mark `\Seen` that a plain `BODY[]` would set.
const BODY: &str = "(UID BODY.PEEK[])";
/// The same, in a folder that is open to read; some servers give more so.
const RFC822: &str = "(UID RFC822)";
/// Messages in one command at most.
const BATCH_MESSAGES: usize = 100;
/// Octets of one command as claimed, unless one message alone is larger.
const BATCH_OCTETS: u64 = 1 << 20;
/// Commands under way at most.
const IN_FLIGHT: usize = 16;
/// Octets of the commands under way as claimed, unless one command alone asks for more: what a server answers out of turn
/// has to wait within half of the process's budget.
const IN_FLIGHT_OCTETS: u64 = 4 << 20;
/// A body is given up that is so many times as large as told, and larger by so many bytes: told sizes are estimates.
const MOST_TIMES: u64 = 4;
const MOST_BEYOND: u64 = 16 << 20;
/// A larger size says nothing: no larger body is read (32 bits, RFC 3501, section 9).
const LARGEST_SIZE: u64 = 0xffff_ffff;
/// Said of a message of which the server gives `BODY[]<0>` in answer to `BODY[]`.
const PART: &str = "the server gives a part of the message that was not asked for, and not the message";
/// Why the delivery cannot go on.
pub(crate) enum DeliveryError {
    /// The outlet's other end is gone.
    Closed,
    /// The server refused too much, or the connection broke.
    Wire(imap::Error),
}

impl From<Closed> for DeliveryError {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<imap::Error> for DeliveryError {
    fn from(error: imap::Error) -> Self {
        Self::Wire(error)
    }
}

/// What is asked for next.
pub(crate) enum Step {
    /// These, many in one command.
    Together(Vec<Wanted>),
    /// This one, with nothing else under way.
    Alone(Uid),
}

/// What a broken connection means.
pub(crate) enum Blame {
    /// Nothing that is known here: the caller decides.
    Unknown(imap::Error),
    /// A message that was asked for alone: the others can be asked for over a new connection.
    Message,
}

/// What becomes of octets that come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// They are passed on.
    Deliver,
    /// Only messages that come whole are passed on. A large one is read to its end, to see whether it has one.
    Test,
    /// Nothing is passed on: it is seen whether this message comes.
    Probe(Uid),
    /// Nothing is passed on: this message is read to be checked.
    Examine(Uid),
}

/// A large body that comes by.
struct OpenBody {
    uid: Uid,
    length: u64,
    /// The last octets that came. They are passed on when the response has ended as it should.
    held: Option<Bytes>,
    /// Only read.
    is_dry: bool,
}

pub(crate) struct Delivery {
    folder: NumberedFolder,
    culprits: Culprits,
    /// Messages at which connections broke before, and that are not to blame yet.
    suspects: BTreeSet<Uid>,
    wanted: Vec<Wanted>,
    /// Those before this place are not asked for any more, but alone.
    first: usize,
    bodies: InOrder,
    judge: Judge,
    /// Octets as claimed, of all that is wanted.
    claimed: BTreeMap<Uid, u64>,
    delivered: BTreeSet<Uid>,
    /// Messages of commands that are done.
    asked: BTreeSet<Uid>,
    /// Messages that were asked for alone, to the end.
    asked_alone: BTreeSet<Uid>,
    /// Messages that are not asked for any more, with why.
    withheld: BTreeMap<Uid, String>,
    /// What the server said of messages that it did not give.
    excuses: BTreeMap<Uid, String>,
    passing: Option<OpenBody>,
    /// The message that is read to be checked.
    examined: Examination,
    /// The message that is asked for by another item, which may give more of it.
    read_otherwise: Option<Uid>,
    /// The last message that came.
    last: Option<Uid>,
    aim: Aim,
    profile: &'static Profile,
    /// The item by which bodies are asked for, and those of which it gives too little.
    item: &'static str,
    item_of_cut: &'static str,
    /// The message that is asked for alone now.
    alone: Option<Uid>,
    /// What was tested or probed came.
    came: bool,
    /// A message was given up: the next one may be no better, and is asked for alone.
    is_wary: bool,
    /// What breaks cost since a message came.
    cost: u32,
    pleas: Pleas,
    pub(crate) gauge: Gauge,
    /// The line has just turned out to be slow: nothing more is asked for until it is compressed.
    pub(crate) is_slow: bool,
}

impl Delivery {
    pub(crate) fn new(
        folder: NumberedFolder,
        culprits: &Culprits,
        profile: &'static Profile,
        wanted: &[Wanted],
        outlet: Outlet,
        sizes: Sizes,
        gauge: Gauge,
    ) -> Self {
        let known = culprits.in_folder(&folder);
        let is_suspect = |(uid, verdict): (&Uid, &Option<String>)| verdict.is_none().then_some(*uid);
        let claimed: BTreeMap<Uid, u64> = wanted.iter().map(|it| (it.uid, it.size)).collect();
        Self {
            folder,
            culprits: culprits.clone(),
            suspects: known.iter().filter_map(is_suspect).collect(),
            withheld: known
                .into_iter()
                .filter(|(uid, _)| claimed.contains_key(uid))
                .filter_map(|(uid, verdict)| Some((uid, verdict?)))
                .collect(),
            wanted: wanted.to_vec(),
            first: 0,
            bodies: InOrder::new(outlet),
            judge: Judge::new(&profile.placeholders, sizes),
            claimed,
            delivered: BTreeSet::new(),
            asked: BTreeSet::new(),
            asked_alone: BTreeSet::new(),
            excuses: BTreeMap::new(),
            passing: None,
            examined: Examination::default(),
            read_otherwise: None,
            last: None,
            aim: Aim::Deliver,
            profile,
            item: BODY,
            item_of_cut: BODY,
            alone: None,
            came: false,
            is_wary: false,
            cost: 0,
            pleas: Pleas::default(),
            gauge,
            is_slow: false,
        }
    }

    /// What is asked for next, in the order wanted; `None` when all was asked for.
    pub(crate) fn next_step(&mut self) -> Option<Step> {
        if let Some(uid) = self.judge.urgent().next() {
            return Some(Step::Alone(uid));
        }
        while self.wanted.get(self.first).is_some_and(|it| !self.is_open(it.uid)) {
            self.first += 1;
        }
        let rest = self.wanted.get(self.first..)?;
        let first = rest.first()?.uid;
        if self.is_wary || self.pleas.are_open() || self.suspects.contains(&first) {
            return Some(Step::Alone(first));
        }
        let run = rest.iter().take_while(|it| !self.suspects.contains(&it.uid));
        Some(Step::Together(run.filter(|it| self.is_open(it.uid)).copied().collect()))
    }

    fn is_open(&self, uid: Uid) -> bool {
        !self.delivered.contains(&uid) && !self.asked.contains(&uid) && !self.withheld.contains_key(&uid)
    }

    /// The next message that did not come in company: asked for alone, every answer has one meaning.
    pub(crate) fn next_unanswered(&self) -> Option<Uid> {
        self.lacking().find(|uid| !self.asked_alone.contains(uid))
    }

    /// What did not come, and is not withheld.
    pub(crate) fn lacking(&self) -> impl Iterator<Item = Uid> + '_ {
        let is_lacking = |uid: &Uid| !self.delivered.contains(uid) && !self.withheld.contains_key(uid);
        self.claimed.keys().copied().filter(is_lacking)
    }

    /// What is withheld, and what of the rest is still `there`.
    pub(crate) fn into_missing(mut self, there: impl Fn(Uid) -> bool) -> Vec<(Uid, Missing)> {
        let lacking: Vec<Uid> = self.lacking().collect();
        let unexplained = || "the server lists the message and does not give it".to_owned();
        let mut missing: Vec<(Uid, Missing)> = Vec::new();
        for uid in lacking {
            let excuse = self.excuses.remove(&uid).unwrap_or_else(unexplained);
            missing.push((uid, if there(uid) { Missing::Withheld(excuse) } else { Missing::Gone }));
        }
        let withheld = std::mem::take(&mut self.withheld);
        missing.extend(withheld.into_iter().map(|(uid, words)| (uid, Missing::Withheld(words))));
        missing.sort_by_key(|(uid, _)| *uid);
        missing
    }

    /// Asks for these, many at a time.
    pub(crate) async fn together(
        &mut self,
        stream: &mut FetchStream<'_>,
        wanted: &[Wanted],
    ) -> Result<(), DeliveryError> {
        (self.aim, self.alone) = (Aim::Deliver, None);
        self.run(stream, batches(wanted), IN_FLIGHT).await
    }

    /// Asks for one message with nothing else under way. One at which a connection broke is tested before the target hears
    /// of it.
    pub(crate) async fn alone(
        &mut self,
        stream: &mut FetchStream<'_>,
        uid: Uid,
    ) -> Result<(), DeliveryError> {
        self.alone = Some(uid);
        let is_suspect = self.is_wary || self.suspects.contains(&uid);
        if !self.judge.is_doubted(uid) {
            self.aim = if is_suspect { Aim::Test } else { Aim::Deliver };
            self.came = false;
            self.run(stream, vec![Batch::single(uid)], 1).await?;
            if std::mem::take(&mut self.came) {
                self.aim = Aim::Deliver;
                self.run(stream, vec![Batch::single(uid)], 1).await?;
            }
        }
        if self.judge.is_doubted(uid) {
            self.verify(stream, uid).await?;
        }
        self.asked_alone.insert(uid);
        self.alone = None;
        Ok(())
    }

    /// Sends the commands, at most so many at a time, and passes on what comes.
    async fn run(
        &mut self,
        stream: &mut FetchStream<'_>,
        batches: Vec<Batch>,
        in_flight: usize,
    ) -> Result<(), DeliveryError> {
        let mut waiting: VecDeque<Batch> = batches.into();
        loop {
            while (self.alone.is_some() || !self.is_to_pause())
                && self.bodies.len() < in_flight
                && let Some(next) = waiting.front()
                && (self.bodies.len() == 0 || self.bodies.octets() + next.octets <= IN_FLIGHT_OCTETS)
                && let Some(admission) = self.bodies.admit(next.octets)
                && let Some(batch) = waiting.pop_front()
            {
                let command = stream.send(&batch.uids, self.item())?;
                self.bodies.ask(command, batch, admission);
            }
            let Some(event) = stream.next().await? else { return Ok(()) };
            // With one message asked for, it is the one that comes, whether its UID comes first, last or not at all.
            let only = self.bodies.only();
            match event {
                FetchEvent::BodyStart { uid, section, origin, length } => {
                    self.start(uid.or(only), &section, origin, length).await?;
                }
                FetchEvent::BodyChunk(octets) => self.chunk(octets).await?,
                FetchEvent::Message(fetch) if self.passing.is_some() => self.end(&fetch).await?,
                FetchEvent::Message(fetch) => self.message(&fetch, only).await?,
                FetchEvent::Broken(fetch) => return Err(broken(fetch.uid.or(only)).into()),
                FetchEvent::Completed { command, status } => {
                    self.completed(command, &status)?;
                    self.bodies.done(command).await?;
                }
                FetchEvent::BodyEnd | FetchEvent::Other(_) => {}
            }
        }
    }

    /// True where something is to be cleared up before more is asked for.
    fn is_to_pause(&self) -> bool {
        self.is_slow || self.pleas.is_heard() || self.judge.urgent().next().is_some()
    }

    fn claimed_size(&self, uid: Uid) -> u64 {
        self.claimed.get(&uid).copied().filter(|size| *size <= LARGEST_SIZE).unwrap_or(0)
    }

    /// The folder was opened. Where it is open to read, no item sets a flag.
    pub(crate) fn opened(&mut self, is_read_only: bool) {
        let item = |is_better: bool| if is_better && is_read_only { RFC822 } else { BODY };
        (self.item, self.item_of_cut) = (item(self.profile.reads_by_rfc822), item(true));
    }

    fn item(&self) -> &'static str {
        let is_cut = self.alone.is_some_and(|uid| self.judge.is_cut(uid));
        if is_cut || self.read_otherwise.is_some() { self.item_of_cut } else { self.item }
    }

    /// A large section begins.
    async fn start(
        &mut self,
        uid: Option<Uid>,
        section: &str,
        origin: Option<u32>,
        length: u64,
    ) -> Result<(), DeliveryError> {
        if self.passing.is_some() {
            // A second one in the same response.
            return Err(broken(uid).into());
        }
        let Some(uid) = uid.filter(|uid| section.is_empty() && self.awaits(*uid)) else { return Ok(()) };
        if origin.is_some() {
            self.excuses.insert(uid, PART.to_owned());
            return Ok(());
        }
        let (is_dry, claimed) = (self.aim != Aim::Deliver, self.claimed_size(uid));
        if is_too_large(claimed, length) {
            self.passing = Some(OpenBody { uid, length, held: None, is_dry: true });
            return Err(too_large(uid, claimed, length).into());
        }
        if !is_dry && let BodyVerdict::Doubtful(words) = self.judge.streamed(uid, claimed, length) {
            self.excuses.insert(uid, words);
            return Ok(());
        }
        self.passing = Some(OpenBody { uid, length, held: None, is_dry });
        if !is_dry {
            self.bodies.begin(uid, length, Piece::Start(uid, length)).await?;
        }
        Ok(())
    }

    async fn chunk(&mut self, octets: Bytes) -> Result<(), Closed> {
        if matches!(self.aim, Aim::Examine(_)) && self.passing.is_some() {
            self.examined.update(&octets);
        }
        let Some(passing) = self.passing.as_mut().filter(|it| !it.is_dry) else { return Ok(()) };
        self.is_slow |= self.gauge.passed(octets.len());
        match passing.held.replace(octets) {
            Some(before) => self.bodies.follow(Piece::Chunk(before)).await,
            None => Ok(()),
        }
    }

    /// The response with the large body ended as it should: the last octets are passed on.
    async fn end(&mut self, fetch: &Fetch) -> Result<(), DeliveryError> {
        let Some(mut passing) = self.passing.take() else { return Ok(()) };
        let is_body =
            |spec: &str, content: &Content| spec.is_empty() && matches!(content, Content::Streamed(_));
        let has_body = fetch.sections.iter().any(|it| it.origin.is_none() && is_body(&it.spec, &it.content));
        if !has_body || fetch.uid.is_some_and(|uid| uid != passing.uid) {
            let error = broken(Some(passing.uid));
            self.passing = Some(passing);
            return Err(error.into());
        }
        if passing.is_dry {
            self.came = true;
            return Ok(());
        }
        if let Some(octets) = passing.held.take() {
            self.bodies.follow(Piece::Chunk(octets)).await?;
        }
        self.bodies.follow(Piece::End).await?;
        self.delivered(passing.uid, passing.length);
        Ok(())
    }

    async fn message(&mut self, fetch: &Fetch, only: Option<Uid>) -> Result<(), Closed> {
        let Some(uid) = fetch.uid.or(only).filter(|uid| self.awaits(*uid)) else { return Ok(()) };
        let Some(body) = fetch.inline("") else {
            if fetch.sections.iter().any(|it| it.spec.is_empty() && it.origin.is_some()) {
                self.excuses.insert(uid, PART.to_owned());
            }
            return Ok(());
        };
        if let Aim::Probe(_) | Aim::Examine(_) = self.aim {
            self.came = !body.is_empty();
            self.examined = Examination::from_body(body);
            return Ok(());
        }
        self.take(uid, body).await
    }

    /// Passes a message on, unless it is in doubt.
    async fn take(&mut self, uid: Uid, body: &Bytes) -> Result<(), Closed> {
        match self.judge.whole(uid, self.claimed_size(uid), body) {
            BodyVerdict::Sound => {}
            BodyVerdict::Doubtful(words) => {
                self.excuses.insert(uid, words);
                return Ok(());
            }
            BodyVerdict::Placeholder(words) => {
                self.withheld.insert(uid, words);
                return Ok(());
            }
        }
        self.is_slow |= self.gauge.passed(body.len());
        self.bodies.begin(uid, body.len() as u64, Piece::Message(uid, body.clone())).await?;
        self.delivered(uid, body.len() as u64);
        Ok(())
    }

    fn awaits(&self, uid: Uid) -> bool {
        match self.aim {
            Aim::Probe(asked) | Aim::Examine(asked) => asked == uid,
            _ => self.claimed.contains_key(&uid) && !self.delivered.contains(&uid),
        }
    }

    fn delivered(&mut self, uid: Uid, octets: u64) {
        self.delivered.insert(uid);
        self.pleas.came(uid, octets);
        self.last = Some(uid);
        (self.is_wary, self.cost) = (false, 0);
        if self.suspects.remove(&uid) {
            self.culprits.acquit(&self.folder, uid);
        }
    }

    /// A refused command is no end: its messages are asked for one by one, and then the server's words are kept.
    fn completed(&mut self, command: CommandId, status: &StatusResponse) -> Result<(), imap::Error> {
        let batch = self.bodies.batch(command).map(|it| it.uids.clone()).unwrap_or_default();
        self.asked.extend(batch.iter());
        if status.status == Status::Ok {
            return Ok(());
        }
        let error = imap::Error::refused("UID FETCH", status);
        let is_plea = error.may_mean_one_message();
        if error.scope >= Scope::Session && !is_plea {
            return Err(error);
        }
        for uid in batch.iter().filter(|uid| !self.delivered.contains(uid)) {
            self.excuses.insert(uid, error.message.clone());
        }
        if is_plea {
            self.pleas.hear(error);
        }
        Ok(())
    }
}

/// The error of an answer that holds other octets than it says. What follows on the connection may be the rest of a
/// message, which could look like answers: nothing more is read.
fn broken(uid: Option<Uid>) -> imap::Error {
    let of = uid.map_or_else(String::new, |uid| format!(" with the message of UID {uid}"));
    let words = format!("the server's answer{of} does not end where it says");
    imap::Error::session(imap::ErrorKind::Protocol, words)
}

/// True for a body that cannot be the message of the told size. Where no size is told, any is taken.
fn is_too_large(claimed: u64, length: u64) -> bool {
    let most = claimed.saturating_mul(MOST_TIMES).max(claimed.saturating_add(MOST_BEYOND));
    claimed > 0 && length > most
}

/// To read it to its end could take hours: the connection is given up.
fn too_large(uid: Uid, claimed: u64, length: u64) -> imap::Error {
    let words = format!(
        "the server announces {length} octets for the message of UID {uid}, of which it tells {claimed}"
    );
    imap::Error::session(imap::ErrorKind::Protocol, words)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_be_larger_than_told_but_not_without_bound() {
        assert!(!is_too_large(0, u64::MAX) && !is_too_large(350, 16 << 20));
        assert!(is_too_large(350, 4_000_000_000) && is_too_large(100 << 20, 401 << 20));
        assert!(!is_too_large(100 << 20, 400 << 20));
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
