//! Tools that fill mailboxes, and compare them message by message.

use std::collections::BTreeMap;

use mailhaul_imap::{
    AppendHead, BeginOutcome, ConnectOptions, Connection, Credentials, ErrorKind, FetchEvent, ListQuery,
    MailboxName, Security, SelectOptions, Session, response::Fetch,
};
use mailhaul_mail::{Flags, InternalDate, Secret, Uid, UidSet};

/// One message. Equal values are the same message for all clients.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// BLAKE3 of the whole message, in hexadecimal digits.
    pub digest: String,
    /// Size in bytes.
    pub size: u64,
    /// Flags and keywords, sorted.
    pub flags: String,
    /// INTERNALDATE as sent.
    pub date: String,
}

impl Message {
    /// The message that a server shows for these bytes and flags. The form of the date may differ.
    pub fn new(octets: &[u8], flags: &Flags, date: String) -> Self {
        let digest = blake3::hash(octets).to_hex().to_string();
        Self { digest, size: octets.len() as u64, flags: flags.to_string(), date }
    }
}

/// One folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// True if the user has subscribed it.
    pub subscribed: bool,
    /// Messages in the order of their UIDs.
    pub messages: Vec<Message>,
}

/// All folders with messages, by their names as text.
pub type Mailbox = BTreeMap<String, Folder>;

/// Logs in without TLS.
pub async fn connect(port: u16, user: &str, password: &str) -> Session {
    let options = ConnectOptions::new("127.0.0.1", port, Security::Clear);
    let connection = Connection::open(&options).await.unwrap();
    connection.authenticate(&Credentials::password(user, Secret::new(password))).await.unwrap()
}

/// Appends messages with pipelining, and creates the folder if it is missing. All must be accepted.
pub async fn fill(
    session: &mut Session,
    folder: &str,
    messages: impl IntoIterator<Item = (Vec<u8>, Flags, InternalDate)>,
) {
    let refused = offer(session, folder, messages).await;
    assert!(refused.is_empty(), "{refused:?}");
}

/// Appends messages as [`fill`] does. Returns the indexes of the refused ones, with the server's answers.
pub async fn offer(
    session: &mut Session,
    folder: &str,
    messages: impl IntoIterator<Item = (Vec<u8>, Flags, InternalDate)>,
) -> Vec<(usize, String)> {
    let name = MailboxName::from_text(folder);
    if !name.is_inbox() {
        match session.create(&name).await {
            Err(error) if error.kind == ErrorKind::AlreadyExists => {}
            other => other.unwrap(),
        }
    }
    let (mut sink, mut replies) = session.append_pipeline(&name).await.unwrap();
    let sending = async move {
        for (octets, flags, date) in messages {
            let head = AppendHead { flags: &flags, date: Some(date), length: octets.len() as u64 };
            if sink.begin(&head).await.unwrap() == BeginOutcome::Ready {
                sink.write(&octets).await.unwrap();
                sink.end_message().unwrap();
                sink.end_command();
            }
        }
        sink.flush().await.unwrap();
    };
    let reading = async move {
        let (mut place, mut refused) = (0, Vec::new());
        while let Some(reply) = replies.next().await.unwrap() {
            refused.extend(reply.outcome().err().map(|error| (place, error.to_string())));
            place += 1;
        }
        refused
    };
    tokio::join!(sending, reading).1
}

/// Reads everything in the mailbox, without changes.
pub async fn snapshot(session: &mut Session) -> Mailbox {
    let mut mailbox = Mailbox::new();
    let everything = ListQuery::default();
    let all = session.list(&everything).await.unwrap();
    let subscribed_names = if session.list_tells_subscriptions() {
        Vec::new()
    } else {
        // A folder that exists only above others is \Noselect (RFC 3501, section 6.3.9).
        let found = session.lsub(&everything).await.unwrap();
        found.into_iter().filter(|it| !it.has("\\Noselect")).map(|it| it.name).collect()
    };
    for listed in all {
        if listed.item.has("\\Noselect") || listed.item.has("\\NonExistent") {
            continue;
        }
        let name = listed.item.name.clone();
        let mut selected = session.examine(&name, &SelectOptions::default()).await.unwrap();
        let mut found: BTreeMap<Uid, Message> = BTreeMap::new();
        if selected.data().exists > 0 {
            let all = UidSet::range(Uid::FIRST, Uid::new(u32::MAX).unwrap());
            let mut stream = selected.fetch_stream().await.unwrap();
            stream.send(&all, "(UID FLAGS INTERNALDATE BODY.PEEK[])").unwrap();
            let mut body = Body::default();
            while let Some(event) = stream.next().await.unwrap() {
                match event {
                    FetchEvent::BodyStart { .. } => body = Body::default(),
                    FetchEvent::BodyChunk(octets) => body.add(&octets),
                    FetchEvent::Message(fetch) => {
                        if let Some(octets) = fetch.inline("") {
                            body = Body::default();
                            body.add(octets);
                        }
                        found.extend(message(&fetch, &body));
                    }
                    _ => {}
                }
            }
        }
        let subscribed = listed.item.has("\\Subscribed") || subscribed_names.contains(&name);
        let folder = Folder { subscribed, messages: found.into_values().collect() };
        mailbox.insert(name.to_text(), folder);
    }
    mailbox
}

/// Digest and size of a body that arrives in chunks.
#[derive(Default)]
struct Body {
    hasher: blake3::Hasher,
    size: u64,
}

impl Body {
    fn add(&mut self, octets: &[u8]) {
        self.hasher.update(octets);
        self.size += octets.len() as u64;
    }
}

fn message(fetch: &Fetch, body: &Body) -> Option<(Uid, Message)> {
    let message = Message {
        digest: body.hasher.finalize().to_hex().to_string(),
        size: body.size,
        flags: fetch.flags.as_ref()?.to_string(),
        date: fetch.internal_date_text.clone()?,
    };
    Some((fetch.uid?, message))
}

/// Describes the differences of two mailboxes; empty if they are equal. Messages are compared as multisets.
pub fn differences(source: &Mailbox, target: &Mailbox) -> Vec<String> {
    let mut differences = Vec::new();
    for name in source.keys().chain(target.keys().filter(|it| !source.contains_key(*it))) {
        let (Some(one), Some(other)) = (source.get(name), target.get(name)) else {
            differences.push(format!("{name}: is on one side only"));
            continue;
        };
        if one.subscribed != other.subscribed {
            differences.push(format!("{name}: subscribed {} -> {}", one.subscribed, other.subscribed));
        }
        let mut counts: BTreeMap<&Message, i64> = BTreeMap::new();
        one.messages.iter().for_each(|it| *counts.entry(it).or_default() += 1);
        other.messages.iter().for_each(|it| *counts.entry(it).or_default() -= 1);
        for (message, count) in counts.into_iter().filter(|(_, count)| *count != 0) {
            let what = if count > 0 { "missing" } else { "surplus" };
            differences.push(format!("{name}: {what} {}: {message:?}", count.abs()));
        }
    }
    differences
}
