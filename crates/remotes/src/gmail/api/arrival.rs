//! Finds the UIDs of uploaded messages over IMAP.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use mailhaul_engine::{Ack, Acks, AppendedUids, Error};
use mailhaul_imap::Session;
use mailhaul_mail::{FolderPath, Uid, UidSet};

use super::client::Api;
use crate::imap::{mailbox::ImapMailbox, numbering::SelectMode};

/// Number of searches for a message that is not shown yet. The waits between them grow from one second.
const LOOKS: u32 = 4;

/// A message that the API took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UploadedMessage {
    /// UID on the source.
    pub(crate) uid: Uid,
    /// X-GM-MSGID.
    pub(crate) message: u64,
    /// True if flags must still be set.
    pub(crate) is_bare: bool,
}

/// Messages uploaded into one folder.
pub(crate) struct Arrivals {
    waiting: Vec<UploadedMessage>,
    /// Messages whose UID was reported. Twins on the source are one message on Gmail, which belongs to the
    /// first twin. Deleting the other twins on the source changes nothing on the target.
    told: HashSet<u64>,
    /// New messages have this UID or a greater one.
    from: Uid,
}

impl Arrivals {
    pub(crate) fn new(from: Uid) -> Self {
        Self { waiting: Vec::new(), told: HashSet::new(), from }
    }

    pub(crate) fn add(&mut self, uploaded: UploadedMessage) {
        self.waiting.push(uploaded);
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

impl ImapMailbox {
    /// Finds the uploaded messages and reports them. A message that is not shown counts as arrived: the
    /// engine looks for it later.
    pub(crate) async fn report_arrivals(
        &mut self,
        api: &Api,
        folder: &FolderPath,
        arrivals: &mut Arrivals,
        acks: &Acks,
    ) -> Result<(), Error> {
        if arrivals.waiting.is_empty() {
            return Ok(());
        }
        let mut found = HashMap::new();
        let looked = self.look_for(api, folder, arrivals, &mut found).await;
        if let Some(greatest) = found.values().max() {
            arrivals.from = Uid::new(greatest.get().saturating_add(1)).unwrap_or(*greatest);
        }
        let uid_validity =
            self.session.as_mut().and_then(Session::selected).and_then(|it| it.data().uid_validity);
        for UploadedMessage { uid, message, is_bare } in std::mem::take(&mut arrivals.waiting) {
            let place = uid_validity.zip(found.remove(&message)).filter(|_| arrivals.told.insert(message));
            let appended =
                place.map(|(uid_validity, uid)| AppendedUids { uid_validity, uids: UidSet::range(uid, uid) });
            acks.report(Ack { sent: vec![uid], result: Ok(appended), is_bare });
        }
        looked
    }

    async fn look_for(
        &mut self,
        api: &Api,
        folder: &FolderPath,
        arrivals: &Arrivals,
        found: &mut HashMap<u64, Uid>,
    ) -> Result<(), Error> {
        let wanted: HashSet<u64> =
            arrivals.waiting.iter().map(|it| it.message).filter(|it| !arrivals.told.contains(it)).collect();
        let Some(last) = Uid::new(u32::MAX) else { return Ok(()) };
        let uids = UidSet::range(arrivals.from, last);
        for look in 0..LOOKS {
            if found.len() == wanted.len() {
                break;
            }
            if look > 0 {
                api.pause(Duration::from_secs(1 << (look - 1))).await;
            }
            self.begin().await?;
            self.open(folder, SelectMode::Select).await?;
            // Makes the server show new messages of the open folder.
            let told = self.session().await?.noop().await;
            told.map_err(|error| self.explain_in(folder, error))?;
            let mut selected = self.selected()?;
            let fetched = selected
                .uid_fetch(&uids, "(UID X-GM-MSGID)", |fetch| {
                    if let (Some(uid), Some(message)) = (fetch.uid, fetch.gm_msgid)
                        && wanted.contains(&message)
                    {
                        found.insert(message, uid);
                    }
                })
                .await;
            fetched.map_err(|error| self.explain_in(folder, error))?;
        }
        Ok(())
    }
}
