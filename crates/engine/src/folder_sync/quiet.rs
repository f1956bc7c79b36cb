//! Waits until nothing more arrives in a folder of the target.

use std::time::Duration;

use mailhaul_mail::{FolderPath, Scope};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    ports::{Clock, Mailbox},
};

/// The target folder must be unchanged for this long.
const QUIET_TIME: Duration = Duration::from_secs(1);

/// Maximum number of polls.
const MAX_STATUS_POLLS: u32 = 10;

/// Waits until nothing more arrives in a folder of the target.
///
/// Crash safety: a broken connection or a killed process leaves commands on the wire. The server may execute them
/// after the folder was read, and their messages would be sent twice.
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
    // Other mail arrives there all the time; our own messages arrived long ago.
    Ok(())
}
