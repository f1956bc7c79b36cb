//! Which flags a folder keeps.

use mailhaul_imap::{MailboxData, is_flag};

/// The flags that the selected folder keeps (PERMANENTFLAGS, RFC 9051, section 7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keepable {
    /// `None` where the server does not say: then all may be kept.
    listed: Option<Vec<String>>,
    /// Keywords that are not sent though they might be kept.
    never_sent: &'static [String],
}

impl Keepable {
    pub(crate) fn of(data: &MailboxData) -> Self {
        Self { listed: data.permanent_flags.clone(), never_sent: &[] }
    }

    /// Without these keywords.
    #[must_use]
    pub(crate) fn without(self, never_sent: &'static [String]) -> Self {
        Self { never_sent, ..self }
    }

    /// Whether the flag can be sent and will be kept.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        if self.never_sent.iter().any(|it| it.eq_ignore_ascii_case(name)) {
            return false;
        }
        let Some(listed) = &self.listed else { return is_flag(name) };
        let is_keyword = !name.starts_with('\\');
        is_flag(name)
            && listed.iter().any(|it| it.eq_ignore_ascii_case(name) || (is_keyword && it.as_str() == "\\*"))
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Flags;

    use super::*;

    fn kept(permanent: Option<&str>, flags: &str) -> String {
        let permanent_flags = permanent.map(|it| it.split_whitespace().map(str::to_owned).collect());
        let data = MailboxData { permanent_flags, ..MailboxData::default() };
        let keepable = Keepable::of(&data).without(&[]);
        flags.split_whitespace().collect::<Flags>().filtered(|name| keepable.keeps(name)).to_string()
    }

    #[test]
    fn only_what_the_server_keeps_is_sent() {
        let flags = "\\Seen \\Flagged \\Forwarded $MDNSent b{ad";
        assert_eq!(kept(None, flags), "\\Flagged \\Seen $MDNSent \\Forwarded");
        assert_eq!(kept(Some("\\Seen \\*"), flags), "\\Seen $MDNSent");
        assert_eq!(kept(Some("\\Seen \\Flagged $mdnsent"), flags), "\\Flagged \\Seen $MDNSent");
        assert_eq!(kept(Some(""), flags), "");
    }
}
