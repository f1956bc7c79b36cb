//! Scans a folder although the server disconnects at one of its messages.

use std::sync::Arc;

use mailhaul_engine::Error;
use mailhaul_imap as imap;
use mailhaul_mail::{FolderPath, Retry, Scope};

use crate::imap::{
    culprits::is_break,
    mailbox::ImapMailbox,
    numbering::SelectMode,
    scan::{ScanAnswers, ScanResult, Since, changes, everything, incomplete},
};

/// Largest folder that fits into the memory of a scan.
const MOST_MESSAGES: u32 = 5_000_000;

impl ImapMailbox {
    /// Scans the open folder. After a broken connection the rest is requested in halves, until the message
    /// is found at which connections break.
    pub(crate) async fn look(
        &mut self,
        folder: &FolderPath,
        since: Option<Since>,
    ) -> Result<ScanResult, Error> {
        let exists = self.selected()?.data().exists;
        if exists > MOST_MESSAGES {
            let words = format!(
                "the server says that it holds {exists} messages; at most {MOST_MESSAGES} can be migrated"
            );
            return Err(self.explain_in(folder, incomplete(&words)));
        }
        let labels = self.labels.clone();
        let labels = labels.as_deref().map(|it| (it, folder));
        let (numbered, count) = (self.numbered(folder), Arc::clone(&self.scanned));
        if let Some(since) = since.filter(|_| !self.culprits.breaks_scans(&numbered)) {
            match changes(self.selected()?, since, ScanAnswers::new(labels).counted_by(&count)).await {
                Ok(Some(scanned)) => return Ok(scanned),
                Ok(None) => {}
                Err(error) => {
                    if is_break(&error) {
                        self.culprits.broke_scan(&numbered);
                    }
                    return Err(self.given_up(folder, error));
                }
            }
        }
        let mut found = ScanAnswers::new(labels).counted_by(&count);
        loop {
            let error = match everything(self.selected()?, &mut found).await {
                Ok(scanned) => {
                    self.culprits.scanned(&numbered);
                    return Ok(scanned);
                }
                Err(error) => error,
            };
            if !is_break(&error) || !self.culprits.broke_scan(&numbered) {
                return Err(self.given_up(folder, error));
            }
            self.session = None;
            let mut selected = self.open(folder, SelectMode::Examine).await?;
            let divided = found.halves.broke(&mut selected, &error).await;
            divided.map_err(|error| self.explain_in(folder, error))?;
        }
    }

    /// The error of a scan. Endless answers spoil only their folder: the others are migrated over another
    /// connection.
    fn given_up(&mut self, folder: &FolderPath, error: imap::Error) -> Error {
        if error.kind != imap::ErrorKind::Flood {
            return self.explain_in(folder, error);
        }
        self.session = None;
        self.explain_in(folder, imap::Error { scope: Scope::Folder, retry: Retry::Never, ..error })
    }
}
