//! A comparison of the target with its source.

use std::collections::BTreeMap;

use anyhow::Result;
use mailhaul_imap::{ListQuery, SelectOptions};
use mailhaul_mail::{Flags, Uid, UidSet};
use mailhaul_testkit::{Dovecot, connect};
use serde::{Deserialize, Serialize};

/// A message as a server describes it: folder, size, system flags, keywords, date.
type MessageDescription = (String, u64, String, String, String);

/// All messages of a mailbox.
pub(crate) type Contents = Vec<MessageDescription>;

/// The properties that are the same on the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "four independent answers")]
pub(crate) struct Fidelity {
    /// Number of messages in each folder.
    pub(crate) messages: bool,
    pub(crate) sizes: bool,
    /// System flags.
    pub(crate) flags: bool,
    pub(crate) keywords: bool,
    /// INTERNALDATE.
    pub(crate) dates: bool,
}

impl Fidelity {
    /// The start value of a sum by [`Fidelity::and`].
    pub(crate) fn everything() -> Self {
        Self { messages: true, sizes: true, flags: true, keywords: true, dates: true }
    }

    /// The properties that are in both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            messages: self.messages && other.messages,
            sizes: self.sizes && other.sizes,
            flags: self.flags && other.flags,
            keywords: self.keywords && other.keywords,
            dates: self.dates && other.dates,
        }
    }

    /// Names of the properties that differ; empty if none does.
    pub(crate) fn lost(self) -> Vec<&'static str> {
        let all = [
            (self.messages, "messages"),
            (self.sizes, "sizes"),
            (self.flags, "flags"),
            (self.keywords, "keywords"),
            (self.dates, "dates"),
        ];
        all.into_iter().filter(|(kept, _)| !kept).map(|(_, what)| what).collect()
    }
}

/// Reads the server's description of every message.
pub(crate) async fn contents(server: &Dovecot, user: &str) -> Result<Contents> {
    let mut session = connect(server.port(), user, &Dovecot::password(user)).await;
    let mut found = Vec::new();
    for listed in session.list(&ListQuery::default()).await? {
        if listed.item.has("\\Noselect") || listed.item.has("\\NonExistent") {
            continue;
        }
        let folder = listed.item.name.to_text();
        let mut selected = session.examine(&listed.item.name, &SelectOptions::default()).await?;
        if selected.data().exists == 0 {
            continue;
        }
        let all = UidSet::range(Uid::FIRST, Uid::new(u32::MAX).unwrap_or(Uid::FIRST));
        selected
            .uid_fetch(&all, "(UID FLAGS INTERNALDATE RFC822.SIZE)", |fetch| {
                let flags = fetch.flags.unwrap_or_default();
                let sorted = |system: bool| {
                    let some: Flags = flags
                        .iter()
                        .filter(|it| it.starts_with('\\') == system && !it.eq_ignore_ascii_case("\\Recent"))
                        .collect();
                    some.to_string()
                };
                let (system, keywords) = (sorted(true), sorted(false));
                let date = fetch.internal_date_text.unwrap_or_default();
                found.push((folder.clone(), fetch.rfc822_size.unwrap_or(0), system, keywords, date));
            })
            .await?;
    }
    session.logout().await?;
    found.sort();
    Ok(found)
}

/// Compares both as multisets.
pub(crate) fn compare(source: &Contents, target: &Contents) -> Fidelity {
    fn same<K: Ord>(one: &Contents, other: &Contents, key: impl Fn(&MessageDescription) -> K) -> bool {
        let count = |all: &Contents| {
            let mut counts: BTreeMap<K, usize> = BTreeMap::new();
            for it in all {
                *counts.entry(key(it)).or_default() += 1;
            }
            counts
        };
        count(one) == count(other)
    }
    Fidelity {
        messages: same(source, target, |it| it.0.clone()),
        sizes: same(source, target, |it| (it.0.clone(), it.1)),
        flags: same(source, target, |it| (it.0.clone(), it.2.clone())),
        keywords: same(source, target, |it| (it.0.clone(), it.3.clone())),
        dates: same(source, target, |it| (it.0.clone(), it.4.clone())),
    }
}
