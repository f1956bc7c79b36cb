//! The forms by which administrators open other mailboxes, and what a refusal tells of the others.

use mailhaul_imap::{Error, ErrorKind, response::Code};
use mailhaul_migration::AdminForm;

/// One form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The mailbox is named with, in or after the login.
    Login(AdminForm),
    /// The administrator logs in plainly, and sees the mailbox among others' folders (Courier).
    UserRoot,
}

impl Form {
    /// As it is shown.
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

    /// Whether it begins with the administrator's own login.
    pub(crate) fn needs_own_login(&self) -> bool {
        matches!(self, Self::UserRoot | Self::Login(AdminForm::ProxyAuth))
    }
}

/// The forms to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// In their order: those first for which the server's own words speak, then those that many servers know.
    pub(crate) forms: Vec<Form>,
    /// Why some are not among them.
    pub(crate) left_out: Option<String>,
}

/// The separators between user and administrator that are in use, the most usual first.
const SEPARATORS: [char; 4] = ['*', '%', '+', ':'];

/// With whom a form is at home.
struct Home {
    /// Words of the greeting or of the answer to ID, in lower case.
    words: &'static [&'static str],
    is_form: fn(&Form) -> bool,
}

const HOMES: [Home; 5] = [
    Home { words: &["exchange"], is_form: |it| is_template(it, |template| template.contains("/{admin}/")) },
    Home { words: &["mirapoint"], is_form: |it| is_template(it, |template| template.starts_with('#')) },
    Home {
        words: &["oracle", "sun ", "iplanet", "netscape"],
        is_form: |it| *it == Form::Login(AdminForm::ProxyAuth),
    },
    Home { words: &["courier"], is_form: |it| *it == Form::UserRoot },
    Home { words: &["dovecot"], is_form: |it| is_template(it, |template| template == "{user}*{admin}") },
];

fn is_template(form: &Form, is: impl Fn(&str) -> bool) -> bool {
    matches!(form, Form::Login(AdminForm::Template(template)) if is(template))
}

/// Which forms to try on a server that says `words` of itself.
pub(crate) fn plan(admin: &str, mailbox: &str, words: &str) -> Plan {
    let mut forms = vec![Form::Login(AdminForm::AuthorizationIdentity)];
    // These cost no further login where the administrator is in already.
    forms.extend([Form::Login(AdminForm::ProxyAuth), Form::UserRoot]);
    forms.extend(SEPARATORS.map(|it| Form::template(format!("{{user}}{it}{{admin}}"))));
    let domain = domain(admin, mailbox);
    if let Some(domain) = &domain {
        // Exchange knows a domain by its short name, as a rule the first part of the long one.
        let short = domain.split('.').next().unwrap_or(domain);
        let exchange = if domain == short { vec![short] } else { vec![short, domain] };
        forms.extend(exchange.into_iter().map(|it| Form::template(format!("{it}/{{admin}}/{{user}}"))));
        forms.push(Form::template("#{user}#{admin}#"));
    }
    let words = words.to_lowercase();
    for home in HOMES.iter().filter(|it| it.words.iter().any(|word| words.contains(word))) {
        forms.sort_by_key(|it| !(home.is_form)(it));
    }
    let left_out = domain.is_none().then(|| {
        "domain/admin/user (Exchange) and #user@domain#admin# (Mirapoint): which domain? Give -TestMailbox as user@domain."
            .to_owned()
    });
    Plan { forms, left_out }
}

/// The domain of both: the mailbox's, else the administrator's.
fn domain(admin: &str, mailbox: &str) -> Option<String> {
    let of_address = |it: &str| it.rsplit_once('@').map(|(_, domain)| domain.to_owned());
    let of_windows = admin.split_once(['\\', '/']).map(|(domain, _)| domain.to_owned());
    of_address(mailbox).or(of_windows).or_else(|| of_address(admin)).filter(|it| !it.is_empty())
}

/// The user as this form names it: Exchange's forms take it without its domain, which they have already, and Mirapoint's
/// only with it.
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

/// What a refused login tells of those that were not tried yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing: another form may be taken.
    GoOn,
    /// The password is wrong, or the account or this machine is shut out: each further try could make it worse.
    Stop,
}

/// Words by which servers tell that it is the password, or that they have had enough. "Invalid user name or password" is
/// not among them: so they speak of a form that they do not know.
const ENOUGH: [&str; 11] = [
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

/// Judges a refusal.
pub(crate) fn judge(error: &Error) -> Verdict {
    let is_about_account =
        matches!(error.code, Some(Code::Expired | Code::ContactAdmin | Code::PrivacyRequired));
    let text = error.message.to_lowercase();
    if error.kind != ErrorKind::Authentication
        || is_about_account
        || ENOUGH.iter().any(|it| text.contains(it))
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
    fn every_form_is_tried_once_and_the_likely_one_first() {
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
    fn the_domain_is_taken_from_where_there_is_one() {
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
    fn each_form_names_the_user_in_its_way() {
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
    fn a_refusal_that_tells_ends_the_tries() {
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
