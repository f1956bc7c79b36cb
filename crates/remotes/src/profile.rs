//! Profiles of kinds of servers (`quirks.toml`), and the choice of one for a server.

use std::sync::LazyLock;

use mailhaul_engine::{Folder, LeaveOut, NameRules, SameName};
use mailhaul_imap::Capabilities;
use mailhaul_mail::ignoring_case;
use serde::Deserialize;

use crate::placeholder::Placeholder;

/// Read once. A test proves that the file is valid.
static BUILT_IN: LazyLock<Profiles> =
    LazyLock::new(|| toml::from_str(include_str!("quirks.toml")).unwrap_or_default());

/// The profile of an unknown server.
static GENERIC: LazyLock<Profile> = LazyLock::new(Profile::default);

/// One kind of server: its deviations from the standards.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Profile {
    /// Its name in an endpoint's `-ServerProfile`.
    pub name: String,
    /// Signs of such a server. One of them is enough.
    #[serde(rename = "match")]
    signs: Vec<Sign>,
    /// Capabilities that are offered and do not work.
    pub(crate) deny: Vec<String>,
    /// Flags that are not sent, because they would change more than they should.
    pub(crate) never_sent: Vec<String>,
    /// Longest line that is known to be accepted, without its CRLF (bytes).
    pub(crate) longest_line: Option<usize>,
    /// Number of errors after which the server disconnects.
    pub(crate) errors_per_session: Option<u32>,
    /// APPEND does not set all flags of a new message. STORE sets them afterwards.
    pub(crate) sets_flags_later: bool,
    /// True if it stores one copy of identical messages.
    pub(crate) merges_copies: bool,
    /// Size of the largest message, if the server does not tell it (bytes).
    pub(crate) size_limit: Option<u64>,
    /// `BODY[]` may be cut, and `RFC822` is not. `RFC822` is used only in folders that are open for
    /// reading, where it sets no flag.
    pub(crate) reads_by_rfc822: bool,
    /// Texts that it sends in place of messages that it cannot read.
    pub(crate) placeholders: Vec<Placeholder>,
    /// Rules for folder names.
    pub names: NameFacts,
    /// Advice where all messages are visible, if the server shows only the newest ones.
    pub(crate) shows_all_at: Option<String>,
    /// Limits of one mailbox.
    pub limits: MailboxLimits,
    /// Notes for the administrator.
    pub notes: Vec<String>,
}

/// Limits of one mailbox on a kind of server; `None` if unknown, or if it differs between servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct MailboxLimits {
    /// Concurrent connections, including those of the user's own programs.
    pub connections: Option<usize>,
    /// Bytes read in 24 hours.
    pub read_bytes_per_day: Option<u64>,
    /// Bytes written in 24 hours.
    pub written_bytes_per_day: Option<u64>,
    /// Messages written per second.
    pub written_messages_per_second: Option<u64>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: "generic".to_owned(),
            signs: Vec::new(),
            deny: Vec::new(),
            never_sent: Vec::new(),
            longest_line: None,
            errors_per_session: None,
            sets_flags_later: false,
            merges_copies: false,
            size_limit: None,
            reads_by_rfc822: false,
            placeholders: Vec::new(),
            shows_all_at: None,
            names: NameFacts::default(),
            limits: MailboxLimits::default(),
            notes: Vec::new(),
        }
    }
}

/// Rules for folder names beyond those that the server tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct NameFacts {
    /// Names that differ only by case are one folder.
    pub ignores_case: bool,
    /// Names of the first level that only the server can create.
    pub reserved: Vec<String>,
    /// Names of the first level whose folders are not for mail. A source leaves them out unless the
    /// operator includes them.
    pub not_mail: Vec<String>,
    /// Characters that no name may have, in addition to the separator.
    pub forbidden: String,
    /// Blanks at the ends of a name, or two in a row, are refused.
    pub refuses_outer_blanks: bool,
    /// Folders below INBOX are refused.
    pub refuses_below_inbox: bool,
    /// Names of the first level below which all new folders must be. The first one is used.
    pub roots: Vec<String>,
    /// Characters of the longest name, with parents and separators.
    pub longest_path: Option<usize>,
}

impl NameFacts {
    /// The rules for names with this separator.
    pub(crate) fn rules(&self, delimiter: Option<char>) -> NameRules {
        NameRules {
            same: if self.ignores_case { SameName::IgnoringCase } else { SameName::Normalized },
            reserved: self.reserved.clone(),
            forbidden: self.forbidden.chars().collect(),
            refuses_outer_blanks: self.refuses_outer_blanks,
            refuses_below_inbox: self.refuses_below_inbox,
            roots: self.roots.clone(),
            longest_path: self.longest_path,
            ..NameRules::separated(delimiter)
        }
    }
}

impl Profile {
    /// Sentences about special treatment of this kind of server, and the notes for the administrator.
    pub fn differences(&self) -> Vec<String> {
        let mut told = Vec::new();
        if !self.deny.is_empty() {
            told.push(format!("Extensions that are not used: {}.", self.deny.join(", ")));
        }
        if !self.never_sent.is_empty() {
            told.push(format!("Keywords that are not sent: {}.", self.never_sent.join(", ")));
        }
        if !self.names.reserved.is_empty() {
            told.push(format!("Folders that cannot be created: {}.", self.names.reserved.join(", ")));
        }
        if let Some(root) = self.names.roots.first() {
            told.push(format!("New folders are created below {root}."));
        }
        if !self.names.not_mail.is_empty() {
            told.push(format!("Folders that are not for mail: {}.", self.names.not_mail.join(", ")));
        }
        told.extend(self.notes.iter().cloned());
        told
    }

    /// Reason to leave out a folder of a source that such a server uses for something else.
    pub(crate) fn leave_out(&self, folder: &Folder) -> Option<LeaveOut> {
        let outer = ignoring_case(folder.path.segments().first()?);
        self.names.not_mail.iter().find(|it| ignoring_case(it) == outer)?;
        let shown = folder.status.map_or_else(String::new, |it| format!(" ({} messages)", it.messages));
        let reason =
            format!("not a mail folder on {}{shown}; add it to the folder map to migrate it", self.name);
        Some(LeaveOut::UnlessWanted(reason))
    }

    /// Number of commands that may still be refused before the server disconnects; `None` if it does not.
    pub(crate) fn allowance(&self, refusals: u32) -> Option<u32> {
        Some(self.errors_per_session?.saturating_sub(1).saturating_sub(refusals))
    }
}

/// A sign of a kind of server. All given parts must match, in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sign {
    /// Part of the name or vendor in the answer to ID.
    id: Option<String>,
    /// Start of the version in the answer to ID.
    version: Option<String>,
    /// Part of the greeting.
    greeting: Option<String>,
    capability: Option<String>,
}

/// Facts that a server tells about itself.
#[derive(Clone, Copy, Debug)]
pub struct ServerIdentity<'a> {
    /// The text of the greeting.
    pub greeting: &'a str,
    /// The answer to ID (RFC 2971); empty if there is none.
    pub id: &'a [(String, Option<String>)],
    pub capabilities: &'a Capabilities,
}

impl ServerIdentity<'_> {
    fn field(&self, name: &str) -> &str {
        let field = self.id.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        field.and_then(|(_, value)| value.as_deref()).unwrap_or_default()
    }
}

impl Sign {
    /// Reason why the sign matches; `None` if it does not.
    fn reason(&self, server: &ServerIdentity<'_>) -> Option<String> {
        let mut reasons = Vec::new();
        if let Some(id) = &self.id {
            let told =
                ["name", "vendor"].map(|it| server.field(it)).into_iter().find(|it| contains(it, id))?;
            reasons.push(format!("ID says {told}"));
        }
        if let Some(version) = &self.version {
            let told = server.field("version");
            reasons.push(told.starts_with(version).then(|| format!("version {told}"))?);
        }
        if let Some(greeting) = &self.greeting {
            reasons.push(contains(server.greeting, greeting).then(|| format!("greeting says {greeting}"))?);
        }
        if let Some(capability) = &self.capability {
            reasons.push(server.capabilities.has(capability).then(|| format!("it offers {capability}"))?);
        }
        (!reasons.is_empty()).then(|| reasons.join(", "))
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
}

/// The chosen profile, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileChoice {
    pub profile: &'static Profile,
    /// The sign that matched: `greeting says Dovecot`.
    pub reason: String,
}

impl Default for ProfileChoice {
    fn default() -> Self {
        Self { profile: &GENERIC, reason: "nothing is known of the server".to_owned() }
    }
}

/// All known kinds of servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profiles {
    #[serde(rename = "profile")]
    profiles: Vec<Profile>,
}

impl Profiles {
    /// The profiles of this program.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Names of the profiles, for the operator's choice.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles.iter().map(|it| it.name.as_str())
    }

    /// The profile of this name, in any case.
    pub fn find(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|it| it.name.eq_ignore_ascii_case(name))
    }

    /// Chooses the profile of a server. The operator's choice counts first; `Err` if there is no profile of
    /// that name.
    ///
    /// The answer to ID counts before greeting and capabilities, which a proxy may have changed.
    pub fn choose(
        &'static self,
        server: &ServerIdentity<'_>,
        chosen: Option<&str>,
    ) -> Result<ProfileChoice, String> {
        if let Some(name) = chosen {
            let found = self
                .find(name)
                .map(|profile| ProfileChoice { profile, reason: "chosen by the operator".to_owned() });
            return found.ok_or_else(|| {
                let names: Vec<&str> = self.names().collect();
                format!("there is no server profile \"{name}\"; the profiles are {}", names.join(", "))
            });
        }
        let known = [true, false].into_iter().find_map(|by_id| {
            self.profiles.iter().find_map(|profile| {
                let mut signs = profile.signs.iter().filter(|it| it.id.is_some() == by_id);
                signs.find_map(|it| Some(ProfileChoice { profile, reason: it.reason(server)? }))
            })
        });
        Ok(known.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(greeting: &str, id: &[(&str, &str)], capabilities: &str) -> String {
        let id: Vec<(String, Option<String>)> =
            id.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect();
        let capabilities = Capabilities::new(capabilities.split_whitespace());
        let server = ServerIdentity { greeting, id: &id, capabilities: &capabilities };
        let choice = Profiles::built_in().choose(&server, None).unwrap();
        format!("{}: {}", choice.profile.name, choice.reason)
    }

    #[test]
    fn the_file_is_read_and_every_key_of_it_is_known() {
        let read: Profiles = toml::from_str(include_str!("quirks.toml")).unwrap();
        assert_eq!(*Profiles::built_in(), read);
        let names: Vec<&str> = read.names().collect();
        for name in [
            "Dovecot",
            "Cyrus",
            "Courier",
            "Exchange",
            "Microsoft 365",
            "Gmail",
            "Yahoo",
            "iCloud",
            "Zimbra",
            "Domino",
            "Mirapoint",
            "hMailServer",
            "MailEnable",
            "SmarterMail",
            "GroupWise",
            "Kerio",
            "IceWarp",
            "Proton Mail Bridge",
            "generic",
        ] {
            assert_eq!(names.iter().filter(|it| it.eq_ignore_ascii_case(name)).count(), 1, "{name}");
        }
        // Only the last profile has no signs. It is used for unknown servers.
        let (last, others) = read.profiles.split_last().unwrap();
        assert_eq!(*last, Profile::default());
        for profile in others {
            assert!(!profile.signs.is_empty(), "{}", profile.name);
            assert!(profile.signs.iter().all(|it| *it != Sign::default()), "{}", profile.name);
            assert!(profile.notes.iter().all(|it| it.ends_with('.')), "{}", profile.name);
        }
        for unknown in
            ["[[profile]]\nname = \"x\"\ndenies = []", "[[profile]]\nmatch = [{ greetings = \"x\" }]"]
        {
            assert!(toml::from_str::<Profiles>(unknown).is_err(), "{unknown}");
        }
    }

    /// Greeting, answer to ID, capabilities, and the expected choice.
    type Row = (&'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

    #[test]
    fn what_is_done_otherwise_is_told_in_sentences() {
        let profile = |text: &str| -> Profile { toml::from_str(text).unwrap() };
        let odd = profile(
            "name = 'odd'\ndeny = ['MOVE', 'UIDPLUS']\nnever-sent = ['$X']\nnames = { reserved = ['Files'], not-mail = ['Chats'] }\nnotes = ['Beware.']",
        );
        let told = [
            "Extensions that are not used: MOVE, UIDPLUS.",
            "Keywords that are not sent: $X.",
            "Folders that cannot be created: Files.",
            "Folders that are not for mail: Chats.",
            "Beware.",
        ];
        assert_eq!(odd.differences(), told);
        assert!(Profile::default().differences().is_empty());
    }

    #[test]
    fn servers_are_known_by_what_they_say() {
        let table: [Row; 17] = [
            (
                "Proton Mail Bridge 03.00.21 - gluon session ID 1",
                &[],
                "",
                "Proton Mail Bridge: greeting says Proton Mail Bridge",
            ),
            (
                "ready",
                &[("name", "Proton Mail Bridge")],
                "",
                "Proton Mail Bridge: ID says Proton Mail Bridge",
            ),
            ("Dovecot (Debian) ready.", &[], "", "Dovecot: greeting says Dovecot"),
            ("ready", &[("NAME", "dovecot")], "", "Dovecot: ID says dovecot"),
            ("Courier-IMAP ready. Copyright 1998-2021", &[], "", "Courier: greeting says Courier-IMAP"),
            (
                "mail Cyrus IMAP 3.6.1-Debian server ready",
                &[("name", "Cyrus IMAP"), ("vendor", "Project Cyrus")],
                "",
                "Cyrus: ID says Cyrus IMAP",
            ),
            (
                "The Microsoft Exchange IMAP4 service is ready. [TQBX]",
                &[],
                "",
                "Microsoft 365: greeting says Microsoft Exchange IMAP4 service is ready. [",
            ),
            (
                "The Microsoft Exchange IMAP4 service is ready.",
                &[("name", "Microsoft.Exchange.Imap4.Imap4Server"), ("version", "15.20.8")],
                "",
                "Microsoft 365: ID says Microsoft.Exchange.Imap4.Imap4Server, version 15.20.8",
            ),
            (
                "The Microsoft Exchange IMAP4 service is ready.",
                &[("name", "Microsoft.Exchange.Imap4.Imap4Server"), ("version", "15.2")],
                "",
                "Exchange: ID says Microsoft.Exchange.Imap4.Imap4Server",
            ),
            ("Gimap ready for requests from 192.0.2.1", &[], "", "Gmail: greeting says Gimap ready"),
            (
                "IMAP4rev1 Hello",
                &[],
                "XYMHIGHESTMODSEQ XAPPLEPUSHSERVICE",
                "Yahoo: it offers XYMHIGHESTMODSEQ",
            ),
            // A proxy sends the greeting, and the server behind it answers ID.
            ("Dovecot ready.", &[("NAME", "Zimbra")], "", "Zimbra: ID says Zimbra"),
            ("GroupWise IMAP4rev1 Server Ready", &[], "", "GroupWise: greeting says GroupWise"),
            ("IMAPrev1", &[], "", "hMailServer: greeting says IMAPrev1"),
            ("IMAP4rev1 SmarterMail", &[], "", "SmarterMail: greeting says SmarterMail"),
            (
                "ready",
                &[("name", "other"), ("version", "15.20.1")],
                "",
                "generic: nothing is known of the server",
            ),
            ("", &[], "", "generic: nothing is known of the server"),
        ];
        for (greeting, id, capabilities, told) in table {
            assert_eq!(chosen(greeting, id, capabilities), told, "{greeting}");
        }
    }

    #[test]
    fn an_operator_may_know_better() {
        let capabilities = Capabilities::default();
        let server = ServerIdentity { greeting: "Dovecot ready.", id: &[], capabilities: &capabilities };
        let choice = Profiles::built_in().choose(&server, Some("microsoft 365")).unwrap();
        assert_eq!(
            (choice.profile.name.as_str(), choice.reason.as_str()),
            ("Microsoft 365", "chosen by the operator")
        );
        let words = Profiles::built_in().choose(&server, Some("Lotus")).unwrap_err();
        assert!(words.contains("\"Lotus\"") && words.contains("Domino"), "{words}");
    }
}
