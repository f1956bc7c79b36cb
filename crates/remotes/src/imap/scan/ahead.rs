//! Scans several folders in one round trip, before the engine asks for each of them.

use std::sync::Arc;

use mailhaul_engine::{Cursor, Error, FolderStatus, Scan};
use mailhaul_imap::{ChangedMailbox, ChangesQuery};
use mailhaul_mail::{FolderPath, Scope};

use crate::imap::{
    mailbox::ImapMailbox,
    scan::{SCAN_ITEMS, ScanAnswers, Since, changes_of_one, dates::undated, until_the_end},
};

/// Maximum number of folders in one round trip. Bounds the answers that the server has under way.
const TOGETHER: usize = 16;

/// A folder to scan ahead.
struct FolderRequest {
    folder: FolderPath,
    cursor: Cursor,
    since: Since,
}

impl ImapMailbox {
    /// Scans folders since their cursors, several in one round trip. A folder with an incomplete answer is scanned again
    /// when the engine asks for it.
    pub(crate) async fn look_ahead(&mut self, folders: &[(FolderPath, Cursor)]) -> Result<(), Error> {
        self.prefetched.clear();
        self.begin().await?;
        if !self.can_look_ahead().await? {
            return Ok(());
        }
        let requests: Vec<FolderRequest> =
            folders.iter().filter_map(|(folder, cursor)| self.request_for(folder, cursor)).collect();
        for group in requests.chunks(TOGETHER) {
            if !self.ask_together(group).await? {
                break;
            }
        }
        Ok(())
    }

    /// True if the server sends VANISHED and `[CLOSED]` (RFC 7162), and does not disconnect after some refusals. `[CLOSED]`
    /// separates the answers of two folders.
    async fn can_look_ahead(&mut self) -> Result<bool, Error> {
        let is_plain = self.labels.is_none() && self.choice.profile.allowance(0).is_none();
        let session = self.session().await?;
        let tells_all = session.has_enabled("QRESYNC") && session.capabilities().message_limit().is_none();
        Ok(is_plain && tells_all && !self.prefetched.is_refused)
    }

    /// Returns the request, unless a known fact excludes it: another UIDVALIDITY, earlier broken scans.
    fn request_for(&self, folder: &FolderPath, cursor: &Cursor) -> Option<FolderRequest> {
        let is_same = self.numbering.validity(folder).is_none_or(|it| it == cursor.status.uid_validity);
        let is_usual = is_same
            && !self.numbering.is_selected_to_read(folder)
            && !self.culprits.breaks_scans(&self.numbered(folder));
        let since = Since::new(cursor).filter(|_| is_usual)?;
        Some(FolderRequest { folder: folder.clone(), cursor: *cursor, since })
    }

    /// Scans the folders of one group. Returns false if the others must be scanned alone.
    async fn ask_together(&mut self, group: &[FolderRequest]) -> Result<bool, Error> {
        let queries: Vec<ChangesQuery> = group
            .iter()
            .map(|it| ChangesQuery {
                name: self.wire(&it.folder),
                uids: until_the_end(),
                since: it.since.modseq(),
            })
            .collect();
        let count = Arc::clone(&self.scanned);
        let mut found: Vec<ScanAnswers<'_>> =
            group.iter().map(|_| ScanAnswers::new(None).counted_by(&count)).collect();
        let answers = self.session().await?.changes_of_many(&queries, SCAN_ITEMS, |index, fetch| {
            found[index].take(&fetch);
        });
        let answers = match answers.await {
            Ok(answers) => answers,
            // Scanning each folder alone shows which one is the reason.
            Err(error) if error.scope <= Scope::Session => {
                self.prefetched.is_refused = true;
                self.session = None;
                return Ok(false);
            }
            Err(error) => return Err(self.explain(error)),
        };
        for ((request, found), answers) in group.iter().zip(found).zip(answers) {
            let scan = answers.ok().and_then(|mailbox| scan_of(request, found, mailbox));
            if let Some(scan) = scan {
                self.prefetched.add(request.folder.clone(), request.cursor, scan);
            }
        }
        Ok(true)
    }
}

/// Returns the scan of a folder if the answer is complete.
fn scan_of(request: &FolderRequest, found: ScanAnswers<'_>, mailbox: ChangedMailbox) -> Option<Scan> {
    let data = &mailbox.data;
    let uid_validity = data.uid_validity.filter(|it| *it == request.cursor.status.uid_validity)?;
    if data.uid_not_sticky || data.highest_modseq.is_none() {
        return None;
    }
    let (messages, uid_next, highest_modseq) = (data.exists, data.uid_next, data.highest_modseq);
    let status = FolderStatus { messages, uid_validity, uid_next, highest_modseq };
    let scanned = changes_of_one(found, request.since, mailbox)?;
    undated(&scanned.messages).is_empty().then(|| Scan::whole(status, scanned.messages, scanned.present))
}

#[cfg(test)]
mod tests {
    use mailhaul_engine::{Mailbox as _, Side};
    use mailhaul_imap::{ConnectOptions, Credentials, Security};
    use mailhaul_mail::{Flags, InternalDate, Secret};
    use mailhaul_testkit::fake::{Fake, Flow, Personality, VirtualClock, when};

    use super::*;
    use crate::{Account, Login};

    const FOLDERS: [&str; 2] = ["INBOX", "Sent"];

    fn path(folder: &str) -> FolderPath {
        FolderPath::new(folder.split('/').map(str::to_owned))
    }

    fn add(server: &Fake, folder: &str, number: u32) {
        let text = format!("Message-ID: <{number}@example.net>\r\n\r\nnumber {number}\r\n");
        let date = InternalDate::new(1_600_000_000 + i64::from(number), 0).unwrap();
        server.with("terrya", |it| it.add(folder, text.into_bytes(), Flags::new(), date));
    }

    fn source(server: &Fake) -> ImapMailbox {
        ImapMailbox::new(Account {
            side: Side::Source,
            options: ConnectOptions::new("127.0.0.1", server.port, Security::Clear),
            login: Login::Password(Credentials::password("terrya", Secret::new("pw"))),
            user_root: None,
            profile: None,
        })
    }

    /// A server with two folders, each changed after its scan.
    async fn changed() -> (Fake, Vec<(FolderPath, Cursor)>) {
        let server = Fake::start(Personality::plain()).await;
        server.add_user("terrya", "pw", VirtualClock::default());
        server.with("terrya", |it| it.create("Sent"));
        for (folder, number) in FOLDERS.into_iter().flat_map(|it| (1..6).map(move |number| (it, number))) {
            add(&server, folder, number);
        }
        let mut cursors = Vec::new();
        let mut mailbox = source(&server);
        for folder in FOLDERS {
            let status = mailbox.scan(&path(folder), None).await.unwrap().status;
            cursors.push((path(folder), Cursor { status, skipped: 0, excluded: 0 }));
        }
        add(&server, "INBOX", 9);
        server.with("terrya", |it| {
            let flags: Flags = ["\\Seen"].into_iter().collect();
            it.set_flags("INBOX", 2, flags);
            it.remove("INBOX", 3);
            it.remove("Sent", 1);
        });
        (server, cursors)
    }

    /// Scans the folders ahead. Returns the scans, and the number of commands sent when they were asked for.
    async fn scanned(
        mailbox: &mut ImapMailbox,
        server: &Fake,
        cursors: &[(FolderPath, Cursor)],
    ) -> (Vec<Scan>, usize) {
        mailbox.scan_ahead(cursors).await.unwrap();
        let before = server.commands().len();
        let mut scans = Vec::new();
        for (folder, cursor) in cursors {
            scans.push(mailbox.scan(folder, Some(cursor)).await.unwrap());
        }
        (scans, server.commands().len() - before)
    }

    /// Scans the folders one after the other.
    async fn alone(server: &Fake, cursors: &[(FolderPath, Cursor)]) -> Vec<Scan> {
        let mut mailbox = source(server);
        let mut scans = Vec::new();
        for (folder, cursor) in cursors {
            scans.push(mailbox.scan(folder, Some(cursor)).await.unwrap());
        }
        scans
    }

    #[tokio::test]
    async fn folders_scanned_together_show_what_each_shows_alone() {
        let (server, cursors) = changed().await;
        let mut mailbox = source(&server);
        let (scans, commands) = scanned(&mut mailbox, &server, &cursors).await;
        assert_eq!(commands, 0, "nothing is request twice");
        assert_eq!(scans, alone(&server, &cursors).await);
        assert_eq!((scans[0].messages.len(), scans[1].messages.len()), (2, 0));
        // A scan is used once.
        let (folder, cursor) = &cursors[0];
        let before = server.commands().len();
        mailbox.scan(folder, Some(cursor)).await.unwrap();
        assert!(server.commands().len() > before);
    }

    #[tokio::test]
    async fn a_folder_with_another_uidvalidity_is_scanned_alone() {
        let (server, cursors) = changed().await;
        server.with("terrya", |it| it.renumber("INBOX"));
        let (scans, commands) = scanned(&mut source(&server), &server, &cursors).await;
        assert!(commands > 0);
        assert_ne!(scans[0].status.uid_validity, cursors[0].1.status.uid_validity);
        assert_eq!(scans, alone(&server, &cursors).await);
    }

    #[tokio::test]
    async fn a_refused_folder_does_not_spoil_the_scans_of_the_others() {
        let (server, cursors) = changed().await;
        server.lie(when("EXAMINE INBOX").once().answer("t NO not now"));
        let (scans, commands) = scanned(&mut source(&server), &server, &cursors).await;
        assert_eq!(commands, 2, "EXAMINE and FETCH of the refused one");
        assert_eq!(scans, alone(&server, &cursors).await);
    }

    #[tokio::test]
    async fn after_a_hangup_each_folder_is_scanned_alone() {
        let (server, cursors) = changed().await;
        server.lie(when("UID FETCH").once().answer_and("", Flow::HangUp));
        let mut mailbox = source(&server);
        let (scans, commands) = scanned(&mut mailbox, &server, &cursors).await;
        assert!(commands > 0);
        assert_eq!(scans, alone(&server, &cursors).await);
        let (_, again) = scanned(&mut mailbox, &server, &cursors).await;
        assert_eq!(again, 4, "not together any more");
    }
}
