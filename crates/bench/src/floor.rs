//! The limit of the servers: raw, pipelined APPEND from memory, and at the same time raw, pipelined FETCH.
//!
//! It waits for no answer, remembers nothing and checks nothing. The extra time of a program is its own cost.

use std::{fmt::Write as _, path::PathBuf, sync::Arc, time::Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use mailhaul_imap::{Frame, Framer, MailboxName, ResponseLimits};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::profile::{self, Item};

/// Bytes of one write.
const CHUNK: usize = 256 << 10;

/// The task of the floor.
#[derive(Args, Clone, Debug)]
pub(crate) struct Floor {
    /// The messages
    #[arg(long)]
    pub(crate) corpus: PathBuf,
    /// Messages in one APPEND
    #[arg(long, default_value_t = 1)]
    pub(crate) batch: usize,
    /// Port of the server that is read
    #[arg(long)]
    pub(crate) source: Option<u16>,
    /// Users whose mailboxes are read
    #[arg(long)]
    pub(crate) source_user: Vec<String>,
    /// Port of the server that is written
    #[arg(long)]
    pub(crate) target: u16,
    /// Users whose mailboxes are written
    #[arg(long, required = true)]
    pub(crate) target_user: Vec<String>,
    /// CA file; turns TLS on
    #[arg(long)]
    pub(crate) ca: Option<PathBuf>,
}

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection after the login, as two halves.
struct Raw {
    reader: Reader,
    writer: WriteHalf<Box<dyn Wire>>,
}

struct Reader {
    half: ReadHalf<Box<dyn Wire>>,
    framer: Framer,
}

impl Reader {
    /// Reads up to the tagged answer. Returns the bytes of literals before it.
    ///
    /// An answer that is not OK is an error.
    async fn until(&mut self, tag: &str) -> Result<u64> {
        let mut octets = 0;
        loop {
            while let Some(frame) = self.framer.next_frame()? {
                match frame {
                    Frame::LiteralChunk(chunk) => octets += chunk.len() as u64,
                    Frame::Response(response) => {
                        let text = &response.text[..];
                        if text.starts_with(b"*") || text.starts_with(b"+") {
                            continue;
                        }
                        let (answered, rest) =
                            text.split_at(text.iter().position(|it| *it == b' ').unwrap_or(0));
                        if !rest.starts_with(b" OK") {
                            bail!("{}", String::from_utf8_lossy(text));
                        }
                        if answered == tag.as_bytes() {
                            return Ok(octets);
                        }
                    }
                    _ => {}
                }
            }
            if self.half.read_buf(self.framer.buffer_mut()).await? == 0 {
                bail!("the server ended the connection");
            }
        }
    }
}

impl Raw {
    async fn open(port: u16, ca: Option<&PathBuf>, user: &str) -> Result<Self> {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
        tcp.set_nodelay(true)?;
        let wire: Box<dyn Wire> = match ca {
            None => Box::new(tcp),
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                for certificate in CertificateDer::pem_file_iter(ca)? {
                    roots.add(certificate?)?;
                }
                let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
                let name = ServerName::try_from("localhost")?;
                Box::new(TlsConnector::from(Arc::new(config)).connect(name, tcp).await?)
            }
        };
        let (half, writer) = split(wire);
        let mut raw =
            Self { reader: Reader { half, framer: Framer::new(ResponseLimits::default()) }, writer };
        raw.command(&format!("L LOGIN {user} {}\r\n", mailhaul_testkit::Dovecot::password(user)), "L")
            .await?;
        Ok(raw)
    }

    async fn command(&mut self, text: &str, tag: &str) -> Result<u64> {
        self.writer.write_all(text.as_bytes()).await?;
        self.writer.flush().await?;
        self.reader.until(tag).await
    }
}

fn quoted(folder: &str) -> String {
    format!("\"{}\"", String::from_utf8_lossy(MailboxName::from_text(folder).as_wire()))
}

/// Reads and writes. Returns the seconds. Folders are created before.
pub(crate) fn run(floor: &Floor) -> Result<f64> {
    let items: Arc<Vec<Item>> = Arc::new(profile::read(&floor.corpus)?);
    let floor = Arc::new(floor.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        for user in &floor.target_user {
            make_folders(&floor, user, &items).await?;
        }
        let begun = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for user in floor.target_user.clone() {
            let (floor, items) = (floor.clone(), items.clone());
            tasks.spawn(async move { fill(&floor, &user, &items).await });
        }
        for user in floor.source_user.clone() {
            let (floor, items) = (floor.clone(), items.clone());
            tasks.spawn(async move { drain(&floor, &user, &items).await });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(begun.elapsed().as_secs_f64())
    })
}

fn folders(items: &[Item]) -> Vec<&str> {
    let mut folders: Vec<&str> = items.iter().map(|it| it.folder.as_str()).collect();
    folders.dedup();
    folders
}

/// Creates the folders from one connection, and INBOX by a SELECT.
///
/// Dovecot 2.3 can fail if several connections begin in a new mailbox.
async fn make_folders(floor: &Floor, user: &str, items: &[Item]) -> Result<()> {
    let mut raw = Raw::open(floor.target, floor.ca.as_ref(), user).await?;
    raw.command("S SELECT INBOX\r\n", "S").await?;
    for folder in folders(items).into_iter().filter(|it| *it != "INBOX") {
        raw.writer.write_all(format!("C STATUS {} (MESSAGES)\r\n", quoted(folder)).as_bytes()).await?;
        // An existing folder is no error.
        if raw.command("", "C").await.is_err() {
            raw.command(&format!("C CREATE {}\r\n", quoted(folder)), "C").await?;
        }
    }
    raw.command("Z LOGOUT\r\n", "Z").await.map(drop)
}

async fn fill(floor: &Floor, user: &str, items: &[Item]) -> Result<()> {
    let Raw { mut reader, mut writer } = Raw::open(floor.target, floor.ca.as_ref(), user).await?;
    let writing = async {
        let mut waiting = Vec::with_capacity(2 * CHUNK);
        let mut in_command = 0;
        for (index, item) in items.iter().enumerate() {
            if in_command == 0 {
                waiting.extend_from_slice(format!("A{index} APPEND {}", quoted(&item.folder)).as_bytes());
            }
            let mut head = String::new();
            write!(head, " ({}) \"{}\" {{{}+}}\r\n", item.flags, item.date, item.octets.len())?;
            waiting.extend_from_slice(head.as_bytes());
            // Large bodies are sent without a copy.
            if waiting.len() + item.octets.len() >= CHUNK {
                writer.write_all(&waiting).await?;
                waiting.clear();
            }
            if item.octets.len() >= CHUNK {
                writer.write_all(&item.octets).await?;
            } else {
                waiting.extend_from_slice(&item.octets);
            }
            in_command += 1;
            let goes_on = items.get(index + 1).is_some_and(|next| next.folder == item.folder);
            if in_command == floor.batch || !goes_on {
                waiting.extend_from_slice(b"\r\n");
                in_command = 0;
            }
        }
        waiting.extend_from_slice(b"Z LOGOUT\r\n");
        writer.write_all(&waiting).await?;
        writer.flush().await?;
        anyhow::Ok(())
    };
    let (written, read) = tokio::join!(writing, reader.until("Z"));
    written?;
    read.context("filling").map(drop)
}

async fn drain(floor: &Floor, user: &str, items: &[Item]) -> Result<()> {
    let port = floor.source.context("--source is missing")?;
    let mut raw = Raw::open(port, floor.ca.as_ref(), user).await?;
    let mut commands = String::new();
    for folder in folders(items) {
        write!(
            commands,
            "X EXAMINE {}\r\nY FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])\r\n",
            quoted(folder)
        )?;
    }
    raw.command(&(commands + "Z LOGOUT\r\n"), "Z").await.context("draining").map(drop)
}
