//! Plays a transcript to a mailbox.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use mailhaul_engine::{
    Ack, AppendPart, Budget, Envelope, Error, Feed, FetchedPart, Missing, Source as _, Target as _,
    WantedMessage, acks, pipe,
};
use mailhaul_imap::Security;
use mailhaul_mail::{FolderPath, InternalDate, Uid};
use mailhaul_remotes::{Account, ImapMailbox, Login, Side};
use mailhaul_testkit::peer::{Lines, Peer, alice, peer, transcript};
use tokio::time::timeout;

/// A mailbox on a server that follows a transcript.
pub(crate) struct Play {
    pub(crate) mailbox: ImapMailbox,
    peer: Peer,
    lines: Arc<Lines>,
}

pub(crate) async fn source(name: &str) -> Play {
    play(name, Side::Source).await
}

pub(crate) async fn target(name: &str) -> Play {
    play(name, Side::Target).await
}

/// The same as [`source`], with STARTTLS.
pub(crate) async fn source_with_tls(name: &str) -> Play {
    play_over(Security::StartTls, name, Side::Source).await
}

async fn play(name: &str, side: Side) -> Play {
    play_over(Security::Clear, name, side).await
}

async fn play_over(security: Security, name: &str, side: Side) -> Play {
    let peer = peer(&transcript(name)).await;
    let options = peer.options(security);
    let account = Account { side, options, login: Login::Password(alice()), user_root: None, profile: None };
    let lines = Arc::clone(&peer.lines);
    Play { mailbox: ImapMailbox::new(account), peer, lines }
}

impl Play {
    /// Waits until the transcript was followed to its end. Returns the client's lines.
    pub(crate) async fn done(self) -> Vec<String> {
        drop(self.mailbox);
        // The script may wait for another connection that never comes.
        timeout(Duration::from_secs(30), self.peer.done()).await.expect("the transcript goes on");
        self.lines.all()
    }

    /// Appends messages, given as flags and text, to INBOX. Returns the outcome of each in words, and of
    /// all.
    pub(crate) async fn append(&mut self, messages: &[(&str, &str)]) -> (Vec<String>, Result<(), Error>) {
        self.append_from(1, messages).await
    }

    /// The same, with UIDs of the source from this one on.
    pub(crate) async fn append_from(
        &mut self,
        first: u32,
        messages: &[(&str, &str)],
    ) -> (Vec<String>, Result<(), Error>) {
        self.append_all(&FolderPath::inbox(), first, messages).await
    }

    /// The same into another folder.
    pub(crate) async fn append_to(
        &mut self,
        folder: &str,
        messages: &[(&str, &str)],
    ) -> (Vec<String>, Result<(), Error>) {
        self.append_all(&FolderPath::parse(folder), 1, messages).await
    }

    async fn append_all(
        &mut self,
        folder: &FolderPath,
        first: u32,
        messages: &[(&str, &str)],
    ) -> (Vec<String>, Result<(), Error>) {
        let message = |(number, (flags, text)): (u32, &(&str, &str))| {
            let envelope = Envelope {
                uid: uid(number),
                flags: flags.split_whitespace().collect(),
                internal_date: InternalDate::new(1_577_836_800, 0),
            };
            (envelope, Bytes::copy_from_slice(text.as_bytes()))
        };
        let feed = Messages::new((first..).zip(messages).map(message));
        let (acks, mut answers) = acks();
        let ended = self.mailbox.append(folder, 100, feed, acks).await;
        let mut told = Vec::new();
        while let Some(ack) = answers.next().await {
            told.push(words(&ack));
        }
        (told, ended)
    }

    /// Fetches messages of INBOX, given by their told sizes.
    pub(crate) async fn fetch(&mut self, sizes: &[u64]) -> Result<(Vec<String>, Vec<(Uid, Missing)>), Error> {
        let numbered: Vec<(u32, u64)> = (1..).zip(sizes.iter().copied()).collect();
        self.fetch_these(&numbered).await
    }

    /// The same for messages of these UIDs.
    pub(crate) async fn fetch_these(
        &mut self,
        messages: &[(u32, u64)],
    ) -> Result<(Vec<String>, Vec<(Uid, Missing)>), Error> {
        let wanted: Vec<WantedMessage> =
            messages.iter().map(|(number, size)| WantedMessage { uid: uid(*number), size: *size }).collect();
        let (outlet, mut inlet) = pipe(&Budget::new(1 << 20));
        let reading = async {
            let mut told = Vec::new();
            while let Some(piece) = inlet.next().await {
                match piece {
                    FetchedPart::Message(uid, body) => {
                        told.push(format!("{uid}: {}", String::from_utf8_lossy(&body)));
                    }
                    FetchedPart::Start(uid, length) => told.push(format!("{uid}: {length} follow")),
                    FetchedPart::Chunk(_) | FetchedPart::End => {}
                }
            }
            told
        };
        let inbox = FolderPath::inbox();
        let (missing, told) = tokio::join!(self.mailbox.fetch(&inbox, &wanted, outlet), reading);
        Ok((told, missing?))
    }
}

/// `1 2: 7:8` for messages that arrived, `1: NO words` for refused ones.
fn words(ack: &Ack) -> String {
    let sent: Vec<String> = ack.sent.iter().map(ToString::to_string).collect();
    let result = match &ack.result {
        Ok(Some(appended)) => format!("at {}", appended.uids),
        Ok(None) => "somewhere".to_owned(),
        Err(error) => format!("{}, {:?}, {:?}: {}", error.scope, error.kind, error.retry, error.message),
    };
    let bare = if ack.is_bare { ", bare" } else { "" };
    format!("{}: {result}{bare}", sent.join(" "))
}

pub(crate) fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

/// Larger messages come in pieces (bytes).
const WHOLE: usize = 30_000;

/// Messages, one after the other; large ones in pieces.
struct Messages(VecDeque<AppendPart>);

impl Messages {
    fn new(messages: impl IntoIterator<Item = (Envelope, Bytes)>) -> Self {
        let mut offers = VecDeque::new();
        for (envelope, body) in messages {
            if body.len() <= WHOLE {
                offers.push_back(AppendPart::Message(envelope, body));
                continue;
            }
            offers.push_back(AppendPart::Start(envelope, body.len() as u64));
            offers.extend(body.chunks(999).map(|it| AppendPart::Chunk(Bytes::copy_from_slice(it))));
            offers.push_back(AppendPart::End);
        }
        Self(offers)
    }
}

impl Feed for Messages {
    async fn next(&mut self) -> Result<Option<AppendPart>, Error> {
        Ok(self.0.pop_front())
    }

    fn is_ready(&self) -> bool {
        !self.0.is_empty()
    }
}
