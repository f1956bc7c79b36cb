//! Remedies for errors of connecting and signing in, chosen by the words of the error.

use std::fmt::Write as _;

use mailhaul_imap::SignInRefusal;

/// Topic of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// The server refused to sign in.
    SignIn,
    /// No TLS connection, or an untrusted certificate.
    Tls,
    /// The server does not speak IMAP, or violated the protocol.
    Protocol,
    /// The server is unreachable.
    Unreachable,
}

/// Names of settings, as the operator writes them.
pub(crate) struct Names {
    ca: &'static str,
    pin: &'static str,
    tls: &'static str,
    starttls: &'static str,
    plain: &'static str,
    token: &'static str,
}

/// Options of `mailhaul migrate` for the source.
pub(crate) const SOURCE: Names =
    Names { ca: "--from-ca FILE", pin: "--from-pin SHA256", token: "--from-token-command", ..TARGET };
/// Options of `mailhaul migrate` for the target.
pub(crate) const TARGET: Names = Names {
    ca: "--to-ca FILE",
    pin: "--to-pin SHA256",
    tls: "imaps://",
    starttls: "imap://",
    plain: "imap+plain://",
    token: "--to-token-command",
};
/// Parameters of an endpoint.
pub(crate) const ENDPOINT: Names = Names {
    ca: "-CertificateAuthorities",
    pin: "-CertificateSha256",
    tls: "-Security Ssl",
    starttls: "-Security Tls",
    plain: "-Security None",
    token: "an endpoint with access tokens",
};

/// Words of mailhaul's own errors in lower case, with the remedy. The first row that matches counts.
///
/// `{ca}` and the like become names of settings.
const WORDS: [(Topic, &str, &str); 15] = [
    (
        Topic::Tls,
        "tls 1.1 or older",
        "put stunnel or an SSH tunnel in front of the server, and reach that with {plain}",
    ),
    (
        Topic::Tls,
        "cipher in common",
        "put stunnel or an SSH tunnel in front of the server, and reach that with {plain}",
    ),
    (Topic::Tls, "speaks tls on port", "use {tls}"),
    (
        Topic::Tls,
        "it speaks imap there without tls",
        "use {starttls} for STARTTLS, or {plain} without encryption",
    ),
    (Topic::Tls, "does not speak tls on this port", "check the port: 993 with {tls}, 143 with {starttls}"),
    (
        Topic::Tls,
        "does not offer starttls",
        "use {tls} on the server's port for TLS (993), or {plain} without encryption",
    ),
    (Topic::Tls, "(preauth)", "use {tls} on a port where the server asks for a sign-in"),
    (
        Topic::Tls,
        "key is too short",
        "install a certificate with a longer key, or trust this certificate with {pin}",
    ),
    (
        Topic::Tls,
        "certificate of version 1",
        "install a certificate of version 3, or trust this certificate with {pin}",
    ),
    (
        Topic::Tls,
        "is not the pinned one",
        "compare it with the server's certificate; if that was renewed, set {pin} to the new value",
    ),
    (Topic::Tls, "has expired", "renew the server's certificate, or trust this certificate with {pin}"),
    (
        Topic::Tls,
        "for another name",
        "use the server name that the certificate contains, or trust this certificate with {pin}",
    ),
    (
        Topic::Tls,
        "is not trusted",
        "give the authority's certificate with {ca}, or trust this certificate with {pin}",
    ),
    (
        Topic::Protocol,
        "does not speak imap",
        "check the server's name and the port: 993 with {tls}, 143 with {starttls}",
    ),
    (
        Topic::Unreachable,
        "",
        "check the server's name and the port, and that no firewall blocks connections to it",
    ),
];

/// Returns the remedy as a sentence without capital and full stop; `None` if no row matches.
pub(crate) fn remedy(topic: Topic, words: &str, names: &Names) -> Option<String> {
    let words = words.to_lowercase();
    let row = WORDS.iter().find(|(of, known, _)| *of == topic && words.contains(known));
    let remedy = match topic {
        Topic::SignIn => of_sign_in(SignInRefusal::in_words(&words)?),
        Topic::Tls | Topic::Protocol | Topic::Unreachable => row?.2,
    };
    Some(names.fill(remedy))
}

impl Names {
    fn fill(&self, text: &str) -> String {
        let settings = [
            ("ca", self.ca),
            ("pin", self.pin),
            ("tls", self.tls),
            ("starttls", self.starttls),
            ("plain", self.plain),
            ("token", self.token),
        ];
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            let value = settings.iter().find(|(known, _)| *known == name).map_or(name, |(_, value)| value);
            // Writing into a text cannot fail.
            _ = write!(filled, "{before}{value}");
            rest = after;
        }
        filled + rest
    }
}

fn of_sign_in(refusal: SignInRefusal) -> &'static str {
    match refusal {
        SignInRefusal::NeedsTls => {
            "use {tls}, or {starttls} for STARTTLS; the server accepts no password without TLS"
        }
        SignInRefusal::Referral => "use the server that the answer names: it has the mailbox",
        SignInRefusal::WebBrowser => {
            "sign in with a web browser first, as the server says; it may require an app password"
        }
        SignInRefusal::AppPassword => {
            "create an app password in the account's settings, and use it instead of the usual password"
        }
        SignInRefusal::NeedsToken => "use access tokens (OAuth): {token}; the service accepts no passwords",
        SignInRefusal::ImapDisabled => {
            "enable IMAP for the account; its owner or its administrator can do so"
        }
        SignInRefusal::Expired => "set a new password; the old one or the account has expired",
        SignInRefusal::Locked => {
            "ask the server's administrator to unlock the account; a new password does not help"
        }
        SignInRefusal::TooManyTries => "wait before the next attempt; the server has seen too many",
        SignInRefusal::NotAuthorized => {
            "check that the mailbox exists under this name and that the account may open it; the password is correct"
        }
        SignInRefusal::AlreadySignedIn => "use a port where the server asks for a sign-in",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_choose_the_remedy() {
        use Topic::{Protocol, SignIn, Tls};
        for (topic, words, expected) in [
            (SignIn, "LOGIN refused: NO [ALERT] Application-specific password required", "app password"),
            (SignIn, "LOGIN refused: NO please enable IMAP", "enable IMAP"),
            (SignIn, "LOGIN refused: NO [CONTACTADMIN] This account is blocked", "unlock the account"),
            (SignIn, "the server says that a user is signed in already (PREAUTH)", "asks for a sign-in"),
            (SignIn, "NO [REFERRAL imap://new.example/] no", "the server that the answer names"),
            (Tls, "the server speaks only TLS 1.1 or older (its alert)", "stunnel or an SSH tunnel"),
            (Tls, "h: the server speaks TLS on port 993 from the start", "use imaps://"),
            (Tls, "the certificate of h is not trusted: it is self-signed", "--from-pin SHA256"),
            (Tls, "the certificate of h is not trusted: it has expired", "renew the server's certificate"),
            (
                Protocol,
                "what answers on port 25 speaks SMTP; it does not speak IMAP",
                "the port: 993 with imaps://",
            ),
        ] {
            let remedy = remedy(topic, words, &SOURCE).unwrap();
            assert!(remedy.contains(expected), "{words}: {remedy}");
            assert!(!remedy.contains(['{', '}']), "{remedy}");
        }
        assert_eq!(remedy(SignIn, "NO [AUTHENTICATIONFAILED] no", &SOURCE), None);
        assert_eq!(remedy(Protocol, "the answer has no end", &SOURCE), None);
        assert_eq!(remedy(Tls, "the server speaks TLS on port 1", &ENDPOINT).unwrap(), "use -Security Ssl");
    }
}
