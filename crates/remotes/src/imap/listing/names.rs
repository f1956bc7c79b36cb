//! A server's folder names: namespace prefix, separator, modified UTF-7.

use mailhaul_imap::MailboxName;
use mailhaul_imap::response::Namespaces;
use mailhaul_mail::FolderPath;

use crate::imap::listing::user_root::ResolvedRoot;

/// Pattern of all folders.
pub(crate) const EVERYTHING: &[u8] = b"*";

/// The form of one mailbox's folder names on its server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// Prefix of every name but INBOX: `INBOX.` or nothing.
    prefix: Vec<u8>,
    delimiter: Option<u8>,
    /// The folder that counts as the whole mailbox, if the operator named one.
    root: Option<ResolvedRoot>,
    /// Prefixes of folders that belong to others, or repeat other folders.
    foreign: Vec<Vec<u8>>,
}

impl Names {
    /// Names for the answer to NAMESPACE, or for a separator alone. The separator of a root takes
    /// precedence.
    pub(crate) fn new(
        namespaces: Option<&Namespaces>,
        delimiter: Option<char>,
        root: Option<ResolvedRoot>,
    ) -> Self {
        let mut names = Self { delimiter: delimiter.and_then(|it| u8::try_from(it).ok()), ..Self::default() };
        if let Some(namespaces) = namespaces {
            let (own, other_own) = match namespaces.personal.split_first() {
                Some((own, rest)) => (Some(own), rest),
                None => (None, &[][..]),
            };
            if let Some(own) = own {
                names.prefix = own.prefix.as_wire().to_vec();
                // Some servers send `INBOX` for `INBOX.`.
                names.delimiter = own.delimiter.and_then(|it| u8::try_from(it).ok()).or(names.delimiter);
            }
            let foreign = other_own.iter().chain(&namespaces.other_users).chain(&namespaces.shared);
            names.foreign =
                foreign.map(|it| it.prefix.as_wire().to_vec()).filter(|it| !it.is_empty()).collect();
        }
        if let (Some(delimiter), Some(last)) = (names.delimiter, names.prefix.last())
            && *last != delimiter
        {
            names.prefix.push(delimiter);
        }
        if let Some(root) = &root {
            names.delimiter = root.delimiter.and_then(|it| u8::try_from(it).ok());
        }
        names.root = root;
        names
    }

    /// The separator of levels, which no segment may contain.
    pub(crate) fn delimiter(&self) -> Option<char> {
        self.delimiter.map(char::from)
    }

    /// The patterns that list this mailbox.
    pub(crate) fn patterns(&self) -> Vec<Vec<u8>> {
        let Some(root) = &self.root else { return vec![EVERYTHING.to_vec()] };
        let root = root.name.as_wire();
        let mut patterns = vec![root.to_vec()];
        if let Some(delimiter) = self.delimiter {
            patterns.push([root, &[delimiter], b"*"].concat());
        }
        patterns
    }

    /// The folder that counts as the whole mailbox, if there is one.
    pub(crate) fn root(&self) -> Option<&ResolvedRoot> {
        self.root.as_ref()
    }

    /// True if the login's subscriptions are the user's. With an administrator's login every folder counts
    /// as subscribed.
    pub(crate) fn subscriptions_are_known(&self) -> bool {
        self.root.as_ref().is_none_or(|it| it.is_own)
    }

    /// Reason why the folder is not the user's own; `None` if it is.
    pub(crate) fn foreign(&self, name: &MailboxName) -> Option<String> {
        let prefix = self.foreign.iter().filter(|_| self.root.is_none()).find(|prefix| {
            name.as_wire().starts_with(prefix)
                || self.delimiter.is_some_and(|it| [name.as_wire(), &[it]].concat() == **prefix)
        })?;
        let prefix = MailboxName::from_wire(prefix.clone());
        Some(format!(
            "it is in the namespace \"{prefix}\", not among the user's own folders; include or map it by its name to migrate it"
        ))
    }

    /// The path of a folder of this server; `None` outside the root.
    pub(crate) fn path(&self, name: &MailboxName) -> Option<FolderPath> {
        let wire = name.as_wire();
        if let Some(root) = &self.root {
            if *name == root.inbox {
                return Some(FolderPath::inbox());
            }
            let rest = wire.strip_prefix(root.name.as_wire())?;
            let path = FolderPath::new(self.split(rest.strip_prefix(&[self.delimiter?])?));
            // The root itself is INBOX. A folder of that name below it gets another path.
            let is_second_inbox =
                root.inbox == root.name && path.segments().first().is_some_and(|it| it == "INBOX");
            return Some(if is_second_inbox {
                FolderPath::new(["INBOX".to_owned()].into_iter().chain(path.segments().iter().cloned()))
            } else {
                path
            });
        }
        if name.is_inbox() {
            return Some(FolderPath::inbox());
        }
        Some(FolderPath::new(self.split(wire.strip_prefix(self.prefix.as_slice()).unwrap_or(wire))))
    }

    /// The name of a folder that the server did not list.
    pub(crate) fn wire(&self, path: &FolderPath) -> MailboxName {
        match (&self.root, path.is_inbox()) {
            (Some(root), true) => root.inbox.clone(),
            (Some(root), false) => {
                let rest = self.join(path.segments());
                let delimiter: Vec<u8> = self.delimiter.into_iter().collect();
                MailboxName::from_wire([root.name.as_wire(), &delimiter, &rest].concat())
            }
            (None, true) => MailboxName::from_wire("INBOX"),
            (None, false) => {
                MailboxName::from_wire([self.prefix.as_slice(), &self.join(path.segments())].concat())
            }
        }
    }

    /// Splits before decoding, because decoded text may contain the separator.
    fn split(&self, wire: &[u8]) -> Vec<String> {
        match self.delimiter {
            Some(delimiter) => {
                wire.split(|octet| *octet == delimiter).map(MailboxName::level_to_text).collect()
            }
            None => vec![MailboxName::level_to_text(wire)],
        }
    }

    fn join<S: AsRef<str>>(&self, segments: &[S]) -> Vec<u8> {
        let delimiter: Vec<u8> = self.delimiter.into_iter().collect();
        let encoded: Vec<Vec<u8>> =
            segments.iter().map(|it| MailboxName::level_to_wire(it.as_ref())).collect();
        encoded.join(delimiter.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_imap::response::NamespaceEntry;

    use super::*;

    fn namespaces(own: &str, foreign: &[&str], delimiter: char) -> Namespaces {
        let entry = |prefix: &str| NamespaceEntry {
            prefix: MailboxName::from_wire(prefix),
            delimiter: Some(delimiter),
        };
        let mut personal = vec![entry(own)];
        personal.extend(foreign.iter().map(|it| entry(it)));
        Namespaces { personal, ..Namespaces::default() }
    }

    fn path(names: &Names, wire: &str) -> String {
        names.path(&MailboxName::from_wire(wire)).map_or("-".to_owned(), |it| it.to_string())
    }

    #[test]
    fn names_lose_prefix_and_delimiter_and_get_them_back() {
        let dovecot = Names::new(Some(&namespaces("", &["virtual/"], '/')), None, None);
        let courier = Names::new(Some(&namespaces("INBOX.", &[], '.')), None, None);
        let table = [
            (&dovecot, "INBOX", "INBOX"),
            (&dovecot, "Gel&APY-scht/&ZeVnLIqe-", "Gelöscht/日本語"),
            (&dovecot, "a.b/c d", "a.b/c d"),
            (&dovecot, "INBOX/deep", "INBOX/deep"),
            // Only the whole name, or its first level, ignores case.
            (&dovecot, "Old/Inbox", "Old/Inbox"),
            (&courier, "INBOX.Old.inbox", "Old/inbox"),
            (&courier, "INBOX", "INBOX"),
            (&courier, "INBOX.Sent.2020", "Sent/2020"),
            (&courier, "INBOX.a/b", "a\\/b"),
            (&courier, "INBOX.INBOX.x", "INBOX/x"),
        ];
        for (names, wire, text) in table {
            assert_eq!(path(names, wire), text, "{wire}");
            assert_eq!(names.wire(&FolderPath::parse(text)), MailboxName::from_wire(wire), "{text}");
        }
        assert!(dovecot.foreign(&MailboxName::from_wire("virtual/All")).is_some());
        assert!(dovecot.foreign(&MailboxName::from_wire("virtual")).is_some());
        assert!(dovecot.foreign(&MailboxName::from_wire("virtually")).is_none());
    }

    #[test]
    fn a_user_root_is_the_whole_mailbox() {
        let root = |inbox: &str| ResolvedRoot {
            name: MailboxName::from_wire("users/terry"),
            inbox: MailboxName::from_wire(inbox),
            delimiter: Some('/'),
            is_own: false,
        };
        let own = namespaces("INBOX.", &["users/"], '.');
        let names = Names::new(Some(&own), None, Some(root("users/terry")));
        let table = [
            ("users/terry", "INBOX"),
            ("users/terry/Sent", "Sent"),
            ("users/terry/Inbox", "INBOX/INBOX"),
            ("users/terrya", "-"),
            ("INBOX", "-"),
        ];
        for (wire, text) in table {
            assert_eq!(path(&names, wire), text, "{wire}");
        }
        assert_eq!(
            names.wire(&FolderPath::parse("Sent/2020")),
            MailboxName::from_wire("users/terry/Sent/2020")
        );
        assert_eq!(names.wire(&FolderPath::inbox()), MailboxName::from_wire("users/terry"));
        assert_eq!(names.patterns(), [b"users/terry".to_vec(), b"users/terry/*".to_vec()]);
        assert_eq!(names.foreign(&MailboxName::from_wire("users/terry/Sent")), None);
        let below = Names::new(Some(&own), None, Some(root("users/terry/INBOX")));
        for (wire, text) in [
            ("users/terry/INBOX", "INBOX"),
            ("users/terry", "-"),
            ("users/terry/INBOX/x", "INBOX/x"),
            ("users/terry/Sent", "Sent"),
        ] {
            assert_eq!(path(&below, wire), text, "{wire}");
        }
        assert_eq!(below.wire(&FolderPath::parse("INBOX/x")), MailboxName::from_wire("users/terry/INBOX/x"));
    }
}
