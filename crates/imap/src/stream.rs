//! Byte stream to the server: TCP, with or without TLS.

use std::{
    io::{self, IoSlice},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};

use mailhaul_mail::{CurrentPermit, Reach};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::client::TlsStream;

use crate::{
    error::{Error, ErrorKind},
    options::ConnectOptions,
    security::Security,
    socket::Socket,
    tls,
    trace::Milestone,
};

/// Addresses of a host name that are tried.
const MAX_ADDRESSES: usize = 8;

/// A connection to a server.
pub(crate) enum Stream {
    /// Without TLS.
    Clear(Socket),
    /// With TLS.
    Tls(Box<TlsStream<Socket>>),
}

impl Stream {
    /// Connects, and starts TLS if it is implicit. Reads and writes nothing else.
    pub(crate) async fn connect(options: &ConnectOptions) -> Result<Self, Error> {
        let stream = Self::Clear(connect_tcp(options).await?);
        match options.security {
            Security::Implicit => stream.start_tls(options).await,
            Security::StartTls | Security::Clear => Ok(stream),
        }
    }

    /// Starts TLS. The caller must have discarded all buffered data.
    pub(crate) async fn start_tls(self, options: &ConnectOptions) -> Result<Self, Error> {
        match self {
            Self::Clear(tcp) => {
                Ok(Self::Tls(Box::new(tls::handshake(tcp, options, bare(&options.host)).await?)))
            }
            Self::Tls(_) => Err(Error::session(ErrorKind::Protocol, "TLS is already active")),
        }
    }

    fn socket(&self) -> &Socket {
        match self {
            Self::Clear(socket) => socket,
            Self::Tls(tls) => tls.get_ref().0,
        }
    }

    /// True if the stream is encrypted.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

/// Returns the host without the brackets that a URL puts around an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Tries the addresses of the host in the system's order.
pub(crate) async fn connect_tcp(options: &ConnectOptions) -> Result<Socket, Error> {
    let ConnectOptions { host, port, timeouts, .. } = options;
    let looked_up = timeout(timeouts.connect, lookup_host((bare(host), *port))).await;
    let addresses: Vec<SocketAddr> = match looked_up {
        Ok(Ok(addresses)) => addresses.take(MAX_ADDRESSES).collect(),
        Ok(Err(error)) => {
            let words = format!("cannot find the address of {host}: {error}");
            return Err(Error::session(ErrorKind::Unreachable, words));
        }
        Err(_) => {
            let words = format!("cannot find the address of {host}: no answer");
            return Err(Error::session(ErrorKind::Timeout, words));
        }
    };
    options.report(&Milestone::Addresses(&addresses));
    let addresses = allowed(options, addresses)?;
    let mut failures = Vec::new();
    for address in addresses {
        match timeout(timeouts.connect, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                check_other_machine(options, &tcp, address)?;
                options.report(&Milestone::Connected(address));
                return Socket::new(tcp, options.permit.as_ref().map(CurrentPermit::get))
                    .map_err(|error| Error::io(format!("cannot use the connection to {host}"), &error));
            }
            Ok(Err(error)) => failures.push(format!("{address}: {error}")),
            Err(_) => failures.push(format!("{address}: no answer within {} s", timeouts.connect.as_secs())),
        }
    }
    if failures.is_empty() {
        failures.push("the name has no address".to_owned());
    }
    let words = format!("cannot connect to {host}, port {port}: {}", failures.join("; "));
    Err(Error::session(ErrorKind::Unreachable, words))
}

/// Returns the addresses to which connections are allowed.
///
/// # Errors
/// [`ErrorKind::Forbidden`] if none is left.
fn allowed(options: &ConnectOptions, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Error> {
    let refusal =
        addresses.iter().find_map(|address| Some((address.ip(), options.reach.refusal(address.ip())?)));
    let allowed: Vec<_> =
        addresses.into_iter().filter(|address| options.reach.refusal(address.ip()).is_none()).collect();
    match refusal {
        Some((address, why)) if allowed.is_empty() => Err(forbidden(&options.host, address, why)),
        _ => Ok(allowed),
    }
}

/// Returns an error if both ends of the connection are on this machine and that is forbidden.
fn check_other_machine(options: &ConnectOptions, tcp: &TcpStream, address: SocketAddr) -> Result<(), Error> {
    let is_here =
        tcp.local_addr().is_ok_and(|local| local.ip().to_canonical() == address.ip().to_canonical());
    if is_here && options.reach == Reach::OtherMachines {
        return Err(forbidden(&options.host, address.ip(), "is this machine"));
    }
    Ok(())
}

fn forbidden(host: &str, address: IpAddr, why: &str) -> Error {
    let named =
        if bare(host) == address.to_string() { String::new() } else { format!(", the address of {host},") };
    Error::endpoint(ErrorKind::Forbidden, format!("no connection may go there: {address}{named} {why}"))
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Self::Tls(tls) => Pin::new(tls).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(tcp) => Pin::new(tcp).poll_write(context, octets),
            Self::Tls(tls) => Pin::new(tls).poll_write(context, octets),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(tcp) => Pin::new(tcp).poll_write_vectored(context, slices),
            Self::Tls(tls) => Pin::new(tls).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Clear(tcp) => tcp.is_write_vectored(),
            Self::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = match this {
            Self::Clear(tcp) => Pin::new(tcp).poll_flush(context),
            Self::Tls(tls) => Pin::new(tls).poll_flush(context),
        };
        if matches!(flushed, Poll::Ready(Ok(()))) {
            this.socket().answers_are_awaited();
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(tcp) => Pin::new(tcp).poll_shutdown(context),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn octets_go_both_ways_and_the_socket_is_tuned() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let options = ConnectOptions::new("127.0.0.1", port, Security::Clear);
        let mut stream = Stream::connect(&options).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        assert!(!stream.is_tls());
        let socket = || stream.socket().options();
        assert!(socket().tcp_nodelay().unwrap() && socket().keepalive().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(socket().tcp_user_timeout().unwrap(), None, "a server that is read may be slow");

        server.write_all(b"* OK").await.unwrap();
        let mut octets = [0; 4];
        stream.read_exact(&mut octets).await.unwrap();
        assert_eq!(&octets, b"* OK");
        stream.write_all(b"a1").await.unwrap();
        #[cfg(target_os = "linux")]
        {
            stream.socket().options().set_tcp_quickack(false).unwrap();
            stream.flush().await.unwrap();
            assert!(stream.socket().options().tcp_quickack().unwrap());
        }
        stream.shutdown().await.unwrap();
        let mut said = Vec::new();
        server.read_to_end(&mut said).await.unwrap();
        assert_eq!(said, b"a1");
    }

    #[tokio::test]
    async fn a_refused_port_is_reported_with_its_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let options = ConnectOptions::new("127.0.0.1", port, Security::Clear);
        let error = Stream::connect(&options).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("cannot connect to 127.0.0.1, port {port}: 127.0.0.1:{port}: ")),
            "{text}"
        );
    }

    #[tokio::test]
    async fn no_connection_is_made_to_this_machine_where_it_is_refused() {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in
            ["127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "localhost", "2130706433", "0x7f.1", "127.1"]
        {
            let mut options = ConnectOptions::new(host, port, Security::Clear);
            options.reach = Reach::OtherMachines;
            let error = Stream::connect(&options).await.err().unwrap();
            assert_eq!(
                (error.kind, error.retry),
                (ErrorKind::Forbidden, mailhaul_mail::Retry::Never),
                "{host}"
            );
            assert!(error.message.contains("no connection may go there: "), "{error}");
        }
        let came = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
        assert!(came.is_err(), "a connection was made");
    }

    /// An address of the machine's own network is known when the connection has the same address at both ends.
    #[tokio::test]
    async fn a_connection_to_this_machine_by_its_network_is_refused() {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
        // No packet is sent: the system says by which address it would be.
        let own = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr());
        let Ok(own) = own.map(|address| address.ip()) else { return };
        let mut options = ConnectOptions::new(own.to_string(), port, Security::Clear);
        options.reach = Reach::OtherMachines;
        let error = Stream::connect(&options).await.err().unwrap();
        assert_eq!(error.message, format!("no connection may go there: {own} is this machine"));
    }

    #[test]
    fn brackets_are_for_urls() {
        assert_eq!((bare("[::1]"), bare("mail.example")), ("::1", "mail.example"));
    }
}
