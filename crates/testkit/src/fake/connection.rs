//! The socket: reads commands with their literals, and sends answers.

use std::{
    io,
    mem::MaybeUninit,
    sync::{Arc, Mutex},
    time::Duration,
};

use socket2::SockRef;
use tokio::{net::TcpStream, time::sleep};

use super::{
    lie::{Effect, Lie},
    replies::Flow,
    syntax::Raw,
};

/// Limit on the line of a command. No well-behaved client sends a longer one.
const MAX_LINE_LENGTH: usize = 64 << 10;

/// The connections of one user.
pub(super) type Peers = Arc<Mutex<Vec<Arc<Peer>>>>;

/// A connection as other connections see it.
pub(super) struct Peer {
    stream: TcpStream,
    state: Mutex<State>,
}

/// The activity of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// All input was handled.
    Waiting,
    /// There is input that was not handled yet.
    Working,
    /// A login waits for the other connections. Its earlier commands do not concern them.
    Entering,
    /// The client does not read. Its command has taken effect, and it may disconnect.
    Answering,
    /// The connection handles no more commands.
    Over,
}

impl Peer {
    pub(super) fn state(&self) -> State {
        *self.state.lock().unwrap()
    }

    fn turn(&self, state: State) {
        let mut now = self.state.lock().unwrap();
        if *now != State::Over {
            *now = state;
        }
    }

    /// True if all input was handled.
    ///
    /// The socket itself is asked, because the input of a closed connection may still be there.
    fn is_idle(&self) -> bool {
        let mut octet = [MaybeUninit::uninit()];
        let mut nothing = || {
            let peeked = SockRef::from(&self.stream).peek(&mut octet);
            peeked.is_err_and(|it| it.kind() == io::ErrorKind::WouldBlock)
        };
        match self.state() {
            State::Waiting => nothing(),
            State::Working => false,
            State::Entering | State::Answering | State::Over => true,
        }
    }
}

/// Waits until every other connection has handled its input.
///
/// The effects of a closed connection's commands come before the next login. Concurrent logins do not wait
/// for each other.
pub(super) async fn settle(peers: &Peers, own: &Arc<Peer>) {
    own.turn(State::Entering);
    loop {
        let is_settled = {
            let mut peers = peers.lock().unwrap();
            peers.retain(|it| it.state() != State::Over);
            peers.iter().filter(|it| !Arc::ptr_eq(it, own)).all(|it| it.is_idle())
        };
        if is_settled {
            own.turn(State::Working);
            return;
        }
        sleep(Duration::from_millis(1)).await;
    }
}

/// The server's reaction to an announced literal.
pub(super) enum Consent {
    /// The server asks for it.
    Given,
    /// The server refuses it with this answer, and the command ends.
    Refused(String),
    /// A lie is the answer to the command with this tag.
    Lied(String, Arc<Lie>),
}

/// The reason for an incomplete command.
pub(super) enum IncompleteCommand {
    /// The server refused it with this answer.
    Refused(String),
    Lied(String, Arc<Lie>),
}

/// One connection.
pub(super) struct Wire {
    pub(super) peer: Arc<Peer>,
    received: Vec<u8>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        let peer = Peer { stream, state: Mutex::new(State::Waiting) };
        Self { peer: Arc::new(peer), received: Vec::new() }
    }

    /// Reads more input; false at the end of the connection.
    async fn fill(&mut self) -> bool {
        let mut octets = vec![0; 64 << 10];
        loop {
            self.peer.turn(State::Working);
            match self.peer.stream.try_read(&mut octets) {
                Ok(0) => return false,
                Ok(count) => {
                    self.received.extend_from_slice(&octets[..count]);
                    return true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.peer.turn(State::Waiting);
                    if self.peer.stream.readable().await.is_err() {
                        return false;
                    }
                }
                Err(_) => return false,
            }
        }
    }

    /// Reads a line without its end; `None` at the end of the connection.
    pub(super) async fn line(&mut self) -> Option<Vec<u8>> {
        let mut seen = 0;
        loop {
            if let Some(end) = self.received[seen..].iter().position(|it| *it == b'\n') {
                let mut line: Vec<u8> = self.received.drain(..=seen + end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Some(line);
            }
            seen = self.received.len();
            if seen > MAX_LINE_LENGTH || !self.fill().await {
                return None;
            }
        }
    }

    /// Reads a whole command.
    ///
    /// Calls `consent` for each literal, with the text before it and its length. The last argument is true
    /// for a literal that comes without a request.
    pub(super) async fn command(
        &mut self,
        mut consent: impl FnMut(&[u8], u64, bool) -> Consent + Send,
    ) -> Option<Result<Raw, IncompleteCommand>> {
        let mut raw = Raw::default();
        loop {
            let text = self.line().await?;
            let Some((length, is_free)) = literal(&text) else {
                raw.pieces.push((text, None));
                return Some(Ok(raw));
            };
            let start = raw.pieces.first().map_or(&text, |(first, _)| first);
            match consent(start, length, is_free) {
                Consent::Given if is_free => {}
                Consent::Given => self.send(b"+ go ahead\r\n").await?,
                Consent::Refused(answer) => {
                    if is_free {
                        self.octets(length).await?;
                        // The rest of the command.
                        while literal(&self.line().await?).is_some() {}
                    }
                    return Some(Err(IncompleteCommand::Refused(answer)));
                }
                Consent::Lied(tag, lie) => {
                    self.literal_for(&lie, length, is_free).await?;
                    return Some(Err(IncompleteCommand::Lied(tag, lie)));
                }
            }
            let octets = self.octets(length).await?;
            raw.pieces.push((text, Some(octets)));
        }
    }

    /// Reads as much of the literal as the lie says.
    async fn literal_for(&mut self, lie: &Lie, length: u64, is_free: bool) -> Option<()> {
        let Effect::Literal { octets, flow, .. } = &lie.effect else { return Some(()) };
        if is_free && *flow == Flow::On {
            self.octets(length).await?;
            while literal(&self.line().await?).is_some() {}
            return Some(());
        }
        if !is_free && *octets > 0 {
            self.send(b"+ go ahead\r\n").await?;
        }
        self.octets(length.min(*octets)).await?;
        Some(())
    }

    async fn octets(&mut self, length: u64) -> Option<Vec<u8>> {
        let length = usize::try_from(length).ok()?;
        while self.received.len() < length {
            if !self.fill().await {
                return None;
            }
        }
        let rest = self.received.split_off(length);
        Some(std::mem::replace(&mut self.received, rest))
    }

    /// Sends bytes; `None` if the client has disconnected.
    pub(super) async fn send(&mut self, mut octets: &[u8]) -> Option<()> {
        while !octets.is_empty() {
            match self.peer.stream.try_write(octets) {
                Ok(count) => octets = &octets[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.peer.turn(State::Answering);
                    self.peer.stream.writable().await.ok()?;
                    self.peer.turn(State::Working);
                }
                Err(_) => return None,
            }
        }
        Some(())
    }

    /// Ends the connection as the flow says.
    pub(super) async fn end(self, flow: Flow) {
        match flow {
            Flow::On | Flow::HangUp | Flow::Endless => self.close().await,
            Flow::Reset => {
                self.peer.turn(State::Over);
                _ = SockRef::from(&self.peer.stream).set_linger(Some(Duration::ZERO));
            }
            Flow::Silence => self.hear_out().await,
        }
    }

    /// Closes the connection.
    ///
    /// The input is read and ignored: a close with unread bytes would reset the connection, and the last
    /// answer could be lost.
    async fn close(self) {
        self.peer.turn(State::Over);
        _ = SockRef::from(&self.peer.stream).shutdown(std::net::Shutdown::Write);
        self.hear_out().await;
    }

    /// Reads until the client closes.
    async fn hear_out(mut self) {
        self.peer.turn(State::Over);
        loop {
            self.received.clear();
            if !self.fill().await {
                return;
            }
        }
    }
}

/// Returns the length of the literal that the line announces, and true if it comes without a request.
fn literal(line: &[u8]) -> Option<(u64, bool)> {
    let inside = line.strip_suffix(b"}")?;
    let start = inside.iter().rposition(|it| *it == b'{')?;
    let digits = std::str::from_utf8(&inside[start + 1..]).ok()?;
    let (digits, is_free) = digits.strip_suffix('+').map_or((digits, false), |it| (it, true));
    Some((digits.parse().ok()?, is_free))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_login_waits_for_work_of_others_but_not_for_other_logins() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut clients = Vec::new();
        let peers = Peers::default();
        for _ in 0..3 {
            clients.push(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
            let peer = Wire::new(listener.accept().await.unwrap().0).peer;
            peer.turn(State::Working);
            peers.lock().unwrap().push(peer);
        }
        let all = peers.lock().unwrap().clone();
        let enter = async |own: &Arc<Peer>| {
            settle(&peers, own).await;
            assert_eq!(own.state(), State::Working);
            // The login is answered.
            own.turn(State::Waiting);
        };
        let entering = async { tokio::join!(enter(&all[0]), enter(&all[1])) };
        tokio::pin!(entering);
        tokio::select! {
            biased;
            _ = &mut entering => panic!("the third was still at work"),
            () = tokio::task::yield_now() => {}
        }
        all[2].turn(State::Waiting);
        entering.await;
    }
}
