//! Bodies in the order in which they were asked for, although a server may answer a later command first.

use std::collections::VecDeque;

use mailhaul_engine::{Closed, Outlet, Piece, Room, Share};
use mailhaul_imap::CommandId;
use mailhaul_mail::{Uid, UidSet};

/// What one FETCH command asks for.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) uids: UidSet,
    pub(crate) messages: usize,
    /// As claimed.
    pub(crate) octets: u64,
}

impl Batch {
    pub(crate) fn single(uid: Uid) -> Self {
        Self { uids: [uid].into_iter().collect(), messages: 1, octets: 0 }
    }
}

/// The commands under way, and what came before its turn.
///
/// A message of a later command is set aside until the earlier ones are done. So a command is sent behind others only where
/// what it asks for may wait ([`Outlet::room`]: half of the budget of all octets under way). What is larger than was claimed,
/// and finds no room then, is passed on at once, out of order: order is worth less than a bound on memory.
pub(crate) struct InOrder {
    outlet: Outlet,
    /// In the order of sending; the messages of the first one are passed on as they come.
    commands: VecDeque<FetchCommand>,
    /// The command, by its place, of which a message comes by that is set aside.
    passing_aside: Option<usize>,
}

/// A command may be sent.
pub(crate) struct Admission(Option<Room>);

struct FetchCommand {
    command: CommandId,
    batch: Batch,
    /// For what comes before its turn; none for the first command.
    room: Option<Room>,
    is_done: bool,
    aside: Vec<EarlyMessage>,
}

/// A message before its turn.
struct EarlyMessage {
    share: Share,
    pieces: Vec<Piece>,
}

impl InOrder {
    pub(crate) fn new(outlet: Outlet) -> Self {
        Self { outlet, commands: VecDeque::new(), passing_aside: None }
    }

    /// Whether so many octets may be asked for now; with the room for them where they may come before their turn.
    pub(crate) fn admit(&self, octets: u64) -> Option<Admission> {
        if self.commands.is_empty() {
            return Some(Admission(None));
        }
        self.outlet.room(octets).map(|room| Admission(Some(room)))
    }

    /// A command was sent.
    pub(crate) fn ask(&mut self, command: CommandId, batch: Batch, admission: Admission) {
        self.commands.push_back(FetchCommand {
            command,
            batch,
            room: admission.0,
            is_done: false,
            aside: Vec::new(),
        });
    }

    /// How many commands are under way, or wait for their turn.
    pub(crate) fn len(&self) -> usize {
        self.commands.len()
    }

    /// What they asked for, in octets as claimed.
    pub(crate) fn octets(&self) -> u64 {
        self.commands.iter().map(|it| it.batch.octets).sum()
    }

    /// The only message that is asked for.
    pub(crate) fn only(&self) -> Option<Uid> {
        let FetchCommand { batch, .. } = self.commands.front().filter(|_| self.commands.len() == 1)?;
        batch.uids.last().filter(|_| batch.messages == 1)
    }

    /// What a command asked for that is not done yet.
    pub(crate) fn batch(&self, command: CommandId) -> Option<&Batch> {
        self.commands.iter().find(|it| it.command == command && !it.is_done).map(|it| &it.batch)
    }

    /// What the first command asks for of which messages are still to come: a server answers in the order of commands.
    pub(crate) fn first_open(&self) -> Option<&Batch> {
        self.commands.iter().find(|it| !it.is_done).map(|it| &it.batch)
    }

    /// The connection is gone, and with it the commands under way.
    pub(crate) fn forget(&mut self) {
        self.commands.clear();
        self.passing_aside = None;
    }

    /// A message begins with this piece, and is so large as a whole.
    pub(crate) async fn begin(&mut self, uid: Uid, octets: u64, piece: Piece) -> Result<(), Closed> {
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

    /// The next piece of the message that began last.
    pub(crate) async fn follow(&mut self, piece: Piece) -> Result<(), Closed> {
        let asked = self.passing_aside.and_then(|place| self.commands.get_mut(place));
        match asked.and_then(|it| it.aside.last_mut()) {
            Some(aside) => aside.pieces.push(piece),
            None => self.outlet.send(piece).await?,
        }
        Ok(())
    }

    /// All messages of the command came. Those of the commands behind it, whose turn it is now, are passed on.
    pub(crate) async fn done(&mut self, command: CommandId) -> Result<(), Closed> {
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
