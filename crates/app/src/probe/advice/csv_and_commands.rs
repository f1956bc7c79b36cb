//! CSV lines and commands for a migration that signs in as the test did. They contain no password.

use mailhaul_imap::{ConnectOptions, Security};
use mailhaul_migration::AdminForm;

use super::forms::{Form, user_of};
use crate::{output::text, probe::request::Administrator};

const PASSWORD: &str = "<password>";

/// Returns lines of a CSV file, and a command for an endpoint that needs no passwords in the file.
pub(crate) fn instructions(
    options: &ConnectOptions,
    endpoint: Option<&str>,
    admin: &Administrator,
    form: &Form,
    user_root: Option<&str>,
) -> Vec<String> {
    let user = user_of(form, &admin.user_name, &admin.mailbox);
    let address = if admin.mailbox.contains('@') { &admin.mailbox } else { "<e-mail address>" };
    let (login, setting) = match form {
        Form::UserRoot => {
            let cells = [address, &admin.user_name, PASSWORD, user_root.unwrap_or_default()];
            return vec![
                "CSV file:".to_owned(),
                "  EmailAddress,UserName,Password,UserRoot".to_owned(),
                format!("  {}", row(&cells)),
            ];
        }
        Form::Login(AdminForm::Template(template)) => (
            Some(AdminForm::Template(template.clone()).login(&admin.user_name, &user)),
            Some(template.as_str()),
        ),
        Form::Login(form) => (None, form.setting()),
    };
    let mut lines = Vec::new();
    if let Some(login) = login {
        lines.push("CSV file with the whole login of each user:".to_owned());
        lines.push("  EmailAddress,UserName,Password".to_owned());
        lines.push(format!("  {}", row(&[address, &login, PASSWORD])));
        lines.push("Or an endpoint with the administrator's login:".to_owned());
    } else {
        lines.push("An endpoint with the administrator's login:".to_owned());
    }
    lines.push(format!("  {}", command(options, endpoint, &admin.user_name, setting)));
    lines.push("and a CSV file without passwords:".to_owned());
    lines.push("  EmailAddress,UserName".to_owned());
    lines.push(format!("  {}", row(&[address, &user])));
    lines
}

/// Returns the cmdlet that creates the endpoint, or that changes the tested one.
fn command(options: &ConnectOptions, endpoint: Option<&str>, admin: &str, setting: Option<&str>) -> String {
    let mut words = match endpoint {
        Some(name) => vec!["Set-MigrationEndpoint".to_owned(), word(name)],
        None => new_endpoint(options),
    };
    words.extend(["-Credential".to_owned(), word(admin)]);
    match (setting, endpoint) {
        (Some(setting), _) => words.extend(["-UserNameTemplate".to_owned(), word(setting)]),
        (None, Some(_)) => words.extend(["-UserNameTemplate".to_owned(), "$null".to_owned()]),
        (None, None) => {}
    }
    words.join(" ")
}

fn new_endpoint(options: &ConnectOptions) -> Vec<String> {
    let security = match options.security {
        Security::Implicit => "Ssl",
        Security::StartTls => "Tls",
        Security::Clear => "None",
    };
    let host = word(&options.host);
    let mut words = vec![
        format!("New-MigrationEndpoint -IMAP -Name {host} -RemoteServer {host}"),
        format!("-Port {} -Security {security}", options.port),
    ];
    if let Some(pin) = &options.tls.pin_sha256 {
        words.push(format!("-CertificateSha256 {}", text::hexadecimal(pin)));
    }
    if options.tls.ca_pem.is_some() {
        words.push("-CertificateAuthorities <file>".to_owned());
    }
    if options.tls.accept_untrusted {
        words.push("-AcceptUntrustedCertificates".to_owned());
    }
    words
}

/// Returns the word of a command, in quotes if needed.
pub(crate) fn word(text: &str) -> String {
    let is_plain = |it: char| it.is_alphanumeric() || matches!(it, '.' | '-' | '_' | '@' | ':');
    if !text.is_empty() && text.chars().all(is_plain) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns a row of a CSV file (RFC 4180).
fn row(cells: &[&str]) -> String {
    let cell = |it: &&str| {
        if it.contains([',', '"', '\r', '\n']) {
            format!("\"{}\"", it.replace('"', "\"\""))
        } else {
            (*it).to_owned()
        }
    };
    cells.iter().map(cell).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Secret;

    use super::*;

    fn admin(mailbox: &str) -> Administrator {
        Administrator {
            user_name: "mailadmin".to_owned(),
            password: Secret::new("hunter2"),
            mailbox: mailbox.to_owned(),
            form: None,
        }
    }

    #[test]
    fn a_template_fits_the_csv_file_and_the_endpoint() {
        let options = ConnectOptions::new("imap.contoso.edu", 993, Security::Implicit);
        let form = Form::Login(AdminForm::Template("contoso/{admin}/{user}".to_owned()));
        let shown = instructions(&options, None, &admin("terry.adams@contoso.edu"), &form, None);
        let expected = "\
CSV file with the whole login of each user:
  EmailAddress,UserName,Password
  terry.adams@contoso.edu,contoso/mailadmin/terry.adams,<password>
Or an endpoint with the administrator's login:
  New-MigrationEndpoint -IMAP -Name imap.contoso.edu -RemoteServer imap.contoso.edu -Port 993 -Security Ssl -Credential mailadmin -UserNameTemplate 'contoso/{admin}/{user}'
and a CSV file without passwords:
  EmailAddress,UserName
  terry.adams@contoso.edu,terry.adams";
        assert_eq!(shown.join("\n"), expected);
    }

    #[test]
    fn other_forms_need_an_endpoint() {
        let mut options = ConnectOptions::new("::1", 143, Security::StartTls);
        let form = Form::Login(AdminForm::ProxyAuth);
        let shown = instructions(&options, Some("Old mail"), &admin("terry"), &form, None).join("\n");
        assert!(
            !shown.contains("Password") && shown.ends_with("EmailAddress,UserName\n  <e-mail address>,terry"),
            "{shown}"
        );
        assert!(
            shown.contains(
                "Set-MigrationEndpoint 'Old mail' -Credential mailadmin -UserNameTemplate PROXYAUTH"
            ),
            "{shown}"
        );

        options.tls.pin_sha256 = Some([7; 32]);
        let form = Form::Login(AdminForm::AuthorizationIdentity);
        let shown = instructions(&options, None, &admin("terry"), &form, None).join("\n");
        let pin = "07".repeat(32);
        assert!(
            shown.contains(&format!("-Security Tls -CertificateSha256 {pin} -Credential mailadmin\n")),
            "{shown}"
        );
    }

    #[test]
    fn a_user_root_is_a_column() {
        let options = ConnectOptions::new("imap.contoso.edu", 993, Security::Implicit);
        let shown = instructions(
            &options,
            None,
            &admin("te,rry@contoso.edu"),
            &Form::UserRoot,
            Some("/users/te,rry"),
        );
        let expected = "\
CSV file:
  EmailAddress,UserName,Password,UserRoot
  \"te,rry@contoso.edu\",mailadmin,<password>,\"/users/te,rry\"";
        assert_eq!(shown.join("\n"), expected);
    }
}
