//! Address of a server on the command line.

use std::{fmt, str::FromStr};

use mailhaul_imap::Security;
use percent_encoding::percent_decode_str;
use url::Url;

/// `imaps://[user@]host[:993]`, `imap://[user@]host[:143]`, `imap+plain://[user@]host[:143]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    pub(crate) security: Security,
    pub(crate) user: Option<String>,
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Schemes with their security and default port.
const SCHEMES: [(&str, Security, u16); 3] = [
    ("imaps", Security::Implicit, 993),
    ("imap", Security::StartTls, 143),
    ("imap+plain", Security::Clear, 143),
];

impl FromStr for ServerUrl {
    type Err = String;

    /// Errors never contain the address: it may contain a password.
    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "write imaps://[user@]host[:port] (TLS), imap://... (STARTTLS) or imap+plain://... (no encryption)";
        let url = Url::parse(text).map_err(|error| format!("not an address ({error}); {FORM}"))?;
        let Some((_, security, usual_port)) = SCHEMES.iter().find(|(scheme, ..)| *scheme == url.scheme())
        else {
            return Err(format!("unknown scheme; {FORM}"));
        };
        if url.password().is_some() {
            return Err("a password in an address is refused, because all users of this machine can see it; use a password file, \
                        the environment, or the prompt"
                .to_owned());
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(format!("unexpected text after the host; {FORM}"));
        }
        let host = url
            .host_str()
            .filter(|it| !it.is_empty())
            .ok_or_else(|| format!("the host is missing; {FORM}"))?;
        let decode = |text: &str| -> Result<String, String> {
            let decoded = percent_decode_str(text).decode_utf8();
            decoded.map(std::borrow::Cow::into_owned).map_err(|_| "not UTF-8 text".to_owned())
        };
        Ok(Self {
            security: *security,
            user: Some(decode(url.username())?).filter(|it| !it.is_empty()),
            host: decode(host)?,
            port: url.port().unwrap_or(*usual_port),
        })
    }
}

/// Host and port, which identify the server.
impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed() {
        let table = [
            ("imaps://old.example.org", Security::Implicit, None, "old.example.org", 993),
            ("imap://terrya@old.example.org", Security::StartTls, Some("terrya"), "old.example.org", 143),
            ("imap+plain://127.0.0.1:10143/", Security::Clear, None, "127.0.0.1", 10143),
            (
                "imaps://terrya@contoso.edu@mail.example",
                Security::Implicit,
                Some("terrya@contoso.edu"),
                "mail.example",
                993,
            ),
            (
                "imaps://terry%2Fadams*admin@[::1]:9993",
                Security::Implicit,
                Some("terry/adams*admin"),
                "[::1]",
                9993,
            ),
        ];
        for (text, security, user, host, port) in table {
            let user = user.map(str::to_owned);
            assert_eq!(text.parse(), Ok(ServerUrl { security, user, host: host.to_owned(), port }), "{text}");
        }
    }

    #[test]
    fn a_refusal_has_the_reason_and_no_password() {
        let table = [
            ("old.example.org", "not an address"),
            ("pop3://old.example.org", "unknown scheme"),
            ("imaps://terrya:hunter2@old.example.org", "a password in an address"),
            ("imaps://old.example.org/INBOX", "unexpected text after the host"),
            ("imaps://", "host"),
            ("imaps://h:99999", "not an address"),
        ];
        for (text, words) in table {
            let error = text.parse::<ServerUrl>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
