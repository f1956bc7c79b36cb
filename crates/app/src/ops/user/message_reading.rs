//! Reads a message of a source mailbox.

use std::io;

use bytes::Bytes;
use mailhaul_engine::{Budget, Error, FetchedPart, Missing, PipeReader, Source as _, WantedMessage, pipe};
use mailhaul_mail::{FolderPath, Uid};
use mailhaul_remotes::ImapMailbox;
use mailhaul_store::SkippedMessage;

/// Bytes buffered between the source and the reader.
const BUDGET: u32 = 1 << 20;

/// Takes the bytes of a message.
pub(crate) trait MessageSink: Send {
    fn write(&mut self, octets: Bytes) -> impl Future<Output = io::Result<()>> + Send;
}

/// Reads one message of the source into the sink.
pub(super) async fn read(
    mailbox: &mut ImapMailbox,
    message: &SkippedMessage,
    sink: &mut impl MessageSink,
) -> Result<(), String> {
    let uid = Uid::new(message.uid).ok_or("it has no UID")?;
    let (outlet, inlet) = pipe(&Budget::new(BUDGET));
    let (folder, wanted) = (FolderPath::parse(&message.folder), [WantedMessage { uid, size: message.size }]);
    let fetching = mailbox.fetch(&folder, &wanted, outlet);
    let (missing, written) = tokio::join!(fetching, forward(inlet, sink));
    match missing.map_err(|error: Error| error.message)?.pop() {
        Some((_, Missing::Gone)) => Err("it is no longer on the source".to_owned()),
        Some((_, Missing::Withheld(words))) => Err(words),
        None if written.map_err(|error| format!("the file cannot be written: {error}"))? => Ok(()),
        None => Err("the source sent only a part of it".to_owned()),
    }
}

/// Forwards the message; returns false if it ended early.
async fn forward(mut inlet: PipeReader, sink: &mut impl MessageSink) -> io::Result<bool> {
    let mut is_whole = false;
    while let Some(piece) = inlet.next().await {
        match piece {
            FetchedPart::Message(_, octets) => {
                sink.write(octets).await?;
                is_whole = true;
            }
            FetchedPart::Start(..) => {}
            FetchedPart::Chunk(octets) => sink.write(octets).await?,
            FetchedPart::End => is_whole = true,
        }
    }
    Ok(is_whole)
}
