//! Forms of login by which administrators open users' mailboxes, and the judgement of refusals. Pure.

use mailhaul_imap::{Error, ErrorKind, response::Code};
use mailhaul_migration::AdminForm;

/// Form of login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The login names the mailbox.
    Login(AdminForm),
    /// The administrator signs in alone, and sees the mailbox among the folders of other users (Courier).
    UserRoot,
}

impl Form {
    /// Name in the findings.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Login(AdminForm::AuthorizationIdentity) => "SASL authorization identity".to_owned(),
            Self::Login(form) => form.setting().unwrap_or_default().to_owned(),
            Self::UserRoot => "UserRoot".to_owned(),
        }
    }

    fn template(text: impl Into<String>) -> Self {
        Self::Login(AdminForm::Template(text.into()))
    }

    /// True if it begins with the administrator's own login.
    pub(crate) fn needs_own_login(&self) -> bool {
        matches!(self, Self::UserRoot | Self::Login(AdminForm::ProxyAuth))
    }
}

/// Forms to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// In order: first the forms that match the server's words, then the most common ones.
    pub(crate) forms: Vec<Form>,
    /// Reason why some forms are missing.
    pub(crate) left_out: Option<String>,
}

/// Separators between user and administrator, the most common first.
const SEPARATORS: [char; 4] = ['*', '%', '+', ':'];

/// Server that uses a form.
struct KnownServer {
    /// Words of its greeting or ID in lower case.
    words: &'static [&'static str],
    is_form: fn(&Form) -> bool,
}

const KNOWN_SERVERS: [KnownServer; 5] = [
    KnownServer {
        words: &["exchange"],
        is_form: |it| is_template(it, |template| template.contains("/{admin}/")),
    },
    KnownServer {
        words: &["mirapoint"],
        is_form: |it| is_template(it, |template| template.starts_with('#')),
    },
    KnownServer {
        words: &["oracle", "sun ", "iplanet", "netscape"],
        is_form: |it| *it == Form::Login(AdminForm::ProxyAuth),
    },
    KnownServer { words: &["courier"], is_form: |it| *it == Form::UserRoot },
    KnownServer {
        words: &["dovecot"],
        is_form: |it| is_template(it, |template| template == "{user}*{admin}"),
    },
];

fn is_template(form: &Form, is: impl Fn(&str) -> bool) -> bool {
    matches!(form, Form::Login(AdminForm::Template(template)) if is(template))
}

/// Returns the forms to try on a server with these words in its greeting or ID.
pub(crate) fn plan(admin: &str, mailbox: &str, words: &str) -> Plan {
    let mut forms = vec![Form::Login(AdminForm::AuthorizationIdentity)];
    // These need no further login after the administrator's own.
    forms.extend([Form::Login(AdminForm::ProxyAuth), Form::UserRoot]);
    forms.extend(SEPARATORS.map(|it| Form::template(format!("{{user}}{it}{{admin}}"))));
    let domain = domain(admin, mailbox);
    if let Some(domain) = &domain {
        // Exchange uses the short name of a domain, usually the first part of the long one.
        let short = domain.split('.').next().unwrap_or(domain);
        let exchange = if domain == short { vec![short] } else { vec![short, domain] };
        forms.extend(exchange.into_iter().map(|it| Form::template(format!("{it}/{{admin}}/{{user}}"))));
        forms.push(Form::template("#{user}#{admin}#"));
    }
    let words = words.to_lowercase();
    for server in KNOWN_SERVERS.iter().filter(|it| it.words.iter().any(|word| words.contains(word))) {
        forms.sort_by_key(|form| !(server.is_form)(form));
    }
    let left_out = domain.is_none().then(|| {
        "domain/admin/user (Exchange) and #user@domain#admin# (Mirapoint) need a domain; give -TestMailbox as user@domain."
            .to_owned()
    });
    Plan { forms, left_out }
}

/// Returns the domain of the mailbox, else that of the administrator.
fn domain(admin: &str, mailbox: &str) -> Option<String> {
    let of_address = |it: &str| it.rsplit_once('@').map(|(_, domain)| domain.to_owned());
    let of_windows = admin.split_once(['\\', '/']).map(|(domain, _)| domain.to_owned());
    of_address(mailbox).or(of_windows).or_else(|| of_address(admin)).filter(|it| !it.is_empty())
}

/// Returns the user name for this form.
///
/// Exchange's forms contain the domain already, so their user name has none. Mirapoint's form needs it.
pub(crate) fn user_of(form: &Form, admin: &str, mailbox: &str) -> String {
    let bare = mailbox.split('@').next().unwrap_or(mailbox);
    if is_template(form, |it| it.ends_with("/{admin}/{user}")) {
        bare.to_owned()
    } else if is_template(form, |it| it.starts_with('#')) && bare == mailbox {
        domain(admin, mailbox).map_or_else(|| mailbox.to_owned(), |domain| format!("{mailbox}@{domain}"))
    } else {
        mailbox.to_owned()
    }
}

/// Conclusion from a refused login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Another form may work.
    GoOn,
    /// The password is wrong, or the account or this machine is locked. Further attempts could make it worse.
    Stop,
}

/// Words of servers for a wrong password or a lock.
///
/// "Invalid user name or password" is missing: servers also say it for a form that they do not know.
const FINAL_WORDS: [&str; 11] = [
    "locked",
    "disabled",
    "blocked",
    "suspended",
    "too many",
    "wrong password",
    "incorrect password",
    "bad password",
    "invalid password",
    "password expired",
    "password has expired",
];

/// Returns the conclusion from this refusal.
pub(crate) fn judge(error: &Error) -> Verdict {
    let is_about_account =
        matches!(error.code, Some(Code::Expired | Code::ContactAdmin | Code::PrivacyRequired));
    let text = error.message.to_lowercase();
    if error.kind != ErrorKind::Authentication
        || is_about_account
        || FINAL_WORDS.iter().any(|words| text.contains(words))
    {
        Verdict::Stop
    } else {
        Verdict::GoOn
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_imap::response::{Status, StatusResponse};

    use super::*;

    fn names(admin: &str, mailbox: &str, words: &str) -> Vec<String> {
        plan(admin, mailbox, words).forms.iter().map(Form::name).collect()
    }

    #[test]
    fn every_form_occurs_once_and_the_likely_one_first() {
        let all = [
            "SASL authorization identity",
            "PROXYAUTH",
            "UserRoot",
            "{user}*{admin}",
            "{user}%{admin}",
            "{user}+{admin}",
            "{user}:{admin}",
            "contoso/{admin}/{user}",
            "contoso.edu/{admin}/{user}",
            "#{user}#{admin}#",
        ];
        assert_eq!(names("mailadmin", "terry@contoso.edu", "ready"), all);
        for (words, first) in [
            ("The Microsoft Exchange Server 2007 IMAP4 service is ready", &all[7..9]),
            ("mail.example Mirapoint IMAP4 server", &all[9..]),
            ("Oracle Communications Messaging Server", &all[1..2]),
            ("Courier-IMAP ready", &all[2..3]),
            ("Dovecot (Debian) ready.", &all[3..4]),
        ] {
            let names = names("mailadmin", "terry@contoso.edu", words);
            assert_eq!(names[..first.len()], *first, "{words}");
            assert_eq!(names.len(), all.len());
        }
    }

    #[test]
    fn the_domain_is_that_of_the_mailbox_or_the_administrator() {
        let with = |admin, mailbox| {
            plan(admin, mailbox, "").forms.iter().any(|it| it.name() == "CONTOSO/{admin}/{user}")
        };
        assert!(
            with("CONTOSO\\mailadmin", "terry") && with("a@CONTOSO", "terry") && with("a", "terry@CONTOSO")
        );
        let without = plan("mailadmin", "terry", "");
        assert_eq!(without.forms.len(), 7);
        assert!(without.left_out.unwrap().contains("-TestMailbox as user@domain"));
    }

    #[test]
    fn each_form_has_its_user_name() {
        let login = |template: &str, admin: &str, mailbox: &str| {
            let form = Form::template(template);
            let Form::Login(it) = &form else { panic!("no login") };
            it.login(admin, &user_of(&form, admin, mailbox))
        };
        for (template, expected) in [
            ("{user}*{admin}", "terry.adams@contoso.edu*mailadmin"),
            ("contoso/{admin}/{user}", "contoso/mailadmin/terry.adams"),
            ("#{user}#{admin}#", "#terry.adams@contoso.edu#mailadmin#"),
        ] {
            assert_eq!(login(template, "mailadmin", "terry.adams@contoso.edu"), expected);
        }
        assert_eq!(login("#{user}#{admin}#", "root@x.edu", "ann"), "#ann@x.edu#root@x.edu#");
    }

    #[test]
    fn a_final_refusal_ends_the_search() {
        let refused = |code: Option<Code>, text: &str| {
            let status = StatusResponse { status: Status::No, code, text: text.to_owned() };
            Error { kind: ErrorKind::Authentication, ..Error::refused("LOGIN", &status) }
        };
        for (code, text, verdict) in [
            (Some(Code::AuthenticationFailed), "Authentication failed.", Verdict::GoOn),
            (Some(Code::AuthorizationFailed), "", Verdict::GoOn),
            (None, "Invalid username or password", Verdict::GoOn),
            (None, "LOGIN failed.", Verdict::GoOn),
            (None, "Account is LOCKED out", Verdict::Stop),
            (None, "Incorrect password for user", Verdict::Stop),
            (Some(Code::Expired), "", Verdict::Stop),
            (Some(Code::ContactAdmin), "", Verdict::Stop),
        ] {
            assert_eq!(judge(&refused(code, text)), verdict, "{text}");
        }
        assert_eq!(judge(&Error::session(ErrorKind::Throttled, "later")), Verdict::Stop);
        assert_eq!(judge(&Error::session(ErrorKind::Connection, "broken")), Verdict::Stop);
    }
}
