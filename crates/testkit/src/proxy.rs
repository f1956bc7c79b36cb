//! A proxy that makes a network as slow and as unreliable as real ones are.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc, watch},
    time::sleep_until,
};

/// The faults of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Delay of bytes in each direction: half of a round trip.
    pub delay: Duration,
    /// Bytes per second, in each direction and each connection.
    pub rate: Option<u64>,
    /// Bytes from server to client, over all connections, after which the connection is cut once.
    pub cut_download: Option<u64>,
    /// The same for bytes from client to server.
    pub cut_upload: Option<u64>,
    /// The kind of cut.
    pub cut: Cut,
}

/// The end of a connection at a cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cut {
    /// Both ends see it closed.
    #[default]
    Close,
    /// Both ends see it reset.
    Reset,
    /// It stays open, and no more bytes pass.
    Hold,
}

/// A proxy in front of a server on 127.0.0.1. It runs on a thread of its own until it is dropped.
pub struct Proxy {
    port: u16,
    connections: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    cuts: Arc<AtomicUsize>,
    /// From server to client, and from client to server.
    fuses: [Arc<Fuse>; 2],
    /// True while no bytes pass.
    held: watch::Sender<bool>,
    end: Arc<Notify>,
    /// Port of the server for new connections.
    upstream: Arc<AtomicU16>,
    /// Opening and last upload of each connection.
    times: Arc<Mutex<Vec<OpenedConnection>>>,
}

/// The time of a connection's opening, and that of its last upload.
type OpenedConnection = (u64, Arc<AtomicU64>);

/// Times of a connection, in milliseconds since 1970 by the clock of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionTimes {
    pub opened: u64,
    /// The last bytes from client to server.
    pub last_upload: u64,
}

/// One direction of a connection.
struct Way {
    fuse: Arc<Fuse>,
    /// Time of the last bytes.
    last: Arc<AtomicU64>,
}

fn now() -> u64 {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    u64::try_from(millis).unwrap()
}

/// Bytes left until the cut.
struct Fuse {
    left: AtomicU64,
    passed: AtomicU64,
    cuts: Arc<AtomicUsize>,
}

impl Fuse {
    fn new(octets: Option<u64>, cuts: &Arc<AtomicUsize>) -> Arc<Self> {
        let left = AtomicU64::new(octets.unwrap_or(u64::MAX));
        Arc::new(Self { left, passed: AtomicU64::new(0), cuts: cuts.clone() })
    }

    /// Returns the number of these bytes that pass, and true if the connection is cut after them.
    fn pass(&self, octets: usize) -> (usize, bool) {
        let passed @ (count, _) = self.burn(octets);
        self.passed.fetch_add(count as u64, Ordering::SeqCst);
        passed
    }

    fn burn(&self, octets: usize) -> (usize, bool) {
        let left = self.left.load(Ordering::SeqCst);
        if left == u64::MAX {
            return (octets, false);
        }
        if octets as u64 >= left {
            self.left.store(u64::MAX, Ordering::SeqCst);
            self.cuts.fetch_add(1, Ordering::SeqCst);
            return (usize::try_from(left).unwrap_or(octets), true);
        }
        self.left.fetch_sub(octets as u64, Ordering::SeqCst);
        (octets, false)
    }
}

/// Counts a connection as open until it is dropped.
struct OpenOne(Arc<AtomicUsize>);

impl Drop for OpenOne {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Proxy {
    /// Starts a proxy in front of this port.
    pub fn start(upstream: u16, faults: Faults) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let cuts = Arc::default();
        let proxy = Self {
            port,
            connections: Arc::default(),
            open: Arc::default(),
            most: Arc::default(),
            fuses: [faults.cut_download, faults.cut_upload].map(|octets| Fuse::new(octets, &cuts)),
            cuts,
            held: watch::Sender::new(false),
            end: Arc::default(),
            upstream: Arc::new(AtomicU16::new(upstream)),
            times: Arc::default(),
        };
        let (upstream, times) = (proxy.upstream.clone(), proxy.times.clone());
        let connections = proxy.connections.clone();
        let (open, most) = (proxy.open.clone(), proxy.most.clone());
        let [down, up] = proxy.fuses.clone();
        let (end, held) = (proxy.end.clone(), proxy.held.subscribe());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let serve = async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((client, _)) = listener.accept().await {
                    connections.fetch_add(1, Ordering::SeqCst);
                    most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let (down, up, open) = (down.clone(), up.clone(), OpenOne(open.clone()));
                    let (held, upstream) = (held.clone(), upstream.load(Ordering::SeqCst));
                    let last_upload = Arc::new(AtomicU64::new(now()));
                    times.lock().unwrap().push((now(), last_upload.clone()));
                    let down = Way { fuse: down, last: Arc::default() };
                    let up = Way { fuse: up, last: last_upload };
                    tokio::spawn(async move {
                        let _open = open;
                        let Ok(server) = TcpStream::connect(("127.0.0.1", upstream)).await else { return };
                        _ = (client.set_nodelay(true), server.set_nodelay(true));
                        let ends =
                            [&client, &server].map(|socket| SockRef::from(socket).try_clone().unwrap());
                        // These halves do not close the connection when they are dropped: a reset must come
                        // first.
                        let (from_client, to_client) = split(client);
                        let (from_server, to_server) = split(server);
                        let cut = Arc::new(Notify::new());
                        let both = async {
                            tokio::join!(
                                carry(from_client, to_server, faults, up, cut.clone(), held.clone()),
                                carry(from_server, to_client, faults, down, cut.clone(), held)
                            )
                        };
                        tokio::select! {
                            _ = both => {}
                            () = cut.notified() => {
                                // A socket that does not linger is reset when it is closed.
                                let linger = if faults.cut == Cut::Reset { Some(Duration::ZERO) } else { None };
                                for end in &ends {
                                    end.set_linger(linger).unwrap();
                                }
                            }
                        }
                    });
                }
            };
            runtime.block_on(async move {
                tokio::select! {
                    () = serve => {}
                    () = end.notified() => {}
                }
            });
        });
        proxy
    }

    /// Port of the proxy, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets no bytes pass any more, on all connections, or lets them pass again. Nothing is closed.
    pub fn hold(&self, is_held: bool) {
        self.held.send_replace(is_held);
    }

    /// Leads new connections to this port, as the address of a service that moves to another machine.
    pub fn lead_to(&self, upstream: u16) {
        self.upstream.store(upstream, Ordering::SeqCst);
    }

    /// Times of all connections so far, in the order of their opening.
    pub fn times(&self) -> Vec<ConnectionTimes> {
        let times = self.times.lock().unwrap();
        let times_of = |(opened, last): &OpenedConnection| ConnectionTimes {
            opened: *opened,
            last_upload: last.load(Ordering::SeqCst),
        };
        times.iter().map(times_of).collect()
    }

    /// Number of connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Number of open connections.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// Maximum number of connections at the same time since the last call.
    pub fn most(&self) -> usize {
        self.most.swap(self.open(), Ordering::SeqCst)
    }

    /// Number of connections that were cut.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }

    /// Number of bytes that passed: from server to client, and from client to server.
    pub fn octets(&self) -> [u64; 2] {
        [0, 1].map(|way: usize| self.fuses[way].passed.load(Ordering::SeqCst))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.end.notify_one();
    }
}

/// Forwards bytes with the delay and rate of the faults.
async fn carry(
    mut from: ReadHalf<TcpStream>,
    mut to: WriteHalf<TcpStream>,
    faults: Faults,
    way: Way,
    cut: Arc<Notify>,
    mut is_held: watch::Receiver<bool>,
) {
    let Faults { delay, rate, .. } = faults;
    // A slow line holds few bytes, otherwise the programs would not notice that it is slow.
    let held = if rate.is_some() { 4 } else { 256 };
    let (sender, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(held);
    let reading = async move {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = from.read(&mut buffer).await.unwrap_or(0);
            if count == 0 || sender.send((Instant::now() + delay, buffer[..count].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let writing = async move {
        // The time at which the line can accept the next bytes.
        let mut free = Instant::now();
        while let Some((due, octets)) = arriving.recv().await {
            sleep_until(due.into()).await;
            if let Some(rate) = rate {
                free = free.max(Instant::now())
                    + Duration::from_micros(octets.len() as u64 * 1_000_000 / rate.max(1));
                sleep_until(free.into()).await;
            }
            if is_held.wait_for(|held| !held).await.is_err() {
                return;
            }
            let (count, is_cut) = way.fuse.pass(octets.len());
            way.last.store(now(), Ordering::SeqCst);
            if to.write_all(&octets[..count]).await.is_err() {
                return;
            }
            if is_cut {
                if faults.cut != Cut::Hold {
                    cut.notify_one();
                }
                // Either the connection ends now, or no more bytes pass.
                std::future::pending::<()>().await;
            }
        }
        _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}

#[cfg(test)]
mod tests {
    use std::{
        io::{ErrorKind, Read as _, Write as _},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    /// A server that sends this many bytes and waits.
    fn talker(octets: usize) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                _ = client.write_all(&vec![7; octets]);
                _ = client.read(&mut [0]);
            }
        });
        port
    }

    fn read_all(port: u16) -> usize {
        let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut read = Vec::new();
        // Ends by the cut, or because there is nothing more.
        _ = client.read_to_end(&mut read);
        assert!(read.iter().all(|it| *it == 7));
        read.len()
    }

    #[test]
    fn another_server_takes_the_place_of_the_first() {
        let proxy = Proxy::start(talker(10), Faults::default());
        let before = now();
        assert_eq!(read_all(proxy.port()), 10);
        proxy.lead_to(talker(20));
        assert_eq!(read_all(proxy.port()), 20);
        let times = proxy.times();
        assert_eq!(times.len(), 2);
        assert!(times.iter().all(|it| it.opened >= before && it.last_upload >= it.opened), "{times:?}");
    }

    #[test]
    fn everything_passes_and_a_cut_comes_once_at_its_place() {
        let slow =
            Proxy::start(talker(300_000), Faults { delay: Duration::from_millis(5), ..Faults::default() });
        assert_eq!(read_all(slow.port()), 300_000);
        let cut = Proxy::start(talker(300_000), Faults { cut_download: Some(123_456), ..Faults::default() });
        assert_eq!((read_all(cut.port()), cut.cuts()), (123_456, 1));
        assert_eq!((read_all(cut.port()), cut.cuts(), cut.connections()), (300_000, 1, 2));
        assert_eq!(cut.octets()[0], 423_456);
    }

    #[test]
    fn a_cut_may_be_a_reset_or_a_connection_that_hangs() {
        for (cut, expected) in [(Cut::Reset, ErrorKind::ConnectionReset), (Cut::Hold, ErrorKind::WouldBlock)]
        {
            let proxy =
                Proxy::start(talker(9_000), Faults { cut_download: Some(5), cut, ..Faults::default() });
            let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
            client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            let ended = client.read_to_end(&mut Vec::new());
            assert_eq!(ended.map_err(|error| error.kind()), Err(expected), "{cut:?}");
        }
    }
}
