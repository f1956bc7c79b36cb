//! What is known of kinds of servers, as data (`quirks.toml`), and which kind one is.

use std::sync::LazyLock;

use mailhaul_engine::{Folder, LeaveOut, NameRules, SameName};
use mailhaul_imap::Capabilities;
use mailhaul_mail::ignoring_case;
use serde::Deserialize;

use crate::placeholder::Placeholder;

/// Read once; that it can be read is the business of a test.
static BUILT_IN: LazyLock<Profiles> =
    LazyLock::new(|| toml::from_str(include_str!("quirks.toml")).unwrap_or_default());

/// Nothing special.
static GENERIC: LazyLock<Profile> = LazyLock::new(Profile::default);

/// One kind of server: what differs from what the standards promise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Profile {
    /// What an endpoint's `-ServerProfile` calls it.
    pub name: String,
    /// Signs by which such a server is known; one of them is enough.
    #[serde(rename = "match")]
    signs: Vec<Sign>,
    /// Capabilities that are offered and do not work.
    pub(crate) deny: Vec<String>,
    /// Flags that are not sent, because they would change more than they say.
    pub(crate) never_sent: Vec<String>,
    /// Octets of the longest line in a message that is known to be taken, without its CRLF.
    pub(crate) longest_line: Option<usize>,
    /// At the so-manieth error the server hangs up.
    pub(crate) errors_per_session: Option<u32>,
    /// APPEND does not set all flags of a new message: they are set by STORE.
    pub(crate) sets_flags_later: bool,
    /// It stores one copy of identical messages.
    pub(crate) merges_copies: bool,
    /// Octets of the largest message, where the server does not say.
    pub(crate) size_limit: Option<u64>,
    /// `BODY[]` may be cut, and `RFC822` is not. It is asked for only in folders that are open to read, where it sets no flag.
    pub(crate) reads_by_rfc822: bool,
    /// Texts that it gives in place of messages that it cannot read.
    pub(crate) placeholders: Vec<Placeholder>,
    /// What its names for folders must keep to.
    pub names: NameFacts,
    /// Where all messages are seen, if the server shows only the newest ones.
    pub(crate) shows_all_at: Option<String>,
    /// What such a server lets one mailbox do.
    pub limits: MailboxLimits,
    /// What an administrator should know.
    pub notes: Vec<String>,
}

/// What a kind of server lets one mailbox do; `None` where nothing is known, or where it differs from one to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct MailboxLimits {
    /// Connections at once, those of the user's own programs included.
    pub connections: Option<usize>,
    /// Octets that are read in 24 hours.
    pub read_bytes_per_day: Option<u64>,
    /// Octets that are written in 24 hours.
    pub written_bytes_per_day: Option<u64>,
    /// Messages that are written in a second.
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

/// What names of folders must keep to, beside what the server tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct NameFacts {
    /// Names that differ only by case are one folder.
    pub ignores_case: bool,
    /// Names of the first level that only the server itself can make.
    pub reserved: Vec<String>,
    /// Names of the first level whose folders are listed and are not for mail: left out of a source, unless asked for.
    pub not_mail: Vec<String>,
    /// Characters that no name may have, beside the separator.
    pub forbidden: String,
    /// Blanks at the ends of a name and two in a row are refused.
    pub refuses_outer_blanks: bool,
    /// There are no folders below INBOX.
    pub refuses_below_inbox: bool,
    /// Names of the first level below which all new folders must be; the first is taken.
    pub roots: Vec<String>,
    /// Characters of the longest name, parents and separators included.
    pub longest_path: Option<usize>,
}

impl NameFacts {
    /// Which names folders can have there, where this separates levels.
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
    /// What is done otherwise because a server is of this kind, and what an administrator should know: sentences.
    pub fn differences(&self) -> Vec<String> {
        let mut told = Vec::new();
        if !self.deny.is_empty() {
            told.push(format!("Extensions that are not used: {}.", self.deny.join(", ")));
        }
        if !self.never_sent.is_empty() {
            told.push(format!("Keywords that are not sent: {}.", self.never_sent.join(", ")));
        }
        if !self.names.reserved.is_empty() {
            told.push(format!("Folders that cannot be made: {}.", self.names.reserved.join(", ")));
        }
        if let Some(root) = self.names.roots.first() {
            told.push(format!("New folders are made below {root}."));
        }
        if !self.names.not_mail.is_empty() {
            told.push(format!("Folders that are not for mail: {}.", self.names.not_mail.join(", ")));
        }
        told.extend(self.notes.iter().cloned());
        told
    }

    /// Why a folder of a source is left out, where such a server has it for something else.
    pub(crate) fn leave_out(&self, folder: &Folder) -> Option<LeaveOut> {
        let outer = ignoring_case(folder.path.segments().first()?);
        self.names.not_mail.iter().find(|it| ignoring_case(it) == outer)?;
        let shown = folder.status.map_or_else(String::new, |it| format!("; it shows {}", it.messages));
        let reason =
            format!("not for mail on {}{shown}: name it in the folder map to carry it too", self.name);
        Some(LeaveOut::UnlessWanted(reason))
    }

    /// How many more commands may be refused, after so many, before the server hangs up; `None` where it does not.
    pub(crate) fn allowance(&self, refusals: u32) -> Option<u32> {
        Some(self.errors_per_session?.saturating_sub(1).saturating_sub(refusals))
    }
}

/// By what a server is known: all that is named must hold, whatever the case of letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sign {
    /// Part of the name or vendor that ID tells.
    id: Option<String>,
    /// With which the version that ID tells begins.
    version: Option<String>,
    /// Part of the greeting's words.
    greeting: Option<String>,
    /// A capability.
    capability: Option<String>,
}

/// What a server says of itself.
#[derive(Clone, Copy, Debug)]
pub struct ServerIdentity<'a> {
    /// The greeting's words.
    pub greeting: &'a str,
    /// The answer to ID (RFC 2971); empty where there is none.
    pub id: &'a [(String, Option<String>)],
    /// What it can do.
    pub capabilities: &'a Capabilities,
}

impl ServerIdentity<'_> {
    fn field(&self, name: &str) -> &str {
        let field = self.id.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        field.and_then(|(_, value)| value.as_deref()).unwrap_or_default()
    }
}

impl Sign {
    /// Why the server is of this kind; `None` where it is not.
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

/// A profile, and why it is this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileChoice {
    /// What holds for the server.
    pub profile: &'static Profile,
    /// By what it was known: `greeting says Dovecot`.
    pub reason: String,
}

impl Default for ProfileChoice {
    fn default() -> Self {
        Self { profile: &GENERIC, reason: "nothing is known of the server".to_owned() }
    }
}

/// All kinds of servers that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profiles {
    #[serde(rename = "profile")]
    profiles: Vec<Profile>,
}

impl Profiles {
    /// Those of this program.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Their names, for those who choose.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles.iter().map(|it| it.name.as_str())
    }

    /// The profile of this name, in any case of letters.
    pub fn find(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|it| it.name.eq_ignore_ascii_case(name))
    }

    /// What kind of server this is. A profile that the operator named is taken as it is; `Err` has the words where there is
    /// none of that name. What ID says goes before greetings and capabilities, which proxies may have changed.
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
        // Only the last one is everybody's, and it is what is taken where nothing is known.
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

    /// Greeting, answer to ID, capabilities; and what is made of them.
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
            "Folders that cannot be made: Files.",
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
            // A proxy greets, and the server behind it says who it is.
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
