//! Keeps bodies in the order of the requests. A server may answer a later command first.

use std::collections::VecDeque;

use mailhaul_engine::{BudgetShare, FetchedPart, PipeClosed, PipeWriter, ReservedBytes};
use mailhaul_imap::CommandId;
use mailhaul_mail::{Uid, UidSet};

/// The request of one FETCH command.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) uids: UidSet,
    pub(crate) messages: usize,
    /// As reported by the server.
    pub(crate) octets: u64,
}

impl Batch {
    pub(crate) fn single(uid: Uid) -> Self {
        Self { uids: [uid].into_iter().collect(), messages: 1, octets: 0 }
    }
}

/// The commands in flight, and the messages that came before their turn.
///
/// A message of a later command waits until the earlier ones are done. So a command is sent behind others
/// only if its messages may wait ([`PipeWriter::room`]: half of the budget of all bytes in flight). A message
/// that is larger than reported, and finds no memory, is passed on at once, out of order. The memory limit is
/// worth more than the order.
pub(crate) struct InOrder {
    outlet: PipeWriter,
    /// In the order of sending. The messages of the first command are passed on as they come.
    commands: VecDeque<FetchCommand>,
    /// Index of the command of which a waiting message is arriving.
    passing_aside: Option<usize>,
}

/// Permission to send a command.
pub(crate) struct Admission(Option<ReservedBytes>);

struct FetchCommand {
    command: CommandId,
    batch: Batch,
    /// Memory for messages before their turn; none for the first command.
    room: Option<ReservedBytes>,
    is_done: bool,
    aside: Vec<EarlyMessage>,
}

/// A message before its turn.
struct EarlyMessage {
    share: BudgetShare,
    pieces: Vec<FetchedPart>,
}

impl InOrder {
    pub(crate) fn new(outlet: PipeWriter) -> Self {
        Self { outlet, commands: VecDeque::new(), passing_aside: None }
    }

    /// Returns permission to request this many bytes, with the memory for messages before their turn.
    pub(crate) fn admit(&self, octets: u64) -> Option<Admission> {
        if self.commands.is_empty() {
            return Some(Admission(None));
        }
        self.outlet.room(octets).map(|room| Admission(Some(room)))
    }

    /// Adds a command that was sent.
    pub(crate) fn ask(&mut self, command: CommandId, batch: Batch, admission: Admission) {
        self.commands.push_back(FetchCommand {
            command,
            batch,
            room: admission.0,
            is_done: false,
            aside: Vec::new(),
        });
    }

    /// Number of commands in flight, or waiting for their turn.
    pub(crate) fn len(&self) -> usize {
        self.commands.len()
    }

    /// Bytes requested, as reported by the server.
    pub(crate) fn octets(&self) -> u64 {
        self.commands.iter().map(|it| it.batch.octets).sum()
    }

    /// The requested message, if it is the only one.
    pub(crate) fn only(&self) -> Option<Uid> {
        let FetchCommand { batch, .. } = self.commands.front().filter(|_| self.commands.len() == 1)?;
        batch.uids.last().filter(|_| batch.messages == 1)
    }

    /// The request of a command that is not done yet.
    pub(crate) fn batch(&self, command: CommandId) -> Option<&Batch> {
        self.commands.iter().find(|it| it.command == command && !it.is_done).map(|it| &it.batch)
    }

    /// The request of the first command that is not done: a server answers in the order of commands.
    pub(crate) fn first_open(&self) -> Option<&Batch> {
        self.commands.iter().find(|it| !it.is_done).map(|it| &it.batch)
    }

    /// Drops the commands of a lost connection.
    pub(crate) fn forget(&mut self) {
        self.commands.clear();
        self.passing_aside = None;
    }

    /// Starts a message of this size with its first piece.
    pub(crate) async fn begin(
        &mut self,
        uid: Uid,
        octets: u64,
        piece: FetchedPart,
    ) -> Result<(), PipeClosed> {
        let place =
            self.commands.iter().position(|it| !it.is_done && it.batch.uids.contains(uid)).unwrap_or(0);
        if let Some(asked) = self.commands.get_mut(place).filter(|_| place > 0)
            && let Some(room) = &mut asked.room
            && let Some(share) = self.outlet.set_aside(room, octets).await
        {
            self.passing_aside = Some(place);
            asked.aside.push(EarlyMessage { share, pieces: vec![piece] });
            return Ok(());
        }
        self.passing_aside = None;
        self.outlet.send(piece).await
    }

    /// Adds a piece to the message that started last.
    pub(crate) async fn follow(&mut self, piece: FetchedPart) -> Result<(), PipeClosed> {
        let asked = self.passing_aside.and_then(|place| self.commands.get_mut(place));
        match asked.and_then(|it| it.aside.last_mut()) {
            Some(aside) => aside.pieces.push(piece),
            None => self.outlet.send(piece).await?,
        }
        Ok(())
    }

    /// Marks the command as done. Then passes on the messages of the next commands, whose turn it is.
    pub(crate) async fn done(&mut self, command: CommandId) -> Result<(), PipeClosed> {
        if let Some(asked) = self.commands.iter_mut().find(|it| it.command == command) {
            asked.is_done = true;
        }
        while self.commands.pop_front_if(|it| it.is_done).is_some() {
            let Some(next) = self.commands.front_mut() else { break };
            next.room = None;
            for EarlyMessage { mut share, pieces } in next.aside.drain(..) {
                for piece in pieces {
                    self.outlet.send_aside(&mut share, piece).await?;
                }
            }
        }
        Ok(())
    }
}
