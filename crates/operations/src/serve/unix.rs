//! Serves on this machine's socket. A process that can open it is an administrator.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::{
        fd::OwnedFd,
        unix::{
            fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _},
            net::UnixStream as Probe,
        },
    },
    path::{Path, PathBuf},
};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{UnixListener, UnixStream};

use super::{Accept, Server};
use crate::caller::{Caller, Role};

/// Connections that the system queues until they are accepted.
const BACKLOG: i32 = 128;

/// Socket that only its owner can open. Dropping it removes it.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Held while the socket exists: of two programs that start at once, one succeeds.
    _lock: File,
}

impl UnixSocket {
    /// Creates the socket, and a `.lock` file that stays.
    ///
    /// A leftover socket is replaced. A socket with a listener, or another kind of file, is an
    /// error.
    pub fn bind(path: &Path) -> io::Result<Self> {
        let lock = lock_file(&lock_path(path))?;
        lock.try_lock().map_err(|_| in_use(path))?;
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    format!("{} exists and is not a socket", path.display()),
                ));
            }
            Ok(_) if Probe::connect(path).is_ok() => return Err(in_use(path)),
            Ok(_) => fs::remove_file(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&SockAddr::unix(path)?)?;
        // Before `listen`, no client can connect.
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        let listener = UnixListener::from_std(OwnedFd::from(socket).into())?;
        Ok(Self { listener, path: path.to_owned(), _lock: lock })
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        let _gone_already = fs::remove_file(&self.path);
    }
}

impl Server {
    /// Serves until shutdown. Callers are administrators with the name of their user.
    pub async fn unix(&self, socket: UnixSocket) {
        self.serve(&socket.listener, |stream: UnixStream| {
            let server = self.clone();
            let name = stream.peer_cred().map_or_else(|_| "local".to_owned(), |peer| user_name(peer.uid()));
            server.carry(stream, Some(Caller { name, role: Role::Admin, is_local: true }), None)
        })
        .await;
    }
}

impl Accept for UnixListener {
    type Socket = UnixStream;

    async fn accept_one(&self) -> io::Result<UnixStream> {
        Ok(self.accept().await?.0)
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// Opens the lock file without following a link or truncating. So a user who can write to the
/// directory cannot make this program destroy a file.
fn lock_file(path: &Path) -> io::Result<File> {
    let found = fs::symlink_metadata(path);
    if found.is_ok_and(|found| !found.file_type().is_file()) {
        let words = format!("{} exists and is not a file", path.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
    }
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn in_use(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::AddrInUse, format!("another service is listening at {}", path.display()))
}

/// Name of a user in /etc/passwd.
fn user_name(uid: u32) -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("uid {uid}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[tokio::test]
    async fn the_lock_follows_no_link() {
        let directory = tempfile::tempdir().unwrap();
        let (socket, other) = (directory.path().join("s.sock"), directory.path().join("other"));
        fs::write(&other, "kept").unwrap();
        symlink(&other, lock_path(&socket)).unwrap();
        assert!(UnixSocket::bind(&socket).is_err());
        assert_eq!(fs::read_to_string(&other).unwrap(), "kept");
        fs::remove_file(lock_path(&socket)).unwrap();
        fs::write(lock_path(&socket), "kept").unwrap();
        let bound = UnixSocket::bind(&socket).unwrap();
        assert_eq!(fs::read_to_string(lock_path(&socket)).unwrap(), "kept");
        drop(bound);
    }
}
