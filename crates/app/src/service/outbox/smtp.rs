//! Mails of the service: MIME, SMTP, and the answers of the server in words.

use std::time::{Duration, SystemTime};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use mailhaul_mail::{Redactor, Search, Secret};
use mailhaul_migration::{Notification, SmtpSecurity, SmtpServer};
use mailhaul_oauth::innermost;

use super::letter::Letter;

/// Time for each step of a conversation.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest time of a whole conversation. It is below the first wait of a delivery, so that no two overlap.
const LONGEST: Duration = Duration::from_mins(3);
/// Replies of a server that refuses a login (RFC 4954, section 6).
const LOGIN_REPLIES: [u16; 4] = [454, 530, 534, 535];

/// Sends mails by one server.
pub(super) struct Mailer {
    server: SmtpServer,
    from: Address,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    secrets: Redactor,
}

impl Mailer {
    /// Prepares the server. Connects to nothing.
    ///
    /// # Errors
    /// In words, where a setting is missing or TLS cannot be set up.
    pub(super) fn new(server: SmtpServer, password: Option<&Secret>) -> Result<Self, String> {
        let from = server.from.as_deref().unwrap_or_default();
        let from: Address = from
            .parse()
            .map_err(|_| "no sender is set; Set-MigrationConfig -NotificationFrom names one".to_owned())?;
        let parameters = || {
            TlsParameters::builder(server.host.clone())
                .build_rustls()
                .map_err(|error| format!("TLS cannot be set up: {}", innermost(&error)))
        };
        let tls = match server.security {
            SmtpSecurity::Ssl => Tls::Wrapper(parameters()?),
            SmtpSecurity::Tls => Tls::Required(parameters()?),
            SmtpSecurity::None => Tls::None,
        };
        let mut secrets = Redactor::default();
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host.clone())
            .port(server.port())
            .tls(tls)
            .timeout(Some(PATIENCE))
            .hello_name(hello_name());
        if let Some(user) = &server.user_name {
            let password = password.ok_or("the password of the SMTP server is missing")?;
            secrets.add(password);
            let text = String::from_utf8_lossy(password.expose()).into_owned();
            builder = builder.credentials(Credentials::new(user.clone(), text));
        }
        Ok(Self { transport: builder.build(), server, from, secrets })
    }

    /// Sends a notification. Returns the answer of the server.
    ///
    /// # Errors
    /// In words, with those of the server.
    pub(super) async fn send(&self, notification: &Notification, recipient: &str) -> Result<String, String> {
        let message = self.message(notification, recipient)?;
        match tokio::time::timeout(LONGEST, self.transport.send(message)).await {
            Ok(Ok(response)) => {
                let lines: Vec<&str> = response.message().collect();
                Ok(format!("{} {}", response.code(), lines.join(" ")))
            }
            Ok(Err(error)) => {
                let words = self.words(&error);
                Err(self.secrets.redact(&words, Search::Decoded).into_owned())
            }
            Err(_) => Err(format!("{} did not take the mail within {} s", self.place(), LONGEST.as_secs())),
        }
    }

    /// Builds the mail. Its Message-ID is made of the notification's id, by which receivers know repeats.
    fn message(&self, notification: &Notification, recipient: &str) -> Result<Message, String> {
        let letter = Letter::new(notification);
        let to: Address = recipient.parse().map_err(|_| format!("\"{recipient}\" is no e-mail address"))?;
        let raw =
            |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
        Message::builder()
            .from(Mailbox::new(Some("mailhaul".to_owned()), self.from.clone()))
            .to(Mailbox::new(None, to))
            .subject(letter.subject)
            .message_id(Some(format!("<{}@{}>", notification.id, self.from.domain())))
            .date(SystemTime::now())
            // RFC 3834: no vacation message answers it.
            .raw_header(raw("Auto-Submitted", "auto-generated"))
            .raw_header(raw("X-Auto-Response-Suppress", "All"))
            .multipart(MultiPart::alternative_plain_html(letter.text, letter.html))
            .map_err(|error| format!("the mail cannot be written: {error}"))
    }

    fn place(&self) -> String {
        format!("{}:{}", self.server.host, self.server.port())
    }

    /// Says what failed, with the words of the server or of TLS, and the setting that may be wrong.
    fn words(&self, error: &lettre::transport::smtp::Error) -> String {
        let (place, cause) = (self.place(), innermost(error));
        if let Some(code) = error.status() {
            let number: u16 = code.to_string().parse().unwrap_or_default();
            let answer = format!("{number} {cause}");
            return match &self.server.user_name {
                Some(user) if LOGIN_REPLIES.contains(&number) => {
                    format!(
                        "{place} refuses the login {user}: {answer}; Set-MigrationConfig -SmtpCredential replaces it"
                    )
                }
                None if number == 530 => {
                    format!(
                        "{place} asks for a login: {answer}; Set-MigrationConfig -SmtpCredential names one"
                    )
                }
                _ if error.is_transient() => format!("{place} refuses the mail for now: {answer}"),
                _ => format!("{place} refuses the mail: {answer}"),
            };
        }
        if cause.contains("certificate") {
            return format!(
                "the certificate of {place} is refused: {cause}; it must be for {} and of an authority that this machine trusts",
                self.server.host
            );
        }
        if error.is_tls() || cause.contains("TLS") || cause.contains("InvalidContentType") {
            return format!(
                "TLS with {place} failed: {cause}; SmtpSecurity is {}, and Ssl is usual at port 465, Tls (STARTTLS) at 587 \
                 and 25",
                self.server.security
            );
        }
        if error.is_timeout() {
            return format!("{place} did not answer within {} s", PATIENCE.as_secs());
        }
        if error.is_client() {
            return format!("{place} cannot take the mail: {cause}");
        }
        if error.is_response() {
            return format!(
                "{place} does not speak SMTP: {cause}; SmtpSecurity is {}, which may be another than the server's",
                self.server.security
            );
        }
        format!("no connection to {place}: {cause}")
    }
}

/// Returns the name of this machine for EHLO.
fn hello_name() -> ClientId {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let is_plain =
        |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    name.filter(is_plain).map_or_else(ClientId::default, ClientId::Domain)
}
