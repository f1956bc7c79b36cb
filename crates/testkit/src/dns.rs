//! A scripted DNS on loopback addresses: name servers, and resolvers with caches, in virtual time.
//!
//! Every server has an address of its own, and all of them one port, for UDP and TCP.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinHandle,
};

use crate::{
    dns_wire::{self, Question},
    dns_world::DnsWorld,
};

/// Longest answer by UDP (RFC 1035, section 4.2.1).
const MAX_DATAGRAM: usize = 512;
/// Attempts to find a port that is free at all addresses.
const PORT_ATTEMPTS: u32 = 50;

/// A question that a server got.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DnsQuestion {
    pub server: Ipv4Addr,
    pub name: String,
    pub kind: String,
    pub is_tcp: bool,
}

/// Running servers. They end when this is dropped.
pub struct ScriptedDns {
    shared: Arc<Shared>,
    port: u16,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    world: Mutex<DnsWorld>,
    questions: Mutex<Vec<DnsQuestion>>,
}

impl Drop for ScriptedDns {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl ScriptedDns {
    /// Starts the servers of a world.
    pub async fn start(world: DnsWorld) -> Self {
        let addresses: Vec<Ipv4Addr> = world.addresses();
        let shared = Arc::new(Shared { world: Mutex::new(world), questions: Mutex::default() });
        for _ in 0..PORT_ATTEMPTS {
            let Some((port, sockets)) = bind(&addresses).await else { continue };
            let mut tasks = Vec::new();
            for (address, udp, tcp) in sockets {
                tasks.push(tokio::spawn(serve_udp(shared.clone(), address, udp)));
                tasks.push(tokio::spawn(serve_tcp(shared.clone(), address, tcp)));
            }
            return Self { shared, port, tasks };
        }
        panic!("no port is free at each of {addresses:?}");
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Address of a server, with the port.
    pub fn address(&self, server: &str) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(server.parse().unwrap()), self.port)
    }

    /// Changes the world.
    pub fn change(&self, change: impl FnOnce(&mut DnsWorld)) {
        change(&mut self.shared.world.lock());
    }

    /// Returns all questions until now.
    pub fn questions(&self) -> Vec<DnsQuestion> {
        self.shared.questions.lock().clone()
    }
}

type Sockets = Vec<(Ipv4Addr, UdpSocket, TcpListener)>;

/// Binds all addresses to one port; `None` if it is taken at one of them.
async fn bind(addresses: &[Ipv4Addr]) -> Option<(u16, Sockets)> {
    let mut port = 0;
    let mut sockets = Vec::new();
    for address in addresses {
        let tcp = TcpListener::bind((*address, port)).await.ok()?;
        port = tcp.local_addr().ok()?.port();
        let udp = UdpSocket::bind((*address, port)).await.ok()?;
        sockets.push((*address, udp, tcp));
    }
    Some((port, sockets))
}

impl Shared {
    /// Returns the octets of the answer; `None` for silence.
    fn answer(&self, server: Ipv4Addr, octets: &[u8], is_tcp: bool) -> Option<Vec<u8>> {
        let question = Question::parse(octets)?;
        let (name, kind) = (question.name.clone(), question.kind.clone());
        self.questions.lock().push(DnsQuestion { server, name: name.clone(), kind: kind.clone(), is_tcp });
        let answer = self.world.lock().answer(server, &name, &kind);
        dns_wire::answer(&question, &answer?, if is_tcp { usize::MAX } else { MAX_DATAGRAM })
    }
}

async fn serve_udp(shared: Arc<Shared>, server: Ipv4Addr, socket: UdpSocket) {
    let mut buffer = vec![0; 4096];
    while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
        let Some(octets) = shared.answer(server, &buffer[..length], false) else { continue };
        // A client that is gone needs no answer.
        _ = socket.send_to(&octets, peer).await;
    }
}

async fn serve_tcp(shared: Arc<Shared>, server: Ipv4Addr, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move { answer_tcp(&shared, server, stream).await });
    }
}

async fn answer_tcp(shared: &Shared, server: Ipv4Addr, mut stream: TcpStream) -> Option<()> {
    let length = stream.read_u16().await.ok()?;
    let mut octets = vec![0; usize::from(length)];
    stream.read_exact(&mut octets).await.ok()?;
    let answer = shared.answer(server, &octets, true)?;
    stream.write_u16(u16::try_from(answer.len()).unwrap()).await.ok()?;
    stream.write_all(&answer).await.ok()
}
