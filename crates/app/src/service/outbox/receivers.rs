//! Servers of notifications with their secrets.

use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_migration::{DeliveryWay, Notification, NotificationServers};
use mailhaul_store::{NotificationSecret, Store, StoreError};

use super::{smtp::Mailer, webhook};

/// Answer of a server that took a notification, or the reason why it was not taken.
type SentAnswer = Result<String, String>;

/// Servers that take notifications.
pub(crate) struct Receivers {
    /// The mailer, or the reason why there is none.
    mailer: Result<Mailer, String>,
    webhook_url: Option<Secret>,
    webhook_secret: Option<Secret>,
    now: Timestamp,
}

impl Receivers {
    /// Loads the configuration and its secrets.
    pub(crate) async fn load(store: &Store) -> Result<Self, StoreError> {
        let NotificationServers { smtp, webhook } = store.config().get().await?.notifications;
        let mailer = match smtp {
            Some(server) => {
                let password = match server.user_name {
                    Some(_) => store.config().secret(NotificationSecret::SmtpPassword).await?,
                    None => None,
                };
                Mailer::new(server, password.as_ref())
            }
            None => Err("no SMTP server is set; Set-MigrationConfig -SmtpServer names one".to_owned()),
        };
        let webhook_url = match webhook {
            Some(_) => store.config().secret(NotificationSecret::WebhookUrl).await?,
            None => None,
        };
        let webhook_secret = store.config().secret(NotificationSecret::WebhookSecret).await?;
        Ok(Self { mailer, webhook_url, webhook_secret, now: store.now() })
    }

    /// Sends a notification to one receiver.
    pub(crate) async fn send(
        &self,
        notification: &Notification,
        way: DeliveryWay,
        recipient: &str,
    ) -> SentAnswer {
        match way {
            DeliveryWay::Mail => {
                self.mailer.as_ref().map_err(Clone::clone)?.send(notification, recipient).await
            }
            DeliveryWay::Webhook => {
                let secret = self.webhook_secret.as_ref().ok_or(
                    "no secret is set that signs webhooks; Set-MigrationConfig -WebhookSecret names one",
                )?;
                let url = self.webhook_url.as_ref().ok_or("no webhook is set any more")?;
                webhook::send(notification, url, secret, self.now).await
            }
        }
    }
}
