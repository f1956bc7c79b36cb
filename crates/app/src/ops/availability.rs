//! Trying a server: what Test-MigrationServerAvailability and Test-MigrationEndpoint share.

use mailhaul_imap::Credentials;
use mailhaul_migration::Endpoint;
use mailhaul_operations::{Credential, Failure};
use mailhaul_store::SecretName;

use super::{
    failures::told,
    views::{MigrationServerAvailability, TestResult},
};
use crate::{
    context::Context,
    service::probe::{admin_credentials, connect_options, probe},
    text,
};

/// Who is to log in: somebody, the endpoint's administrator for this mailbox, or nobody.
pub(crate) async fn login(
    context: &Context,
    endpoint: &Endpoint,
    credential: Option<Credential>,
    mailbox: Option<String>,
) -> Result<Option<Credentials>, Failure> {
    match (credential, mailbox) {
        (Some(_), Some(_)) => {
            Err(Failure::invalid("either Credential or TestMailbox can be given, not both"))
        }
        (Some(credential), None) => {
            Ok(Some(Credentials::password(credential.user_name, credential.password)))
        }
        (None, None) => Ok(None),
        (None, Some(mailbox)) => {
            let secret =
                context.store.secret(endpoint.guid, SecretName::AdminPassword).await.map_err(told)?;
            match (&endpoint.admin, secret) {
                (Some(admin), Some(password)) => Ok(Some(admin_credentials(admin, password, &mailbox))),
                _ => Err(Failure::invalid(format_args!(
                    "TestMailbox: the migration endpoint \"{}\" has no administrator who could open it",
                    endpoint.name
                ))
                .with_advice(
                    "Set one with Set-MigrationEndpoint -Credential, or give the user's own -Credential.",
                )),
            }
        }
    }
}

/// Tries it. A server that cannot be reached is a result, and no failure.
pub(crate) async fn try_out(
    endpoint: &Endpoint,
    tested_endpoint: Option<String>,
    login: Option<Credentials>,
) -> MigrationServerAvailability {
    let (seen, outcome) = Box::pin(probe(&connect_options(endpoint), login.as_ref())).await;
    let server = format!("{}, port {}", endpoint.remote_server, endpoint.port);
    let (result, message, error_detail) = match outcome {
        Ok(()) => (TestResult::Success, success(&server, login.as_ref(), seen.folders), None),
        Err(obstacle) => (
            TestResult::Failed,
            obstacle.message,
            Some(format!("{}. {}", obstacle.detail.trim_end_matches('.'), obstacle.advice)),
        ),
    };
    MigrationServerAvailability {
        result,
        message,
        error_detail,
        tested_endpoint,
        remote_server: endpoint.remote_server.clone(),
        port: endpoint.port,
        security: endpoint.security,
        addresses: seen.addresses.iter().map(ToString::to_string).collect(),
        greeting: seen.greeting,
        capabilities: seen.capabilities,
        logged_in_as: login.filter(|_| seen.folders.is_some()).map(|it| it.authorize_as.unwrap_or(it.user)),
        folder_count: seen.folders,
        is_valid: result == TestResult::Success,
        supports_cutover: false,
    }
}

fn success(server: &str, login: Option<&Credentials>, folders: Option<u64>) -> String {
    match (login, folders) {
        (Some(_), Some(folders)) => {
            format!(
                "the server {server} lets this account in, which has {}",
                text::count(folders, "folder", "folders")
            )
        }
        _ => format!("the server {server} can be reached, and speaks IMAP"),
    }
}
