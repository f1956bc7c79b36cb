//! Waits until nothing more arrives in a folder of the target.

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    ports::{Clock, Mailbox},
};
use mailhaul_mail::{FolderPath, Scope};
use std::time::Duration;

/// So long nothing must arrive.
const QUIET_TIME: Duration = Duration::from_secs(1);

/// So often is looked at most.
const MAX_STATUS_POLLS: u32 = 10;

/// Waits until nothing more arrives in a folder of the target. A connection that broke, or a process that was killed,
/// leaves commands on the wire, and the server carries them out when we have looked already: what it takes in then
/// would be sent twice.
pub(crate) async fn wait_until_quiet<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    folder: &FolderPath,
) -> Result<(), Error> {
    let mut before = None;
    for _ in 0..MAX_STATUS_POLLS {
        let now = match cx.target.status(folder).await {
            Err(error) if error.scope <= Scope::Folder => return Ok(()),
            other => other?,
        };
        if before == Some((now.uid_next, now.messages)) {
            return Ok(());
        }
        before = Some((now.uid_next, now.messages));
        tokio::select! {
            () = cx.clock.sleep(QUIET_TIME) => {}
            () = cx.stop.cancelled() => return Err(Error::interrupted()),
        }
    }
    // Somebody else delivers mail there all the time; what was ours has arrived long ago.
    Ok(())
}
