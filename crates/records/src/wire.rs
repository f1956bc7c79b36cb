//! One question and its answer: UDP, and TCP if the answer is too long for it (RFC 1035, section 4.2).

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

use crate::{
    message::{Kind, Message, Name, question},
    trouble::Trouble,
};

/// Attempts by UDP, which loses datagrams.
const ATTEMPTS: u32 = 2;
/// Longest answer by UDP without extensions.
const MAX_DATAGRAM: usize = 4096;

/// A question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    /// True if the server may ask others, as a resolver does.
    pub(crate) is_recursive: bool,
}

impl Question {
    /// Asks a server, with this patience for each attempt.
    pub(crate) async fn ask(&self, server: SocketAddr, patience: Duration) -> Result<Message, Trouble> {
        let mut trouble = Trouble::Silent;
        for _ in 0..ATTEMPTS {
            match timeout(patience, self.by_udp(server)).await {
                Ok(Ok(answer)) if answer.is_truncated => {
                    return match timeout(patience, self.by_tcp(server)).await {
                        Ok(answer) => answer,
                        Err(_) => Err(Trouble::Silent),
                    };
                }
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(other)) => trouble = other,
                Err(_) => trouble = Trouble::Silent,
            }
        }
        Err(trouble)
    }

    /// Each question has an id and a port of its own, so that a stranger has to guess both.
    fn message(&self) -> Result<(u16, Vec<u8>), Trouble> {
        let mut id = [0; 2];
        getrandom::fill(&mut id).map_err(|error| Trouble::Unreachable(error.to_string()))?;
        let id = u16::from_be_bytes(id);
        Ok((id, question(id, &self.name, self.kind, self.is_recursive)))
    }

    async fn by_udp(&self, server: SocketAddr) -> Result<Message, Trouble> {
        let (id, octets) = self.message()?;
        let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).await.map_err(unreachable)?;
        socket.connect(server).await.map_err(unreachable)?;
        socket.send(&octets).await.map_err(unreachable)?;
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            let length = socket.recv(&mut buffer).await.map_err(unreachable)?;
            // A datagram that is no answer to this question is a late one, or a forged one.
            if let Some(answer) = buffer.get(..length).and_then(|octets| self.answer(id, octets)) {
                return Ok(answer);
            }
        }
    }

    async fn by_tcp(&self, server: SocketAddr) -> Result<Message, Trouble> {
        let (id, octets) = self.message()?;
        let mut stream = TcpStream::connect(server).await.map_err(unreachable)?;
        let length = u16::try_from(octets.len()).map_err(|_| Trouble::Malformed)?;
        let mut sent = length.to_be_bytes().to_vec();
        sent.extend_from_slice(&octets);
        stream.write_all(&sent).await.map_err(unreachable)?;
        let length = stream.read_u16().await.map_err(unreachable)?;
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await.map_err(unreachable)?;
        self.answer(id, &answer).ok_or(Trouble::Malformed)
    }

    /// Reads the answer to this question; `None` if it is another message.
    fn answer(&self, id: u16, octets: &[u8]) -> Option<Message> {
        let message = Message::parse(octets)?;
        let is_mine = match &message.question {
            Some((name, kind)) => *kind == self.kind as u16 && *name == self.name,
            // A server that cannot read the question does not repeat it; a truncated answer is not read.
            None => true,
        };
        (message.is_answer && message.id == id && is_mine).then_some(message)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn unreachable(error: io::Error) -> Trouble {
    Trouble::Unreachable(error.to_string())
}
