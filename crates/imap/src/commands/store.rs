//! UID STORE (RFC 9051, section 6.4.6).

use mailhaul_mail::{Flags, UidSet};

use super::parts::run_in_parts;
use crate::{encode::Command, error::Error, selected::Selected};

/// What to do with the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreMode {
    /// Set these too.
    Add,
    /// Take these away.
    Remove,
    /// Set these and no others.
    Replace,
}

impl Selected<'_> {
    /// Changes the flags of messages. The server does not repeat the result (`.SILENT`).
    pub async fn uid_store(&mut self, uids: &UidSet, mode: StoreMode, flags: &Flags) -> Result<(), Error> {
        let item = match mode {
            StoreMode::Add => "+FLAGS.SILENT",
            StoreMode::Remove => "-FLAGS.SILENT",
            StoreMode::Replace => "FLAGS.SILENT",
        };
        if flags.is_empty() && mode != StoreMode::Replace {
            return Ok(());
        }
        let finish = |command: Command| command.raw(item).flags(flags);
        run_in_parts(&mut self.session.link, "UID STORE", uids, finish, |_| {}).await
    }
}
