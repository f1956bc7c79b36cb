//! Copies one mailbox from one server to another as a stream. Passwords are read from the environment; certificates are
//! not verified, for the example is meant for servers on the same machine.
//!
//! ```text
//! FROM_PASSWORD=... TO_PASSWORD=... cargo run --example copy -- HOST:PORT USER MAILBOX HOST:PORT USER MAILBOX [compress]
//! ```

#![expect(clippy::print_stdout, reason = "that is what the example is for")]

use std::{env, error::Error as StdError, time::Instant};

use mailhaul_imap::{
    AppendHead, AppendReplies, AppendSink, BeginOutcome, ConnectOptions, Connection, Credentials, Error,
    FetchEvent, FetchStream, MailboxName, Security, SelectOptions, Session, split_uids,
};
use mailhaul_mail::{Flags, Secret, Uid, UidSet};

type Failure = Box<dyn StdError + Send + Sync>;

async fn open(place: &str, user: &str, secret: Secret) -> Result<Session, Failure> {
    let (host, port) = place.rsplit_once(':').ok_or("HOST:PORT is needed")?;
    let mut options = ConnectOptions::new(host, port.parse()?, Security::StartTls);
    options.tls.accept_untrusted = true;
    Ok(Connection::open(&options).await?.authenticate(&Credentials::password(user, secret)).await?)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [from, from_user, from_name, to, to_user, to_name, rest @ ..] = arguments.as_slice() else {
        return Err("usage: copy HOST:PORT USER MAILBOX HOST:PORT USER MAILBOX [compress]".into());
    };
    let mut source = open(from, from_user, Secret::new(env::var("FROM_PASSWORD")?)).await?;
    let mut target = open(to, to_user, Secret::new(env::var("TO_PASSWORD")?)).await?;
    if rest.first().is_some_and(|word| word == "compress") {
        source.compress().await?;
        target.compress().await?;
    }
    let (from_name, to_name) = (MailboxName::from_text(from_name), MailboxName::from_text(to_name));
    let mut selected = source.examine(&from_name, &SelectOptions::default()).await?;
    let last = selected.data().uid_next.map_or(u32::MAX, |uid| uid.get() - 1);
    let everything = UidSet::range(Uid::FIRST, Uid::new(last).unwrap_or(Uid::FIRST));
    let mut sizes = UidSet::new();
    selected.uid_fetch(&everything, "(UID)", |fetch| sizes.extend(fetch.uid)).await?;

    let started = Instant::now();
    let mail = selected.fetch_stream().await?;
    let (sink, replies) = target.append_pipeline(&to_name).await?;
    let (sent, refused) = tokio::join!(relay(mail, &sizes, sink), count_refused(replies));
    let (messages, octets) = sent?;
    println!(
        "{messages} messages, {octets} octets in {:?}; {} refused commands",
        started.elapsed(),
        refused?
    );
    source.logout().await?;
    target.logout().await?;
    Ok(())
}

/// Sends each body on as it comes.
async fn relay(
    mut mail: FetchStream<'_>,
    uids: &UidSet,
    mut sink: AppendSink<'_>,
) -> Result<(u64, u64), Error> {
    let (mut messages, mut octets, mut is_ready) = (0, 0, false);
    let flags = Flags::new();
    for piece in split_uids(uids, 500) {
        mail.send(&piece, "(UID BODY.PEEK[])")?;
    }
    while let Some(event) = mail.next().await? {
        match event {
            FetchEvent::BodyStart { length, .. } => {
                is_ready = sink.begin(&AppendHead { flags: &flags, date: None, length }).await?
                    == BeginOutcome::Ready;
            }
            FetchEvent::BodyChunk(chunk) if is_ready => {
                sink.write(&chunk).await?;
                octets += chunk.len() as u64;
            }
            FetchEvent::BodyEnd if is_ready => sink.end_message()?,
            FetchEvent::Message(message) => {
                if let Some(body) = message.inline("") {
                    let head = AppendHead { flags: &flags, date: None, length: body.len() as u64 };
                    if sink.begin(&head).await? == BeginOutcome::Ready {
                        sink.write(body).await?;
                        sink.end_message()?;
                        octets += body.len() as u64;
                    }
                }
                messages += 1;
                if messages % 50 == 0 || !sink.is_multi() {
                    sink.end_command();
                }
            }
            _ => {}
        }
    }
    sink.end_command();
    sink.flush().await?;
    Ok((messages, octets))
}

async fn count_refused(mut replies: AppendReplies<'_>) -> Result<usize, Error> {
    let mut refused = 0;
    while let Some(reply) = replies.next().await? {
        refused += usize::from(reply.outcome().is_err());
    }
    Ok(refused)
}
