//! Server tests: the part that Test-MigrationServerAvailability and Test-MigrationEndpoint share.

use mailhaul_imap::Credentials;
use mailhaul_mail::Secret;
use mailhaul_migration::{Endpoint, Grant, Limit};
use mailhaul_operations::{Credential, Failure};
use mailhaul_store::SecretName;

use super::availability_view::{MigrationServerAvailability, TestResult};
use crate::{
    context::Context,
    ops::shared::failures::into_failure,
    output::text,
    probe::{Administrator, Bearer, Findings, Login, OtherSide, ProbeRequest, advice::setup::setup, probe},
    service::access::{
        account::{admin_credentials, connect_options},
        tokens::tokens,
    },
};

/// Connections to try if no endpoint sets MaxConcurrentMigrations.
const CONNECTIONS: u32 = 16;
/// Upper bound of the connections to try for an endpoint.
const MOST_CONNECTIONS: u32 = 100;

/// Chooses the login of a quick test: a user, the endpoint's administrator for this mailbox, or
/// none.
pub(crate) async fn login(
    context: &Context,
    endpoint: &Endpoint,
    credential: Option<Credential>,
    mailbox: Option<String>,
) -> Result<Login, Failure> {
    match (credential, mailbox) {
        (Some(_), Some(_)) => {
            Err(Failure::invalid("either Credential or TestMailbox can be given, not both").with_advice(
                "Test-MigrationServerAvailability takes both, and finds the login form of an administrator.",
            ))
        }
        (Some(credential), None) => Ok(Login::User(user(credential))),
        (None, mailbox) if endpoint.access.oauth().is_some() => Ok(bearer(context, endpoint, mailbox).await),
        (None, None) => Ok(Login::None),
        (None, Some(mailbox)) => {
            let admin = endpoint_admin(context, endpoint, mailbox).await?;
            let Some(access) = endpoint.access.admin() else { return Ok(Login::Administrator(admin)) };
            Ok(Login::KnownForm(admin_credentials(access, admin.password, &admin.mailbox)))
        }
    }
}

/// Chooses the login of a thorough test: as for a quick test, or an administrator whose login form
/// is unknown.
pub(crate) async fn thorough_login(
    context: &Context,
    endpoint: &Endpoint,
    credential: Option<Credential>,
    mailbox: Option<String>,
) -> Result<Login, Failure> {
    match (credential, mailbox) {
        (Some(credential), Some(mailbox)) => Ok(Login::Administrator(Administrator {
            user_name: credential.user_name,
            password: credential.password,
            mailbox,
            form: None,
        })),
        (None, mailbox) if endpoint.access.oauth().is_some() => Ok(bearer(context, endpoint, mailbox).await),
        (None, Some(mailbox)) => Ok(Login::Administrator(endpoint_admin(context, endpoint, mailbox).await?)),
        (credential, None) => Ok(credential.map_or(Login::None, |it| Login::User(user(it)))),
    }
}

/// Login with an access token of a saved endpoint.
async fn bearer(context: &Context, endpoint: &Endpoint, mailbox: Option<String>) -> Login {
    let (Some(oauth), Some(side)) =
        (endpoint.access.oauth(), OtherSide::from_endpoint(endpoint, true, mailbox))
    else {
        return Login::None;
    };
    Login::Bearer(Bearer { tokens: context.tokens.tokens(&context.store, endpoint, oauth).await, side })
}

/// Login with an access token for settings that are not saved yet.
///
/// A refresh token is never used here: its use may invalidate it.
pub(crate) fn new_bearer(endpoint: &Endpoint, secret: Option<&Secret>, mailbox: Option<String>) -> Login {
    let (Some(oauth), Some(side)) =
        (endpoint.access.oauth(), OtherSide::from_endpoint(endpoint, false, mailbox))
    else {
        return Login::None;
    };
    if matches!(oauth.grant, Grant::RefreshToken { .. }) {
        return Login::None;
    }
    Login::Bearer(Bearer { tokens: tokens(oauth, endpoint.reach, secret), side })
}

fn user(credential: Credential) -> Credentials {
    Credentials::password(credential.user_name, credential.password)
}

async fn endpoint_admin(
    context: &Context,
    endpoint: &Endpoint,
    mailbox: String,
) -> Result<Administrator, Failure> {
    let secret =
        context.store.secrets().get(endpoint.guid, SecretName::AdminPassword).await.map_err(into_failure)?;
    match (endpoint.access.admin(), secret) {
        (Some(admin), Some(password)) => Ok(Administrator {
            user_name: admin.user_name.clone(),
            password,
            mailbox,
            form: Some(admin.form.clone()),
        }),
        _ => Err(Failure::invalid(format_args!(
            "TestMailbox: the migration endpoint \"{}\" has no administrator login",
            endpoint.name
        ))
        .with_advice("Set one with Set-MigrationEndpoint -Credential, or give the user's own -Credential.")),
    }
}

/// ProbeRequest of a quick test.
pub(crate) fn quick(endpoint: &Endpoint, login: Login) -> ProbeRequest {
    ProbeRequest::quick(connect_options(endpoint), login)
}

/// ProbeRequest of a thorough test, with the connection test if `connections` is set.
pub(crate) fn thorough(
    endpoint: &Endpoint,
    tested_endpoint: Option<&str>,
    login: Login,
    connections: bool,
) -> ProbeRequest {
    let most = match endpoint.max_concurrent_migrations {
        Limit::At(most) => most.min(MOST_CONNECTIONS),
        Limit::Unlimited => CONNECTIONS,
    };
    ProbeRequest {
        endpoint: tested_endpoint.map(str::to_owned),
        profile: endpoint.server_profile.clone(),
        is_thorough: true,
        connections: connections.then_some(most),
        ..quick(endpoint, login)
    }
}

/// Runs the test. An unreachable server is a result and not a failure of the operation.
pub(crate) async fn run_test(
    endpoint: &Endpoint,
    tested_endpoint: Option<String>,
    request: ProbeRequest,
    with_instructions: bool,
) -> MigrationServerAvailability {
    let (mut findings, outcome) = Box::pin(probe(&request)).await;
    if let Some(side) = request.login.side()
        && (with_instructions || outcome.is_err())
    {
        findings.instructions = setup(side);
    }
    let server = format!("{}, port {}", endpoint.remote_server, endpoint.port);
    let (result, message, error_detail) = match outcome {
        Ok(()) => (TestResult::Success, success(&server, &findings), None),
        Err(obstacle) => (TestResult::Failed, obstacle.message.clone(), Some(obstacle.explained())),
    };
    MigrationServerAvailability {
        result,
        message,
        error_detail,
        tested_endpoint,
        remote_server: endpoint.remote_server.clone(),
        port: endpoint.port,
        security: endpoint.security,
        findings,
        is_valid: result == TestResult::Success,
        supports_cutover: false,
    }
}

fn success(server: &str, findings: &Findings) -> String {
    let Some(folders) = findings.folder_count else {
        return format!("the server {server} is reachable and speaks IMAP");
    };
    let folders = text::count(folders, "folder", "folders");
    match &findings.admin_form {
        None => format!("the server {server} accepts this login; the mailbox has {folders}"),
        Some(form) => {
            format!("the server {server} lets the administrator open this mailbox ({form}); it has {folders}")
        }
    }
}
