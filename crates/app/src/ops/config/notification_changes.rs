//! Changes of the servers that take notifications.

use mailhaul_mail::{Secret, is_loopback_host};
use mailhaul_migration::{NotificationServers, SmtpSecurity, SmtpServer, shown_webhook};
use mailhaul_operations::{Change, Credential, Failure, SecretText};
use mailhaul_store::NotificationSecret;
use url::{Host, Url};

use crate::{ops::batch::notification_checks::address, service::outbox::webhook};

/// Changes that a request asks for.
pub(crate) struct NotificationChanges {
    pub(crate) smtp: SmtpChanges,
    pub(crate) url: Change<String>,
    pub(crate) secret: Change<SecretText>,
}

/// Secrets to store; `None` removes one.
type Secrets = Vec<(NotificationSecret, Option<Secret>)>;

impl NotificationChanges {
    /// Returns the servers after the change, and the secrets to store.
    pub(crate) fn apply(
        self,
        before: &NotificationServers,
        has_secret: bool,
    ) -> Result<(NotificationServers, Secrets), Failure> {
        let mut secrets = Secrets::new();
        let mut after = before.clone();
        let has_secret = match self.secret {
            Change::Keep => has_secret,
            Change::Clear => {
                secrets.push((NotificationSecret::WebhookSecret, None));
                false
            }
            Change::To(SecretText(secret)) => {
                webhook::key(&secret)
                    .map_err(|words| Failure::invalid(format_args!("WebhookSecret: {words}")))?;
                secrets.push((NotificationSecret::WebhookSecret, Some(secret)));
                true
            }
        };
        match self.url {
            Change::Keep => {}
            Change::Clear => {
                after.webhook = None;
                secrets.push((NotificationSecret::WebhookUrl, None));
            }
            Change::To(url) => {
                let url = webhook_url(&url)?;
                after.webhook = Some(shown_webhook(&url));
                secrets.push((NotificationSecret::WebhookUrl, Some(Secret::new(url))));
            }
        }
        if after.webhook.is_some() && !has_secret {
            return Err(Failure::invalid("WebhookUrl needs WebhookSecret, which signs the webhooks")
                .with_advice("Receivers check the signature with the same secret."));
        }
        after.smtp = self.smtp.apply(before.smtp.as_ref(), &mut secrets)?;
        Ok((after, secrets))
    }
}

/// Changes of the SMTP server.
pub(crate) struct SmtpChanges {
    pub(crate) server: Change<String>,
    pub(crate) port: Change<u16>,
    pub(crate) security: Option<SmtpSecurity>,
    pub(crate) credential: Change<Credential>,
    pub(crate) from: Change<String>,
}

impl SmtpChanges {
    fn apply(
        self,
        before: Option<&SmtpServer>,
        secrets: &mut Secrets,
    ) -> Result<Option<SmtpServer>, Failure> {
        let host = match (self.server, before) {
            (Change::To(host), _) => smtp_host(&host)?,
            (Change::Keep, Some(before)) => before.host.clone(),
            (Change::Clear, _) => {
                secrets.push((NotificationSecret::SmtpPassword, None));
                return Ok(None);
            }
            (Change::Keep, None) => {
                let is_given = self.security.is_some()
                    || !matches!(
                        (&self.port, &self.credential, &self.from),
                        (Change::Keep, Change::Keep, Change::Keep)
                    );
                return if is_given {
                    Err(Failure::invalid("SmtpServer is missing: no SMTP server is set"))
                } else {
                    Ok(None)
                };
            }
        };
        let mut after = before.cloned().unwrap_or(SmtpServer {
            host: String::new(),
            port: None,
            security: SmtpSecurity::Tls,
            user_name: None,
            from: None,
        });
        after.host = host;
        self.port.apply(&mut after.port);
        after.security = self.security.unwrap_or(after.security);
        let keeps_password = matches!(self.credential, Change::Keep) && after.user_name.is_some();
        if keeps_password && before.is_some_and(|before| is_redirected(before, &after)) {
            return Err(Failure::invalid(
                "SmtpCredential must be given again, because the server or its encryption changes",
            )
            .with_advice("Otherwise the stored password would go to another server."));
        }
        match self.credential {
            Change::Keep => {}
            Change::Clear => {
                after.user_name = None;
                secrets.push((NotificationSecret::SmtpPassword, None));
            }
            Change::To(Credential { user_name, password }) => {
                after.user_name = Some(user_name);
                secrets.push((NotificationSecret::SmtpPassword, Some(password)));
            }
        }
        self.from.apply(&mut after.from);
        let login = after.user_name.clone().filter(|login| address("SmtpCredential", login).is_ok());
        after.from = after.from.or(login);
        check(&after)?;
        Ok(Some(after))
    }
}

/// True if a stored password would go to another place, or in clear text.
fn is_redirected(before: &SmtpServer, after: &SmtpServer) -> bool {
    !before.host.eq_ignore_ascii_case(&after.host)
        || before.port() != after.port()
        || before.security != after.security
}

fn check(server: &SmtpServer) -> Result<(), Failure> {
    let Some(from) = &server.from else {
        return Err(Failure::invalid("NotificationFrom is missing: the mails need a sender"));
    };
    address("NotificationFrom", from)?;
    if server.user_name.is_some() && server.security == SmtpSecurity::None && !is_loopback_host(&server.host)
    {
        return Err(Failure::invalid(
            "SmtpCredential with SmtpSecurity None would send the password in clear text",
        )
        .with_advice("Give -SmtpSecurity Tls (STARTTLS) or Ssl."));
    }
    Ok(())
}

fn smtp_host(text: &str) -> Result<String, Failure> {
    let host = text.trim();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<std::net::IpAddr>().is_ok() || Host::parse(host).is_ok_and(|_| !host.contains(['/', '@']))
    {
        return Ok(bare.to_owned());
    }
    Err(Failure::invalid(format_args!("SmtpServer: \"{host}\" is no host name"))
        .with_advice("Example: smtp.contoso.edu; SmtpPort names the port."))
}

fn webhook_url(text: &str) -> Result<String, Failure> {
    let invalid = |words: &str| Failure::invalid(format_args!("WebhookUrl {words}"));
    let url = Url::parse(text.trim()).map_err(|_| invalid("is no URL"))?;
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => {}
        "http" if is_loopback_host(host) => {}
        _ => return Err(invalid("must begin with https://; http:// is possible on this machine only")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("must not contain a password; WebhookSecret signs the webhooks"));
    }
    Ok(url.to_string())
}
