//! TCP connection that writes only while its permit is valid.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use mailhaul_mail::{EXPIRED_PERMIT, Permit};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Idle time after which the system probes the connection. Firewalls drop idle connections.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(45);
/// Bytes of one system call. A process that is stopped between the check and the call sends no more afterwards.
const MAX_WRITE: usize = 64 << 10;

/// A TCP connection, with the permit of a target.
pub(crate) struct Socket {
    /// `None` after the connection was reset.
    tcp: Option<TcpStream>,
    permit: Option<Permit>,
}

impl Socket {
    /// Turns off Nagle's algorithm, because commands are written as a whole. Turns on keep-alive, to detect a dead peer.
    pub(crate) fn new(tcp: TcpStream, permit: Option<Permit>) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_INTERVAL).with_interval(KEEPALIVE_INTERVAL);
        SockRef::from(&tcp).set_tcp_keepalive(&keepalive)?;
        #[cfg(target_os = "linux")]
        if let Some(lifetime) = permit.as_ref().and_then(Permit::unsent_lifetime) {
            SockRef::from(&tcp).set_tcp_user_timeout(Some(lifetime))?;
        }
        Ok(Self { tcp: Some(tcp), permit })
    }

    /// Acknowledges the next segment immediately.
    ///
    /// Servers with Nagle's algorithm (Courier, Cyrus) send their second short answer only after the first is
    /// acknowledged. The kernel delays that acknowledgement by 40 ms. It resets the option with the next write.
    #[cfg(target_os = "linux")]
    pub(crate) fn answers_are_awaited(&self) {
        if let Some(tcp) = &self.tcp {
            // Without it, answers are only slower.
            _ = SockRef::from(tcp).set_tcp_quickack(true);
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn answers_are_awaited(&self) {}

    fn may_write(&self) -> bool {
        self.permit.as_ref().is_none_or(Permit::is_valid)
    }

    /// Resets the connection, so that the system discards the data that it has not sent.
    fn reset(&mut self) {
        if let Some(tcp) = self.tcp.take() {
            // Without it, the system sends what it holds.
            _ = SockRef::from(&tcp).set_linger(Some(Duration::ZERO));
        }
    }

    fn reader(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.tcp.as_mut().map(Pin::new).ok_or_else(expired)
    }

    fn writer(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if !self.may_write() {
            self.reset();
        }
        self.reader()
    }

    #[cfg(test)]
    pub(crate) fn options(&self) -> SockRef<'_> {
        SockRef::from(self.tcp.as_ref().unwrap())
    }
}

fn expired() -> io::Error {
    io::Error::other(EXPIRED_PERMIT)
}

impl Drop for Socket {
    fn drop(&mut self) {
        if !self.may_write() {
            self.reset();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get_mut().reader()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().writer()?.poll_write(context, &octets[..octets.len().min(MAX_WRITE)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if slices.iter().map(|slice| slice.len()).sum::<usize>() > MAX_WRITE {
            let first = slices.iter().find(|slice| !slice.is_empty());
            return self.poll_write(context, first.map_or(&[], |slice| slice));
        }
        self.get_mut().writer()?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().reader()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().writer()?.poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// A socket whose permit expires at second 40 of the clock, the clock, and the server's end.
    async fn permitted() -> (Socket, Arc<AtomicU64>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let second = Arc::new(AtomicU64::new(0));
        let shown = Arc::clone(&second);
        let clock = Arc::new(move || Duration::from_secs(shown.load(Ordering::SeqCst)));
        let permit = Permit::new(clock, Duration::ZERO, Duration::from_secs(40));
        (Socket::new(tcp, Some(permit)).unwrap(), second, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn an_expired_permit_writes_no_byte_and_resets() {
        let (mut socket, second, mut server) = permitted().await;
        let mut octets = [0; 9];
        second.store(39, Ordering::SeqCst);
        socket.write_all(b"a1 NOOP\r\n").await.unwrap();
        server.read_exact(&mut octets).await.unwrap();
        second.store(40, Ordering::SeqCst);
        let error = socket.write_all(b"a2 NOOP\r\n").await.unwrap_err();
        assert_eq!(error.to_string(), EXPIRED_PERMIT);
        let error = socket.read(&mut octets).await.unwrap_err();
        assert_eq!(error.to_string(), EXPIRED_PERMIT);
        let mut rest = Vec::new();
        let error = server.read_to_end(&mut rest).await.unwrap_err();
        assert_eq!((error.kind(), rest.len()), (io::ErrorKind::ConnectionReset, 0));
    }

    #[tokio::test]
    async fn data_that_the_system_holds_is_discarded() {
        for is_dropped in [false, true] {
            let (mut socket, second, mut server) = permitted().await;
            let mut written = 0;
            let part = vec![7; MAX_WRITE];
            // The server reads nothing, so the system holds what it does not take.
            while let Ok(count) = tokio::time::timeout(Duration::from_millis(100), socket.write(&part)).await
            {
                written += count.unwrap();
            }
            second.store(41, Ordering::SeqCst);
            if is_dropped {
                drop(socket);
            } else {
                socket.shutdown().await.unwrap_err();
            }
            let mut received = Vec::new();
            let error = server.read_to_end(&mut received).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            assert!(received.len() < written, "{} of {written} bytes", received.len());
        }
    }

    #[tokio::test]
    async fn one_system_call_writes_a_bounded_part() {
        let (mut socket, _second, _server) = permitted().await;
        let large = vec![7; 4 * MAX_WRITE];
        assert!(socket.write(&large).await.unwrap() <= MAX_WRITE);
        let slices = [IoSlice::new(b""), IoSlice::new(&large), IoSlice::new(&large)];
        let count = socket.write_vectored(&slices).await.unwrap();
        assert!((1..=MAX_WRITE).contains(&count), "{count}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_system_gives_up_data_that_a_target_does_not_take() {
        for lifetime in [None, Some(Duration::from_secs(15))] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let clock = Arc::new(|| Duration::ZERO);
            let permit =
                Permit::with_unsent_lifetime(clock, Duration::ZERO, Duration::from_secs(40), lifetime);
            let socket = Socket::new(tcp, Some(permit)).unwrap();
            assert_eq!(socket.options().tcp_user_timeout().unwrap(), lifetime);
        }
    }
}
