//! Test-MigrationNotification.

use futures_util::future::join_all;
use mailhaul_migration::{DeliveryWay, Guid, Notification, NotificationEvent, NotificationFacts};
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::MigrationNotificationTest;
use crate::{
    context::Context,
    ops::{
        batch::notification_checks,
        endpoint::availability_view::TestResult,
        shared::{
            failures::{at, into_failure},
            nouns::NOTIFICATION,
        },
    },
    service::outbox::Receivers,
};

pub(crate) struct TestMigrationNotification;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Addresses that get the test mail [default: NotificationFrom].
    #[serde(default)]
    to: Vec<String>,
    /// Sends the test mail to the addresses of this batch too.
    batch_id: Option<String>,
}

impl Operation<Context> for TestMigrationNotification {
    const VERB: Verb = Verb::Test;
    const NOUN: Noun = NOTIFICATION;
    const ROLE: Role = Role::Admin;
    const ABOUT: &'static str =
        "Sends a test mail and a test webhook now, and shows the answers of the servers.";

    type Request = Request;
    type Response = MigrationNotificationTest;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationNotificationTest>, Failure> {
        let store = &context.store;
        let servers = store.config().get().await.map_err(into_failure)?.notifications;
        let mut to = request.to;
        let mut batch = None;
        if let Some(name) = &request.batch_id {
            let found = store.batches().named(name).await.map_err(at("BatchId"))?;
            to.extend(found.settings.notification_emails);
            batch = Some(found.name);
        }
        let mut to = notification_checks::emails(to).map_err(|failure| failure.at("To"))?;
        if to.is_empty() {
            to.extend(servers.smtp.as_ref().and_then(|smtp| smtp.from.clone()));
        }
        let mut receivers = Vec::new();
        if servers.smtp.is_some() || request.batch_id.is_some() {
            receivers.extend(to.into_iter().map(|address| (DeliveryWay::Mail, address)));
        }
        receivers.extend(servers.webhook.clone().map(|url| (DeliveryWay::Webhook, url)));
        if receivers.is_empty() {
            return Err(Failure::conflict("no server takes notifications").with_advice(
                "Set-MigrationConfig -SmtpServer names an SMTP server, and -WebhookUrl the receiver of webhooks.",
            ));
        }
        let notification = Notification {
            id: Guid::new_v4(),
            event: NotificationEvent::Test,
            batch,
            created: context.now(),
            facts: NotificationFacts::new("This is a test. Notifications arrive here."),
        };
        let loaded = Receivers::load(store).await.map_err(into_failure)?;
        let tests = receivers.into_iter().map(|(way, recipient)| {
            let (loaded, notification) = (&loaded, &notification);
            async move {
                let (result, message) = match loaded.send(notification, way, &recipient).await {
                    Ok(answer) => (TestResult::Success, answer),
                    Err(words) => (TestResult::Failed, words),
                };
                MigrationNotificationTest { way, recipient, result, message }
            }
        });
        Ok(Answer::page(join_all(tests).await, None))
    }
}
