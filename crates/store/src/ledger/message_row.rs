//! One row of the table `message`: the state of a message as columns, and the checksum over them.

use std::borrow::Cow;

use mailhaul_engine::{CopyRecord, MessageState, RepairRecord};
use mailhaul_mail::{Digest, Digests, Fingerprint, Uid};

use crate::{
    db::{
        checksum::{Cell, Checksum},
        columns::{octets, uid},
        error::Fault,
        sql::{Row, Value},
    },
    ledger::edited,
};

/// Values of the column `state`, one for each [`MessageState`].
pub(crate) mod state {
    pub(crate) const INTENDED: i64 = 0;
    pub(crate) const DONE: i64 = 1;
    pub(crate) const SKIPPED: i64 = 2;
}

/// Columns in the order of [`MessageRow::read`].
///
/// Step 8 added `arrived`, step 12 added `checksum`.
pub(crate) const COLUMNS: &str = "uid, state, target_uid, flags, pending_flags, fingerprint, digest_whole, digest_text, \
                                  size, ours, reason";

/// The values of one row without the folder's id and the checksum.
#[derive(Default)]
pub(crate) struct MessageRow<'a> {
    pub(crate) uid: i64,
    pub(crate) state: i64,
    pub(crate) target_uid: Option<i64>,
    pub(crate) flags: Option<Cow<'a, str>>,
    pub(crate) pending_flags: Option<Cow<'a, str>>,
    pub(crate) fingerprint: Option<[u8; 16]>,
    pub(crate) digest_whole: Option<[u8; 16]>,
    pub(crate) digest_text: Option<[u8; 16]>,
    pub(crate) size: Option<i64>,
    pub(crate) ours: Option<i64>,
    pub(crate) reason: Option<Cow<'a, str>>,
    pub(crate) arrived: Option<i64>,
}

impl<'a> MessageRow<'a> {
    /// The row of a message that is about to be sent.
    pub(crate) fn intended(uid: Uid) -> Self {
        Self { uid: uid.get().into(), state: state::INTENDED, ..Self::default() }
    }

    /// The row of a message in this state.
    pub(crate) fn new(uid: Uid, known: &'a MessageState) -> Self {
        match known {
            MessageState::Intended | MessageState::Repairing(_) => Self::intended(uid),
            MessageState::Skipped(reason) => Self {
                uid: uid.get().into(),
                state: state::SKIPPED,
                reason: Some(reason.into()),
                ..Self::default()
            },
            MessageState::Done(copied) => Self {
                uid: uid.get().into(),
                state: state::DONE,
                target_uid: copied.target_uid.map(|uid| uid.get().into()),
                flags: Some(copied.flags.to_string().into()),
                pending_flags: copied.pending_flags.as_ref().map(|flags| flags.to_string().into()),
                fingerprint: Some(*copied.fingerprint.as_bytes()),
                digest_whole: copied.digests.map(|digests| *digests.whole.as_bytes()),
                digest_text: copied.digests.map(|digests| *digests.text.as_bytes()),
                size: Some(copied.size.cast_signed()),
                ours: Some(copied.ours.into()),
                reason: None,
                arrived: copied.arrived,
            },
        }
    }

    /// Reads the values. Columns have numbers here: access by name would take most of the time.
    pub(crate) fn read(row: &'a Row) -> Result<Self, Fault> {
        let text = |column| Ok::<_, Fault>(row.try_get::<Option<&str>>(column)?.map(Cow::from));
        Ok(Self {
            uid: row.try_get(0)?,
            state: row.try_get(1)?,
            target_uid: row.try_get(2)?,
            flags: text(3)?,
            pending_flags: text(4)?,
            fingerprint: octets(row, 5)?,
            digest_whole: octets(row, 6)?,
            digest_text: octets(row, 7)?,
            size: row.try_get(8)?,
            ours: row.try_get(9)?,
            reason: text(10)?,
            arrived: row.try_get(11)?,
        })
    }

    /// Returns the values of all columns.
    pub(crate) fn into_values(self, folder: i64, checksum: i64) -> [Value; 14] {
        [
            folder.into(),
            self.uid.into(),
            self.state.into(),
            self.target_uid.into(),
            self.flags.map(Cow::into_owned).into(),
            self.pending_flags.map(Cow::into_owned).into(),
            self.fingerprint.into(),
            self.digest_whole.into(),
            self.digest_text.into(),
            self.size.into(),
            self.ours.into(),
            self.reason.map(Cow::into_owned).into(),
            self.arrived.into(),
            checksum.into(),
        ]
    }

    /// Computes the checksum of the row in this folder, with the message's edits.
    pub(crate) fn checksum(&self, folder: i64, edited: Option<&RepairRecord>) -> i64 {
        let mut checksum = Checksum::new("message");
        checksum.add("folder_id", Cell::Number(folder));
        checksum.add("uid", Cell::Number(self.uid));
        checksum.add("state", Cell::Number(self.state));
        checksum.add("target_uid", self.target_uid.map(Cell::Number));
        checksum.add("flags", self.flags.as_deref().map(Cell::Text));
        checksum.add("pending_flags", self.pending_flags.as_deref().map(Cell::Text));
        checksum.add("fingerprint", self.fingerprint.as_ref().map(|bytes| Cell::Bytes(bytes)));
        checksum.add("digest_whole", self.digest_whole.as_ref().map(|bytes| Cell::Bytes(bytes)));
        checksum.add("digest_text", self.digest_text.as_ref().map(|bytes| Cell::Bytes(bytes)));
        checksum.add("size", self.size.map(Cell::Number));
        checksum.add("ours", self.ours.map(Cell::Number));
        checksum.add("reason", self.reason.as_deref().map(Cell::Text));
        checksum.add("arrived", self.arrived.map(Cell::Number));
        checksum.add("edited", edited.map(|edited| Cell::Number(edited::checksum(edited))));
        checksum.finish()
    }

    /// Converts the values to a state.
    pub(crate) fn into_state(self, edited: Option<RepairRecord>) -> Result<MessageState, Fault> {
        let edited = edited.map(Box::new);
        match self.state {
            state::INTENDED => Ok(edited.map_or(MessageState::Intended, MessageState::Repairing)),
            state::DONE => Ok(MessageState::Done(CopyRecord { edited, ..self.into_copied()? })),
            state::SKIPPED => {
                Ok(MessageState::Skipped(self.reason.ok_or(Fault::Unreadable("reason"))?.into_owned()))
            }
            _ => Err(Fault::Unreadable("message state")),
        }
    }

    fn into_copied(self) -> Result<CopyRecord, Fault> {
        let flags = self.flags.ok_or(Fault::Unreadable("set of flags"))?;
        let digests = self.digest_whole.zip(self.digest_text).map(|(whole, text)| Digests {
            whole: Digest::from_bytes(whole),
            text: Digest::from_bytes(text),
        });
        let fingerprint = self.fingerprint.map(Fingerprint::from_bytes);
        let fingerprint = fingerprint.ok_or(Fault::Unreadable("fingerprint"))?;
        Ok(CopyRecord {
            target_uid: self.target_uid.map(uid).transpose()?,
            // Flags contain no space: they are atoms (RFC 9051, section 9).
            flags: flags.split(' ').collect(),
            pending_flags: self.pending_flags.map(|flags| flags.split(' ').collect()),
            fingerprint: digests.map_or(fingerprint, |digests| fingerprint.up_to_date(&digests)),
            digests,
            size: self.size.ok_or(Fault::Unreadable("size"))?.cast_unsigned(),
            arrived: self.arrived,
            ours: self.ours.ok_or(Fault::Unreadable("owner"))? != 0,
            edited: None,
        })
    }
}
