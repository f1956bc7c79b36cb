//! New-MigrationEndpointSignIn.

use jiff::Timestamp;
use mailhaul_mail::Retry;
use mailhaul_migration::{Access, Endpoint, Grant, Guid, OAuth};
use mailhaul_oauth::{DeviceCode, DeviceLogin, SignedIn, TokenEndpoint, TokenError, TokenUrl, describe};
use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Role, StepUse, Steps, Verb};
use mailhaul_store::NewSecret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reach;
use crate::{
    context::Context,
    ops::shared::{
        failures::{changed_meanwhile, into_failure},
        nouns::ENDPOINT_SIGN_IN,
    },
    probe::StepResult,
};

pub(crate) struct NewMigrationEndpointSignIn;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the endpoint.
    identity: String,
}

/// Sign-in of a user at an endpoint. The token is sealed, and never shown.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationEndpointSignIn {
    /// Name of the endpoint.
    identity: String,
    /// Permanent id of the endpoint.
    guid: Guid,
    /// User who signed in, if the token tells.
    signed_in_as: Option<String>,
}

/// Step of a sign-in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SignInStep<'a> {
    step: &'static str,
    result: StepResult,
    detail: String,
    /// Address to open in a browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_url: Option<&'a str>,
    /// Code to type there.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl Operation<Context> for NewMigrationEndpointSignIn {
    const VERB: Verb = Verb::New;
    const NOUN: Noun = ENDPOINT_SIGN_IN;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Shows an address and a code, waits until a user has signed in there, and keeps the access for the endpoint.";
    const STEPS: StepUse = StepUse::Instructions;

    type Request = Request;
    type Response = MigrationEndpointSignIn;

    async fn run(
        context: &Context,
        caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationEndpointSignIn>, Failure> {
        Self::run_in_steps(context, caller, request, &Steps::default()).await
    }

    async fn run_in_steps(
        context: &Context,
        _caller: &Caller,
        request: Request,
        steps: &Steps,
    ) -> Result<Answer<MigrationEndpointSignIn>, Failure> {
        let endpoint = context.store.endpoints().get(&request.identity).await.map_err(into_failure)?;
        let device = device(&endpoint)?;
        let code = device.start().await.map_err(|error| token_failure(&error))?;
        steps.report(&instructions(&code, context.now()));
        let signed_in = device.wait(&code).await.map_err(|error| token_failure(&error))?;
        let owner = describe(&signed_in.token.secret).and_then(|claims| claims.owner);
        let by = owner.as_deref().map_or_else(String::new, |owner| format!("{owner} "));
        steps.report(&done("Sign in", format!("{by}signed in")));
        keep(context, &endpoint, signed_in, owner.clone()).await?;
        steps.report(&done("Save", "the endpoint has the access; the token is sealed".to_owned()));
        let (identity, guid) = (endpoint.name, endpoint.guid);
        Ok(Answer::one(MigrationEndpointSignIn { identity, guid, signed_in_as: owner }))
    }
}

fn instructions(code: &DeviceCode, now: Timestamp) -> SignInStep<'_> {
    let expires_at = now.checked_add(code.life).unwrap_or(Timestamp::MAX);
    let minutes = code.life.as_secs().div_ceil(60);
    SignInStep {
        step: "Code",
        result: StepResult::Waiting,
        detail: format!(
            "open {}, type {} and sign in with the account that may open the mailboxes; the code expires in {minutes} min",
            code.address, code.user_code
        ),
        verification_url: Some(&code.address),
        user_code: Some(&code.user_code),
        expires_at: Some(expires_at),
    }
}

fn done(step: &'static str, detail: String) -> SignInStep<'static> {
    let result = StepResult::Success;
    SignInStep { step, result, detail, verification_url: None, user_code: None, expires_at: None }
}

/// Saves the refresh token, unless the endpoint asks another server by now.
///
/// Saved without verification: if the mail server is unreachable now, no second sign-in is needed.
async fn keep(
    context: &Context,
    asked: &Endpoint,
    signed_in: SignedIn,
    owner: Option<String>,
) -> Result<(), Failure> {
    let store = &context.store;
    let before = store.endpoints().by_guid(asked.guid).await.map_err(into_failure)?;
    let Some(oauth) =
        delegated(&before).filter(|oauth| delegated(asked).is_some_and(|it| is_same(it, oauth)))
    else {
        return Err(changed_meanwhile("endpoint", &before.name));
    };
    let now = context.now();
    let oauth = OAuth { grant: Grant::RefreshToken { user: owner }, ..oauth.clone() };
    let after = Endpoint { access: Access::OAuth(oauth), modified: now, ..before.clone() };
    let secret = NewSecret::Set(signed_in.refresh_token);
    let endpoint = store.endpoints().replace(before, after, secret).await.map_err(into_failure)?;
    store.checks().resume(endpoint.guid, now).await.map_err(into_failure)?;
    context.wake().await;
    Ok(())
}

/// True if both ask the same server for the same access.
fn is_same(one: &OAuth, other: &OAuth) -> bool {
    (&one.token_url, &one.client_id, &one.scope) == (&other.token_url, &other.client_id, &other.scope)
}

fn delegated(endpoint: &Endpoint) -> Option<&OAuth> {
    endpoint.access.oauth().filter(|oauth| matches!(oauth.grant, Grant::RefreshToken { .. }))
}

/// Returns the sign-in settings of the endpoint.
fn device(endpoint: &Endpoint) -> Result<DeviceLogin, Failure> {
    let name = &endpoint.name;
    let Some(oauth) = delegated(endpoint) else {
        let reason = match endpoint.access.oauth() {
            Some(oauth) => format!("gets its access tokens by {}", oauth.grant.name()),
            None => "does not use access tokens".to_owned(),
        };
        return Err(Failure::invalid(format_args!("the endpoint \"{name}\" {reason}; no sign-in is needed"))
            .at("Identity"));
    };
    for (parameter, value) in [
        ("TokenUrl", &oauth.token_url),
        ("DeviceUrl", &oauth.device_url),
        ("ApplicationId", &oauth.client_id),
        ("Scope", &oauth.scope),
    ] {
        if value.is_empty() {
            let words = format_args!("the endpoint \"{name}\" has no {parameter}, which the sign-in needs");
            return Err(Failure::invalid(words).at("Identity").with_advice(format_args!(
                "Give it with Set-MigrationEndpoint -Identity \"{name}\" -{parameter}."
            )));
        }
    }
    reach::check(endpoint)?;
    let url = |parameter, url: &str| {
        TokenUrl::parse(url).map_err(|words| Failure::invalid(format_args!("{parameter}: {words}")))
    };
    let token_url = url("TokenUrl", &oauth.token_url)?;
    Ok(DeviceLogin {
        endpoint: TokenEndpoint::reaching(token_url, endpoint.reach)
            .map_err(|error| token_failure(&error))?,
        device_url: url("DeviceUrl", &oauth.device_url)?,
        client_id: oauth.client_id.clone(),
        client_secret: None,
        scope: oauth.scope.clone(),
    })
}

fn token_failure(error: &TokenError) -> Failure {
    match error.retry {
        Retry::Never => Failure::invalid(error),
        Retry::Now | Retry::After(_) => Failure::unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(grant: Grant) -> Endpoint {
        let oauth = OAuth {
            grant,
            token_url: "https://login.microsoftonline.com/common/oauth2/v2.0/token".to_owned(),
            device_url: "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode".to_owned(),
            client_id: "1234".to_owned(),
            scope: "https://outlook.office.com/IMAP.AccessAsUser.All offline_access".to_owned(),
            tenant: None,
        };
        let server = Endpoint::of_server("outlook.office365.com".to_owned());
        Endpoint { name: "Ann".to_owned(), access: Access::OAuth(oauth), ..server }
    }

    fn by_user() -> Endpoint {
        endpoint(Grant::RefreshToken { user: None })
    }

    #[test]
    fn sign_in_settings_come_from_the_endpoint() {
        let device = device(&by_user()).unwrap();
        assert_eq!(
            (device.endpoint.host(), device.client_id.as_str()),
            ("login.microsoftonline.com", "1234")
        );
        assert!(device.device_url.as_str().ends_with("/devicecode"));
        assert!(device.scope.ends_with(" offline_access") && device.client_secret.is_none());
    }

    #[test]
    fn missing_settings_are_named() {
        let with = |change: fn(&mut OAuth)| {
            let mut endpoint = by_user();
            let Access::OAuth(oauth) = &mut endpoint.access else { unreachable!() };
            change(oauth);
            endpoint
        };
        for (endpoint, words) in [
            (
                Endpoint { access: Access::Users, ..by_user() },
                "the endpoint \"Ann\" does not use access tokens; no sign-in is needed",
            ),
            (
                endpoint(Grant::ClientSecret),
                "the endpoint \"Ann\" gets its access tokens by ClientSecret; no sign-in is needed",
            ),
            (
                with(|oauth| oauth.device_url.clear()),
                "the endpoint \"Ann\" has no DeviceUrl, which the sign-in needs",
            ),
            (with(|oauth| oauth.scope.clear()), "the endpoint \"Ann\" has no Scope, which the sign-in needs"),
            (
                with(|oauth| oauth.token_url = "http://10.0.0.1/".to_owned()),
                "TokenUrl: it must begin with https://, because secrets are sent there",
            ),
        ] {
            assert_eq!(device(&endpoint).unwrap_err().message, words);
        }
    }
}
