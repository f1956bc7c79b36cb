//! Transfer of messages in windows: intents before the effect, outcomes as the answers come.
//!
//! Three stages run in one task. The source writes parts into the pipe. The target pulls parts from [`WindowFeed`],
//! which writes a window's intents before it returns the window's first message, and hashes the bytes. The recorder
//! takes the target's answers, and writes all that have come in one durable step.

pub(crate) mod context;
pub(crate) mod pipe;
pub(crate) mod recorder;
pub(crate) mod window_feed;

use std::sync::OnceLock;

use mailhaul_mail::{Scope, Uid};
use tokio::sync::mpsc;

use crate::{
    error::Error,
    folder::MessageInfo,
    folder_sync::flag_changes::EarlyFlagChanges,
    ledger_state::FolderState,
    ports::{Clock, Ledger, Progress, Source, Target, WantedMessage},
    transfer::{
        context::TransferContext,
        pipe::{Acks, pipe},
        recorder::{Recorder, Transferred},
        window_feed::WindowFeed,
    },
};

/// Transfers the messages in this order, at most `context.batch` in one command.
///
/// On an error, acknowledged messages are recorded; the rest stays intended in the ledger, for recovery. Messages with
/// a known target UID are in the ledger alone afterwards, not in the state. Flags are changed while the target waits
/// for the first bodies.
pub(crate) async fn transfer<S: Source, T: Target, L: Ledger, P: Progress, C: Clock>(
    source: &mut S,
    target: &mut T,
    context: &TransferContext<'_, L, P, C>,
    state: &mut FolderState,
    messages: &[&MessageInfo],
    early: &mut EarlyFlagChanges,
) -> (Transferred, Result<(), Error>) {
    let folder = state.record.folder.clone();
    let wanted: Vec<WantedMessage> =
        messages.iter().map(|it| WantedMessage { uid: it.uid, size: it.size }).collect();
    let (outlet, inlet) = pipe(context.budget);
    let (events, mut arriving) = mpsc::unbounded_channel();
    let halted = OnceLock::new();
    let feed = WindowFeed::new(context, &halted, &folder, inlet, messages, events.clone());
    let mut recorder = Recorder::new(context, state, messages);
    let fetching = source.fetch(&folder, &wanted, outlet);
    let appending = async {
        Box::pin(early.send(target, context.target_folder)).await?;
        Box::pin(target.append(context.target_folder, context.batch, feed, Acks(events))).await
    };
    let (fetched, appended, written) = futures_util::join!(fetching, appending, recorder.run(&mut arriving));
    let mut done = recorder.into_transferred();
    // An error of the ledger stops the pass. An error of the source explains that of the target (an incomplete body).
    let result = written.and_then(|()| match (fetched, appended) {
        (Ok(missing), appended) => {
            done.missing = missing;
            appended.map_err(|error| said_before(error, &done.refused))
        }
        (Err(error), _) => Err(error),
    });
    (done, result.and_then(|()| halted.into_inner().map_or(Ok(()), Err)))
}

/// Prefers a request for a delay to the disconnect that followed it.
fn said_before(error: Error, refused: &[(Vec<Uid>, Error)]) -> Error {
    let mut refusals = refused.iter().map(|(_, refusal)| refusal);
    let asked = refusals.rfind(|it| it.scope > Scope::Session);
    asked.filter(|_| error.scope == Scope::Session).cloned().unwrap_or(error)
}
