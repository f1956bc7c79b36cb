//! Measurements: round trip and reading speed.

use std::time::Duration;

use mailhaul_imap::{Error, FetchEvent, MailboxName, SearchKey, SelectOptions, Session, response::Content};
use mailhaul_mail::UidSet;
use tokio::time::{Instant, timeout_at};

use crate::probe::findings::ReadRate;

/// Number of commands whose round trip is measured.
const ROUND_TRIPS: usize = 5;
/// Maximum time of the reading test.
const READ_TIME: Duration = Duration::from_secs(3);
/// Maximum bytes of the reading test.
const MAX_READ_BYTES: u64 = 32 << 20;
/// Messages per command.
const MESSAGES_PER_COMMAND: usize = 20;
/// Maximum number of unanswered commands.
const MAX_COMMANDS: usize = 4;

/// Measures the round trip of a command: the median.
pub(crate) async fn round_trip(session: &mut Session) -> Result<Duration, Error> {
    let mut times = Vec::with_capacity(ROUND_TRIPS);
    for _ in 0..ROUND_TRIPS {
        let begun = Instant::now();
        session.noop().await?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times[ROUND_TRIPS / 2])
}

/// Reads messages of a folder, oldest first, without marking them as read.
///
/// The session is unusable afterwards: answers may be outstanding.
pub(crate) async fn read(session: &mut Session, folder: &MailboxName) -> Result<ReadRate, Error> {
    let mut selected = session.examine(folder, &SelectOptions::default()).await?;
    let uids: Vec<_> = match selected.data().exists {
        0 => Vec::new(),
        _ => selected.uid_search(&[SearchKey::All]).await?.iter().collect(),
    };
    let mut pieces = uids.chunks(MESSAGES_PER_COMMAND).map(|piece| {
        piece.iter().fold(UidSet::new(), |mut set, uid| {
            set.insert(*uid);
            set
        })
    });
    let (mut messages, mut bytes) = (0, 0);
    let begun = Instant::now();
    let end = begun + READ_TIME;
    let mut stream = selected.fetch_stream().await?;
    while bytes < MAX_READ_BYTES {
        while stream.in_flight() < MAX_COMMANDS
            && let Some(piece) = pieces.next()
        {
            stream.send(&piece, "(UID BODY.PEEK[])")?;
        }
        let Ok(event) = timeout_at(end, stream.next()).await else { break };
        match event? {
            None => break,
            Some(FetchEvent::BodyChunk(chunk)) => bytes += chunk.len() as u64,
            Some(FetchEvent::Message(fetch)) if !fetch.sections.is_empty() => {
                messages += 1;
                bytes += fetch.sections.iter().map(|it| inline(&it.content)).sum::<u64>();
            }
            Some(_) => {}
        }
    }
    Ok(rate(folder.to_text(), messages, bytes, begun.elapsed()))
}

fn inline(content: &Content) -> u64 {
    match content {
        Content::Inline(octets) => octets.len() as u64,
        Content::Nil | Content::Streamed(_) => 0,
    }
}

fn rate(folder: String, messages: u64, bytes: u64, time: Duration) -> ReadRate {
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    let in_a_second = |it: u64| it.saturating_mul(1000) / milliseconds;
    ReadRate {
        folder,
        messages,
        bytes,
        milliseconds,
        messages_per_second: in_a_second(messages),
        bytes_per_second: in_a_second(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_per_second() {
        let rate_of = |messages, bytes, time| {
            let rate = rate("INBOX".to_owned(), messages, bytes, time);
            (rate.messages_per_second, rate.bytes_per_second)
        };
        assert_eq!(rate_of(300, 6_000_000, Duration::from_secs(3)), (100, 2_000_000));
        assert_eq!(rate_of(0, 0, Duration::ZERO), (0, 0));
    }
}
