//! A skipped message, found again on the source.

use mailhaul_engine::Mailbox as _;
use mailhaul_migration::Guid;
use mailhaul_operations::Failure;
use mailhaul_remotes::ImapMailbox;
use mailhaul_store::SkippedMessage;

use super::{
    message_reading::{MessageSink, read},
    saved_messages::Saving,
};
use crate::{context::Context, ops::shared::failures::into_failure};

/// Messages of a user that are looked through at once.
const PART: u32 = 1000;

/// The open source mailbox of a user, with one of the messages that its last pass skipped.
pub(crate) struct SkippedSource {
    mailbox: ImapMailbox,
    message: SkippedMessage,
}

impl SkippedSource {
    /// Finds a message that was skipped, and opens its mailbox.
    pub(crate) async fn find(
        context: &Context,
        identity: &str,
        folder: &str,
        uid: u32,
    ) -> Result<Self, Failure> {
        let user = context.store.users().get(identity, None).await.map_err(into_failure)?;
        let message = skipped(context, user.guid, folder, uid).await?.ok_or_else(|| {
            Failure::not_found(format_args!(
                "the last sync of {identity} skipped no message with the UID {uid} in \"{}\"",
                folder.escape_debug()
            ))
            .with_advice("Get-MigrationSkippedItem lists the messages.")
        })?;
        let service_context = context.service_context();
        let mailbox =
            async { service_context.source(&user, &service_context.route(&user).await?).await }.await;
        Ok(Self { mailbox: mailbox.map_err(Failure::unavailable)?, message })
    }

    /// Name of a file for the message.
    pub(crate) fn file_name(&self) -> String {
        format!("{}-{}.eml", Saving::safe(&self.message.folder), self.message.uid)
    }

    /// Reads the message to its end. The source is only read.
    pub(crate) async fn read(mut self, sink: &mut impl MessageSink) -> Result<(), String> {
        let read = read(&mut self.mailbox, &self.message, sink).await;
        self.mailbox.close().await;
        read
    }
}

async fn skipped(
    context: &Context,
    user: Guid,
    folder: &str,
    uid: u32,
) -> Result<Option<SkippedMessage>, Failure> {
    let mut after = None;
    loop {
        let page = context.store.reports().skipped_messages(user, after, PART).await.map_err(into_failure)?;
        let found = page.items.into_iter().find(|it| it.uid == uid && it.folder == folder);
        if found.is_some() || page.next.is_none() {
            return Ok(found);
        }
        after = page.next;
    }
}
