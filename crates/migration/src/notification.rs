//! Notifications: events that the service tells by mail and by webhook, with their facts.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strum::{Display, EnumString, VariantArray};
use uuid::Uuid;

/// Event that the service tells.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Display,
    EnumString,
    VariantArray,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum NotificationEvent {
    /// The first sync of all users of a batch is finished.
    BatchSynced,
    /// All users of a batch are completed.
    BatchCompleted,
    /// Users failed, gathered for 15 minutes.
    UsersFailed,
    /// A name server tells other mail hosts of a domain.
    MxChanged,
    /// All servers tell the old mail hosts of a domain again.
    MxReturned,
    /// The TTL of a domain's MX records is too long for the planned move.
    TtlTooLong,
    /// Mail still arrives on the source after the move.
    StillArriving,
    /// The old server is not needed for a batch any more.
    SafeToRemove,
    /// The old server is needed again.
    NoLongerSafe,
    /// An endpoint has been parked for more than an hour.
    EndpointParked,
    /// The certificate of an endpoint's access tokens ends soon.
    TokenExpiring,
    /// Progress of a batch, at each `ReportInterval`.
    Report,
    /// Test of the servers, which is not listed.
    Test,
}

/// Way of a notification to its receiver.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Display,
    EnumString,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum DeliveryWay {
    Mail,
    Webhook,
}

/// Facts of a notification, which mail and webhook show alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationFacts {
    /// The event in one sentence.
    pub summary: String,
    /// Command or advice; `None` if there is nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
    /// Numbers, names and times, in the order in which they are shown.
    #[serde(default)]
    pub details: Map<String, Value>,
}

impl NotificationFacts {
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), next_step: None, details: Map::new() }
    }

    /// Adds the next step.
    #[must_use]
    pub fn with_next_step(self, words: impl Into<String>) -> Self {
        Self { next_step: Some(words.into()), ..self }
    }

    /// Adds a detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// Notification as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Id, by which receivers know repeats.
    pub id: Uuid,
    pub event: NotificationEvent,
    /// Name of the batch; `None` if it concerns no single batch.
    pub batch: Option<String>,
    pub created: Timestamp,
    pub facts: NotificationFacts,
}

/// Servers that take notifications. Their secrets are in the vault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NotificationServers {
    pub smtp: Option<SmtpServer>,
    /// Scheme and host of the URL that takes webhooks. The path of some services is a secret: the whole URL is in the
    /// vault.
    pub webhook: Option<String>,
}

/// Encryption to the SMTP server. The names are those of endpoints.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Display, EnumString, Serialize, Deserialize, JsonSchema,
)]
pub enum SmtpSecurity {
    /// Clear text (usually port 25).
    None,
    /// TLS from the start (usually port 465).
    Ssl,
    /// STARTTLS, required (usually port 587).
    #[default]
    Tls,
}

/// Server that takes mail of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmtpServer {
    pub host: String,
    /// `None` for the usual port of the security.
    pub port: Option<u16>,
    pub security: SmtpSecurity,
    /// Login; `None` for a server that asks for none. The password is in the vault.
    pub user_name: Option<String>,
    /// Sender of the mails.
    pub from: Option<String>,
}

/// Returns a webhook's URL as it is shown and stored in clear: `https://hooks.example/...`.
pub fn shown_webhook(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let path = if rest[host.len()..].len() > 1 { "/..." } else { "" };
    format!("{scheme}://{host}{path}")
}

impl SmtpServer {
    /// Returns the port: 465 with TLS from the start, 587 with STARTTLS, 25 in clear text.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            SmtpSecurity::Ssl => 465,
            SmtpSecurity::Tls => 587,
            SmtpSecurity::None => 25,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_webhook_is_not_shown() {
        for (url, shown) in [
            ("https://hooks.example/services/T0/B0/secret", "https://hooks.example/..."),
            ("https://hooks.example:8443?key=secret", "https://hooks.example:8443/..."),
            ("https://hooks.example/", "https://hooks.example"),
        ] {
            assert_eq!(shown_webhook(url), shown);
        }
    }
}
