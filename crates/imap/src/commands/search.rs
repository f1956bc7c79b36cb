//! UID SEARCH (RFC 9051, section 6.4.4; RETURN is RFC 4731).

use mailhaul_mail::{ModSeq, Scope, Uid, UidSet};

use super::parts::parts;
use crate::{
    encode::Command,
    error::{Error, ErrorKind},
    response::{Code, Untagged},
    selected::Selected,
};

/// Condition of a search. All conditions must be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchKey {
    /// Everything.
    All,
    /// These UIDs.
    Uids(UidSet),
    /// This UID and greater ones.
    From(Uid),
    /// A header field that contains these bytes.
    Header {
        /// Name of the field.
        name: String,
        /// The bytes, in upper or lower case.
        value: Vec<u8>,
    },
    /// Changed since, or at, this mod-sequence (RFC 7162).
    ModSeq(ModSeq),
    /// Marked `\Deleted`, or not.
    Deleted(bool),
}

impl SearchKey {
    fn write(&self, command: Command) -> Command {
        match self {
            Self::All => command.raw("ALL"),
            Self::Uids(uids) => command.raw("UID").uids(uids),
            Self::From(uid) => command.raw(&format!("UID {uid}:*")),
            Self::Header { name, value } => command.raw("HEADER").astring(name.as_bytes()).astring(value),
            Self::ModSeq(modseq) => command.raw(&format!("MODSEQ {modseq}")),
            Self::Deleted(true) => command.raw("DELETED"),
            Self::Deleted(false) => command.raw("UNDELETED"),
        }
    }
}

impl Selected<'_> {
    /// Returns the UIDs for which all conditions are true.
    pub async fn uid_search(&mut self, keys: &[SearchKey]) -> Result<UidSet, Error> {
        // A long set of UIDs needs several searches.
        let long = keys.iter().enumerate().find_map(|(index, key)| match key {
            SearchKey::Uids(uids) => Some((index, parts(uids, self.session.link.state()))),
            _ => None,
        });
        let Some((index, parts)) = long else { return self.search_down(keys).await };
        let mut found = UidSet::new();
        let mut keys = keys.to_vec();
        for part in parts {
            keys[index] = SearchKey::Uids(part);
            self.search_down(&keys).await?.ranges().for_each(|(first, last)| found.insert_range(first, last));
        }
        Ok(found)
    }

    /// Searches until the server has searched all messages.
    ///
    /// Protocol: a search begins with the greatest UIDs, and may end early with the smallest one (RFC 9738, section 3.1).
    async fn search_down(&mut self, keys: &[SearchKey]) -> Result<UidSet, Error> {
        let (mut found, mut lowest) = self.search(keys).await?;
        let mut keys = keys.to_vec();
        let own = keys.len();
        while let Some(below) = lowest.and_then(|uid| Uid::new(uid.get() - 1)) {
            keys.truncate(own);
            keys.push(SearchKey::Uids(UidSet::range(Uid::FIRST, below)));
            let (more, next) = self.search(&keys).await?;
            more.ranges().for_each(|(first, last)| found.insert_range(first, last));
            if next.is_some_and(|next| next > below) {
                let words = "UID SEARCH: the server looked at messages that it was not asked about";
                return Err(Error::session(ErrorKind::Protocol, words));
            }
            lowest = next;
        }
        Ok(found)
    }

    /// Returns the matches of one search, and the smallest searched UID if the server ended the search early.
    async fn search(&mut self, keys: &[SearchKey]) -> Result<(UidSet, Option<Uid>), Error> {
        let link = &mut self.session.link;
        let mut command = Command::new("UID SEARCH");
        if link.has("ESEARCH") || link.has("IMAP4rev2") {
            command = command.raw("RETURN (ALL)");
        }
        command = if keys.is_empty() {
            command.raw("ALL")
        } else {
            keys.iter().fold(command, |command, key| key.write(command))
        };
        let mut found = UidSet::new();
        let collect = |untagged| match untagged {
            Untagged::Esearch(esearch) => {
                let all = esearch.all.unwrap_or_default();
                all.ranges().for_each(|(first, last)| found.insert_range(first, last));
            }
            Untagged::Search { ids, .. } => found.extend(ids.into_iter().filter_map(Uid::new)),
            _ => {}
        };
        let outcome = link.run("UID SEARCH", &command, collect).await;
        let lowest = match outcome.map_err(|error| error.at_least(Scope::Folder))?.code {
            Some(Code::MessageLimit { lowest, .. }) => lowest,
            _ => None,
        };
        // `n:*` always includes the last message, even if its UID is below n.
        let mut floor = Uid::FIRST;
        for key in keys {
            if let SearchKey::From(uid) = key {
                floor = floor.max(*uid);
            }
        }
        let mut kept = UidSet::new();
        for (first, last) in found.ranges().filter(|(_, last)| *last >= floor) {
            kept.insert_range(first.max(floor), last);
        }
        Ok((kept, lowest))
    }
}
