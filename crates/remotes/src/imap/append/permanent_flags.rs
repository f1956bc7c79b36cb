//! Flags that a folder stores permanently (PERMANENTFLAGS).

use mailhaul_imap::{MailboxData, is_flag};
use mailhaul_mail::SystemFlag;

/// Flags that may be sent into the selected folder (PERMANENTFLAGS, RFC 9051, section 7.1).
///
/// System flags may always be sent: some servers list only `\*`, or nothing for an empty folder, and store
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PermanentFlags {
    /// `None` if the server lists none: then all flags may be kept.
    listed: Option<Vec<String>>,
    /// Flags that are never sent, even if the server would keep them.
    never_sent: &'static [String],
}

impl PermanentFlags {
    pub(crate) fn from_data(data: &MailboxData) -> Self {
        // UW-imapd lists nothing for a folder without messages.
        let listed = data.permanent_flags.clone().filter(|it| !it.is_empty() || data.exists > 0);
        Self { listed, never_sent: &[] }
    }

    /// Excludes these flags.
    #[must_use]
    pub(crate) fn without(self, never_sent: &'static [String]) -> Self {
        Self { never_sent, ..self }
    }

    /// True if the flag can be sent and may be kept.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        let is_never_sent = self.never_sent.iter().any(|it| it.eq_ignore_ascii_case(name));
        !is_never_sent && is_flag(name) && (is_system(name) || self.lists(name))
    }

    /// True unless the server says that it does not keep the flag.
    pub(crate) fn lists(&self, name: &str) -> bool {
        let Some(listed) = &self.listed else { return true };
        let is_keyword = !name.starts_with('\\');
        listed.iter().any(|it| it.eq_ignore_ascii_case(name) || (is_keyword && it.as_str() == "\\*"))
    }
}

pub(crate) fn is_system(name: &str) -> bool {
    SystemFlag::ALL.iter().any(|it| it.name().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Flags;

    use super::*;

    fn kept(permanent: Option<&str>, exists: u32, flags: &str) -> String {
        let permanent_flags = permanent.map(|it| it.split_whitespace().map(str::to_owned).collect());
        let data = MailboxData { permanent_flags, exists, ..MailboxData::default() };
        let permanent = PermanentFlags::from_data(&data).without(&[]);
        flags.split_whitespace().collect::<Flags>().filtered(|name| permanent.keeps(name)).to_string()
    }

    #[test]
    fn keywords_are_sent_if_kept_and_system_flags_always() {
        let flags = "\\Seen \\Flagged \\Forwarded $MDNSent b{ad";
        let system = "\\Flagged \\Seen";
        assert_eq!(kept(None, 1, flags), format!("{system} $MDNSent \\Forwarded"));
        assert_eq!(kept(Some("\\Seen \\*"), 1, flags), format!("{system} $MDNSent"));
        assert_eq!(kept(Some("\\Seen \\Flagged $mdnsent"), 1, flags), format!("{system} $MDNSent"));
        assert_eq!(kept(Some(""), 1, flags), system);
        assert_eq!(kept(Some(""), 0, flags), format!("{system} $MDNSent \\Forwarded"), "UW-imapd");
    }
}
