//! Two answers about the number of messages in a folder must agree: STATUS and EXAMINE.

use mailhaul_mail::{Retry, Scope, UidSet};

use crate::{
    error::{Error, ErrorKind},
    folder::{FolderStatus, Present, Scan},
    pass::Pass,
    ports::{Clock, Ledger, Progress, Source, Target},
    work::Work,
};

/// True if STATUS counts more messages than a scan showed, and no new message explains it.
fn contradicts(status: &FolderStatus, scanned: &FolderStatus) -> bool {
    status.uid_validity == scanned.uid_validity
        && status.messages > scanned.messages
        && status.uid_next == scanned.uid_next
}

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// The scan, if the server counts no more messages than it showed. Fewer messages than were listed are usual in a mailbox
    /// that is in use: STATUS is asked once more, and the folder is scanned once more where both still differ. Where they
    /// always do, what is shown is copied, nothing counts as gone, and the folder fails.
    pub(crate) async fn check_count(&mut self, work: &Work, scan: Scan) -> Result<Scan, Error> {
        if u64::from(scan.status.messages) >= work.listed() || scan.incomplete.is_some() {
            return Ok(scan);
        }
        let told = self.source.status(&work.source).await?;
        if !contradicts(&told, &scan.status) {
            return Ok(scan);
        }
        let mut scan = self.source.scan(&work.source, None).await?;
        let told = self.source.status(&work.source).await?;
        if contradicts(&told, &scan.status) && scan.incomplete.is_none() {
            scan.present = Present::AllBut(UidSet::new());
            scan.incomplete = Some(format!(
                "the server counts {} messages (STATUS) and shows {} when the folder is opened",
                told.messages, scan.status.messages
            ));
        }
        Ok(scan)
    }

    /// An error if the target counts more messages than it shows: what seems to lack may be there.
    pub(crate) async fn check_target_count(&mut self, work: &Work) -> Result<(), Error> {
        let scan = self.target.scan(&work.target, None).await?;
        let told = self.target.status(&work.target).await?;
        if !contradicts(&told, &scan.status) {
            return Ok(());
        }
        let words = format!(
            "the target counts {} messages (STATUS) and shows {} when the folder is opened",
            told.messages, scan.status.messages
        );
        Err(Error::new(Scope::Folder, Retry::Never, ErrorKind::Protocol, words))
    }
}
