//! Delivers the bodies of one request: commands in flight, judged answers, bytes passed on.

mod checks;
mod faults;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use mailhaul_engine::{FetchedPart, Missing, PipeClosed, PipeWriter, WantedMessage};
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
            fetch_throttling::ThrottleReplies,
            in_order::{Batch, InOrder},
            judge::{BodyVerdict, Judge},
            sizes::Sizes,
        },
    },
    profile::Profile,
};

/// Requests bodies. A plain `BODY[]` would set `\Seen`.
const BODY: &str = "(UID BODY.PEEK[])";
/// The same, for a folder that is open for reading. Some servers give more in this way.
const RFC822: &str = "(UID RFC822)";
/// Maximum number of messages per command.
const BATCH_MESSAGES: usize = 100;
/// Bytes per command as reported, unless one message alone is larger.
const BATCH_OCTETS: u64 = 1 << 20;
/// Maximum number of commands in flight.
const IN_FLIGHT: usize = 16;
/// Bytes in flight as reported, unless one command alone requests more. Early answers must fit into half of the
/// process's budget.
const IN_FLIGHT_OCTETS: u64 = 4 << 20;
/// A body is given up if it is larger than reported by this factor and by this number of bytes. Reported sizes are
/// estimates.
const MOST_TIMES: u64 = 4;
const MOST_BEYOND: u64 = 16 << 20;
/// A larger reported size means nothing. No larger body is read (32 bits, RFC 3501, section 9).
const LARGEST_SIZE: u64 = 0xffff_ffff;
/// Reason of a message for which the server answers `BODY[]` with `BODY[]<0>`.
const PART: &str = "the server sends a part of the message that was not requested, and not the message";
/// Reason of an aborted delivery.
pub(crate) enum DeliveryError {
    /// The receiving end is closed.
    Closed,
    /// The server refused too much, or the connection broke.
    Wire(imap::Error),
}

impl From<PipeClosed> for DeliveryError {
    fn from(_: PipeClosed) -> Self {
        Self::Closed
    }
}

impl From<imap::Error> for DeliveryError {
    fn from(error: imap::Error) -> Self {
        Self::Wire(error)
    }
}

/// The next request.
pub(crate) enum Step {
    /// Several messages per command.
    Together(Vec<WantedMessage>),
    /// One message, with nothing else in flight.
    Alone(Uid),
}

/// The consequence of a broken connection.
pub(crate) enum Blame {
    /// Unknown: the caller decides.
    Unknown(imap::Error),
    /// One message requested alone is to blame. The others can be requested over a new connection.
    Message,
}

/// The use of the bytes that arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyUse {
    /// They are passed on.
    Deliver,
    /// Only messages that arrive in one piece are passed on. A large message is read to its end, as a test.
    Test,
    /// Nothing is passed on. It is a test if this message arrives.
    Probe(Uid),
    /// Nothing is passed on. This message is read for a check.
    Examine(Uid),
}

/// A large body that is arriving.
struct OpenBody {
    uid: Uid,
    length: u64,
    /// The last bytes. They are passed on after the response has ended correctly.
    held: Option<Bytes>,
    /// True if the body is not passed on.
    is_dry: bool,
}

pub(crate) struct Delivery {
    folder: NumberedFolder,
    culprits: Culprits,
    /// Messages at which connections broke, and that are not to blame yet.
    suspects: BTreeSet<Uid>,
    wanted: Vec<WantedMessage>,
    /// Messages before this index are requested only alone.
    first: usize,
    bodies: InOrder,
    judge: Judge,
    /// Sizes as reported, of all wanted messages.
    claimed: BTreeMap<Uid, u64>,
    delivered: BTreeSet<Uid>,
    /// Messages of completed commands.
    asked: BTreeSet<Uid>,
    /// Messages that were requested alone, to the end.
    asked_alone: BTreeSet<Uid>,
    /// Messages that are not requested any more, with the reason.
    withheld: BTreeMap<Uid, String>,
    /// The server's words on messages that it did not give.
    excuses: BTreeMap<Uid, String>,
    passing: Option<OpenBody>,
    /// The message that is read for a check.
    examined: Examination,
    /// The message that is requested with another item, which may give more of it.
    read_otherwise: Option<Uid>,
    /// The last message that arrived.
    last: Option<Uid>,
    body_use: BodyUse,
    profile: &'static Profile,
    /// The item for bodies, and the item for bodies that seem cut.
    item: &'static str,
    item_of_cut: &'static str,
    /// The message that is requested alone now.
    alone: Option<Uid>,
    /// True if the tested message arrived.
    came: bool,
    /// True after a message was given up. The next one may fail too, and is requested alone.
    is_wary: bool,
    /// Cost of the breaks since the last message arrived.
    cost: u32,
    throttle_replies: ThrottleReplies,
    pub(crate) gauge: Gauge,
    /// True if the link was just found to be slow. Nothing more is requested until it is compressed.
    pub(crate) is_slow: bool,
}

impl Delivery {
    pub(crate) fn new(
        folder: NumberedFolder,
        culprits: &Culprits,
        profile: &'static Profile,
        wanted: &[WantedMessage],
        outlet: PipeWriter,
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
            body_use: BodyUse::Deliver,
            profile,
            item: BODY,
            item_of_cut: BODY,
            alone: None,
            came: false,
            is_wary: false,
            cost: 0,
            throttle_replies: ThrottleReplies::default(),
            gauge,
            is_slow: false,
        }
    }

    /// The next request, in the order of the wanted messages; `None` after all were requested.
    pub(crate) fn next_step(&mut self) -> Option<Step> {
        if let Some(uid) = self.judge.urgent().next() {
            return Some(Step::Alone(uid));
        }
        while self.wanted.get(self.first).is_some_and(|it| !self.is_open(it.uid)) {
            self.first += 1;
        }
        let rest = self.wanted.get(self.first..)?;
        let first = rest.first()?.uid;
        if self.is_wary || self.throttle_replies.are_open() || self.suspects.contains(&first) {
            return Some(Step::Alone(first));
        }
        let run = rest.iter().take_while(|it| !self.suspects.contains(&it.uid));
        Some(Step::Together(run.filter(|it| self.is_open(it.uid)).copied().collect()))
    }

    fn is_open(&self, uid: Uid) -> bool {
        !self.delivered.contains(&uid) && !self.asked.contains(&uid) && !self.withheld.contains_key(&uid)
    }

    /// The next message that did not arrive with others. Alone, every answer has one meaning.
    pub(crate) fn next_unanswered(&self) -> Option<Uid> {
        self.lacking().find(|uid| !self.asked_alone.contains(uid))
    }

    /// Messages that did not arrive and are not withheld.
    pub(crate) fn lacking(&self) -> impl Iterator<Item = Uid> + '_ {
        let is_lacking = |uid: &Uid| !self.delivered.contains(uid) && !self.withheld.contains_key(uid);
        self.claimed.keys().copied().filter(is_lacking)
    }

    /// The withheld messages, and those of the rest that still exist.
    pub(crate) fn into_missing(mut self, there: impl Fn(Uid) -> bool) -> Vec<(Uid, Missing)> {
        let lacking: Vec<Uid> = self.lacking().collect();
        let unexplained = || "the server lists the message and does not send it".to_owned();
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

    /// Requests these messages, many at a time.
    pub(crate) async fn together(
        &mut self,
        stream: &mut FetchStream<'_>,
        wanted: &[WantedMessage],
    ) -> Result<(), DeliveryError> {
        (self.body_use, self.alone) = (BodyUse::Deliver, None);
        self.run(stream, batches(wanted), IN_FLIGHT).await
    }

    /// Requests one message with nothing else in flight. A message at which a connection broke is tested
    /// before it is passed on.
    pub(crate) async fn alone(
        &mut self,
        stream: &mut FetchStream<'_>,
        uid: Uid,
    ) -> Result<(), DeliveryError> {
        self.alone = Some(uid);
        let is_suspect = self.is_wary || self.suspects.contains(&uid);
        if !self.judge.is_doubted(uid) {
            self.body_use = if is_suspect { BodyUse::Test } else { BodyUse::Deliver };
            self.came = false;
            self.run(stream, vec![Batch::single(uid)], 1).await?;
            if std::mem::take(&mut self.came) {
                self.body_use = BodyUse::Deliver;
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

    /// Sends the commands, at most `in_flight` at a time, and passes on the answers.
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
            // The only requested message is the one that arrives, whether its UID comes first, last or not
            // at all.
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

    /// True if a question must be settled before more is requested.
    fn is_to_pause(&self) -> bool {
        self.is_slow || self.throttle_replies.is_heard() || self.judge.urgent().next().is_some()
    }

    fn claimed_size(&self, uid: Uid) -> u64 {
        self.claimed.get(&uid).copied().filter(|size| *size <= LARGEST_SIZE).unwrap_or(0)
    }

    /// Chooses the items for the open folder. In a folder open for reading no item sets a flag.
    pub(crate) fn opened(&mut self, is_read_only: bool) {
        let item = |is_better: bool| if is_better && is_read_only { RFC822 } else { BODY };
        (self.item, self.item_of_cut) = (item(self.profile.reads_by_rfc822), item(true));
    }

    fn item(&self) -> &'static str {
        let is_cut = self.alone.is_some_and(|uid| self.judge.is_cut(uid));
        if is_cut || self.read_otherwise.is_some() { self.item_of_cut } else { self.item }
    }

    /// Starts a large section.
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
        let (is_dry, claimed) = (self.body_use != BodyUse::Deliver, self.claimed_size(uid));
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
            self.bodies.begin(uid, length, FetchedPart::Start(uid, length)).await?;
        }
        Ok(())
    }

    async fn chunk(&mut self, octets: Bytes) -> Result<(), PipeClosed> {
        if matches!(self.body_use, BodyUse::Examine(_)) && self.passing.is_some() {
            self.examined.update(&octets);
        }
        let Some(passing) = self.passing.as_mut().filter(|it| !it.is_dry) else { return Ok(()) };
        self.is_slow |= self.gauge.passed(octets.len());
        match passing.held.replace(octets) {
            Some(before) => self.bodies.follow(FetchedPart::Chunk(before)).await,
            None => Ok(()),
        }
    }

    /// Passes on the last bytes, after the response with the large body has ended correctly.
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
            self.bodies.follow(FetchedPart::Chunk(octets)).await?;
        }
        self.bodies.follow(FetchedPart::End).await?;
        self.delivered(passing.uid, passing.length);
        Ok(())
    }

    async fn message(&mut self, fetch: &Fetch, only: Option<Uid>) -> Result<(), PipeClosed> {
        let Some(uid) = fetch.uid.or(only).filter(|uid| self.awaits(*uid)) else { return Ok(()) };
        let Some(body) = fetch.inline("") else {
            if fetch.sections.iter().any(|it| it.spec.is_empty() && it.origin.is_some()) {
                self.excuses.insert(uid, PART.to_owned());
            }
            return Ok(());
        };
        if let BodyUse::Probe(_) | BodyUse::Examine(_) = self.body_use {
            self.came = !body.is_empty();
            self.examined = Examination::from_body(body);
            return Ok(());
        }
        self.take(uid, body).await
    }

    /// Passes a message on, unless it is doubtful.
    async fn take(&mut self, uid: Uid, body: &Bytes) -> Result<(), PipeClosed> {
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
        self.bodies.begin(uid, body.len() as u64, FetchedPart::Message(uid, body.clone())).await?;
        self.delivered(uid, body.len() as u64);
        Ok(())
    }

    fn awaits(&self, uid: Uid) -> bool {
        match self.body_use {
            BodyUse::Probe(asked) | BodyUse::Examine(asked) => asked == uid,
            _ => self.claimed.contains_key(&uid) && !self.delivered.contains(&uid),
        }
    }

    fn delivered(&mut self, uid: Uid, octets: u64) {
        self.delivered.insert(uid);
        self.throttle_replies.came(uid, octets);
        self.last = Some(uid);
        (self.is_wary, self.cost) = (false, 0);
        if self.suspects.remove(&uid) {
            self.culprits.acquit(&self.folder, uid);
        }
    }

    /// Handles the end of a command. The messages of a refused one are requested one by one. If they are
    /// refused again, the server's words are kept.
    fn completed(&mut self, command: CommandId, status: &StatusResponse) -> Result<(), imap::Error> {
        let batch = self.bodies.batch(command).map(|it| it.uids.clone()).unwrap_or_default();
        self.asked.extend(batch.iter());
        if status.status == Status::Ok {
            return Ok(());
        }
        let error = imap::Error::refused("UID FETCH", status);
        let is_throttle_reply = error.may_mean_one_message();
        if error.scope >= Scope::Session && !is_throttle_reply {
            return Err(error);
        }
        for uid in batch.iter().filter(|uid| !self.delivered.contains(uid)) {
            self.excuses.insert(uid, error.message.clone());
        }
        if is_throttle_reply {
            self.throttle_replies.hear(error);
        }
        Ok(())
    }
}

/// Error of an answer whose length is wrong. The following bytes may belong to a message and look like
/// answers: nothing more is read.
pub(crate) fn broken(uid: Option<Uid>) -> imap::Error {
    let of = uid.map_or_else(String::new, |uid| format!(" with the message of UID {uid}"));
    let words = format!("the server's answer{of} does not end where it says");
    imap::Error::session(imap::ErrorKind::Protocol, words)
}

/// True for a body that cannot be the message of the reported size. Without a reported size any body is accepted.
fn is_too_large(claimed: u64, length: u64) -> bool {
    let most = claimed.saturating_mul(MOST_TIMES).max(claimed.saturating_add(MOST_BEYOND));
    claimed > 0 && length > most
}

/// Error of a body that could take hours to read: the connection is given up.
fn too_large(uid: Uid, claimed: u64, length: u64) -> imap::Error {
    let words = format!(
        "the server announces {length} bytes for the message of UID {uid}, and tells a size of {claimed}"
    );
    imap::Error::session(imap::ErrorKind::Protocol, words)
}

/// Divides the wanted messages into commands. Their messages arrive in the order of UIDs.
fn batches(wanted: &[WantedMessage]) -> Vec<Batch> {
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
            let wanted: Vec<WantedMessage> = (1..)
                .zip(sizes)
                .filter_map(|(uid, size)| Some(WantedMessage { uid: Uid::new(uid)?, size: *size }))
                .collect();
            batches(&wanted).iter().map(|it| it.messages).collect()
        };
        assert_eq!(wanted(&[10; 250]), [100, 100, 50]);
        assert_eq!(wanted(&[1, 30 << 20, 1, 1, 600 << 10, 600 << 10]), [1, 1, 3, 1]);
        assert!(wanted(&[]).is_empty());
    }
}
