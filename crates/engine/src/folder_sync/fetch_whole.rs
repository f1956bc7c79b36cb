//! One message of the source, held whole in memory.

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::MessageInfo,
    folder_sync::job::FolderJob,
    ports::{Missing, Source, WantedMessage},
    transfer::pipe::{FetchedPart, pipe},
};

/// Size of the largest message that is edited, in bytes.
///
/// An edited message is held whole in memory, one in the process at a time. With its edited form, which may be three
/// times as large, this bounds the memory of repairs.
pub const MAX_REPAIRABLE_SIZE: u64 = 64 << 20;

/// The source's answer to a request for one message.
pub(crate) enum FetchedMessage {
    Whole(Vec<u8>),
    Missing(Missing),
    TooLarge,
}

pub(crate) async fn fetch_whole<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    message: &MessageInfo,
) -> Result<FetchedMessage, Error> {
    if message.size > MAX_REPAIRABLE_SIZE {
        return Ok(FetchedMessage::TooLarge);
    }
    let wanted = [WantedMessage { uid: message.uid, size: message.size }];
    let (outlet, mut inlet) = pipe(cx.budget);
    let collecting = async {
        let (mut octets, mut length, mut is_whole) = (Vec::new(), 0, false);
        let mut take = |more: &[u8]| {
            length += more.len() as u64;
            // The source may have announced a smaller size.
            if length <= MAX_REPAIRABLE_SIZE {
                octets.extend_from_slice(more);
            }
        };
        while let Some(piece) = inlet.next().await {
            match piece {
                FetchedPart::Message(_, body) => {
                    take(&body);
                    is_whole = true;
                }
                FetchedPart::Start(..) => {}
                FetchedPart::Chunk(more) => take(&more),
                FetchedPart::End => is_whole = true,
            }
        }
        (octets, length, is_whole)
    };
    let fetching = cx.source.fetch(&job.source, &wanted, outlet);
    let (missing, (octets, length, is_whole)) = futures_util::join!(fetching, collecting);
    Ok(match missing?.pop() {
        Some((_, missing)) => FetchedMessage::Missing(missing),
        None if length > MAX_REPAIRABLE_SIZE => FetchedMessage::TooLarge,
        None if is_whole => FetchedMessage::Whole(octets),
        None => return Err(Error::session("the source ended in the middle of a message")),
    })
}
