//! Access to the mailboxes of an endpoint, from the parameters of New- and Set-MigrationEndpoint.
//!
//! `parameters` are the groups that requests share. `access_method` chooses the method from the
//! given ones, `preset` holds what is known of a service, and `inherit` decides what a change keeps.
//! This file puts settings and secrets together.

mod access_method;
mod inherit;
mod parameters;
mod preset;

use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_migration::{Access, AdminAccess, EndpointType, Grant, OAuth};
use mailhaul_oauth::{CertificateFile, ServiceAccountKey, TokenUrl};
use mailhaul_operations::{Caller, Failure, SecretText};
use mailhaul_store::NewSecret;

use self::{
    access_method::{AccessMethod, check, choose},
    preset::{ANY_TENANT, GMAIL_API},
};
pub(crate) use self::{
    parameters::{AccessParameters, Kinds, SavedTokenParameters, TokenParameters, names},
    preset::Preset,
};
use super::settings;

/// Refuses a token command from a caller over the network: the command runs as the service.
pub(crate) fn here_alone(caller: &Caller, is_command: bool) -> Result<(), Failure> {
    if is_command && !caller.is_local {
        return Err(Failure::forbidden("TokenCommand can be set only on the service's machine")
            .with_advice("Run mailhaul on that machine; the command runs there, as the service's user."));
    }
    Ok(())
}

/// URL of the Gmail API, if messages are uploaded through it.
pub(crate) fn gmail_api(
    endpoint_type: EndpointType,
    is_wanted: bool,
    url: Option<&str>,
) -> Result<Option<String>, Failure> {
    if !is_wanted && url.is_none() {
        return Ok(None);
    }
    if endpoint_type != EndpointType::GoogleWorkspace {
        let name = if is_wanted { "GmailApi" } else { "GmailApiUrl" };
        return Err(Failure::invalid(format_args!("{name} does not apply to {endpoint_type} endpoints"))
            .with_advice("Give it with -GoogleWorkspace."));
    }
    address("GmailApiUrl", url.unwrap_or(GMAIL_API)).map(Some)
}

/// True if the URL is Google's public one.
pub(crate) fn is_usual_gmail_api(url: Option<&str>) -> bool {
    url.is_some_and(|url| url.trim_end_matches('/') == GMAIL_API.trim_end_matches('/'))
}

/// Builds the access settings and the secret of a new endpoint.
///
/// # Errors
/// A parameter is missing, contradicts another one, or cannot be read; the error names it.
pub(crate) fn new_access(
    endpoint_type: EndpointType,
    parameters: AccessParameters,
) -> Result<(Access, Option<Secret>), Failure> {
    let given = parameters.given();
    let method = choose(&given, AccessMethod::Users)?;
    check(method, endpoint_type, &given)?;
    access(method, endpoint_type, &Access::Users, parameters)
}

/// Builds the access settings of a changed endpoint, and decides whether its secret is kept.
///
/// # Errors
/// As [`new_access`]; also if the saved secret would go to another token server.
pub(crate) fn changed_access(
    endpoint_type: EndpointType,
    before: &Access,
    mut parameters: AccessParameters,
) -> Result<(Access, NewSecret), Failure> {
    let given = parameters.given();
    if given.is_empty() {
        return Ok((before.clone(), NewSecret::Keep));
    }
    let method_before = AccessMethod::of(before);
    let method = choose(&given, method_before)?;
    inherit::inherit(endpoint_type, before, method, &mut parameters);
    check(method, endpoint_type, &parameters.given())?;
    let (after, secret) = access(method, endpoint_type, before, parameters)?;
    let secret = match secret {
        Some(secret) => NewSecret::Set(secret),
        None if method == method_before => NewSecret::Keep,
        None => NewSecret::Remove,
    };
    if matches!(secret, NewSecret::Keep) && method.tells_secret() && token_host(before) != token_host(&after)
    {
        return Err(Failure::invalid("the change would send the saved secret to another token server")
            .with_advice("Give -ClientSecret or -RefreshToken again, if that server may receive it."));
    }
    Ok((after, secret))
}

fn token_host(access: &Access) -> Option<String> {
    let url = TokenUrl::parse(&access.oauth()?.token_url).ok()?;
    Some(url.authority())
}

/// Builds settings and secret of a method that fits. Values of a key that are not given again stay.
fn access(
    method: AccessMethod,
    endpoint_type: EndpointType,
    before: &Access,
    mut parameters: AccessParameters,
) -> Result<(Access, Option<Secret>), Failure> {
    let grant_before = || before.oauth().map(|it| it.grant.clone());
    let text = |it: Option<SecretText>| it.map(|it| it.0);
    let (grant, secret) = match method {
        AccessMethod::Users => return Ok((Access::Users, None)),
        AccessMethod::Admin => return admin(before, parameters),
        AccessMethod::ClientSecret => (Grant::ClientSecret, text(parameters.tokens.client_secret.take())),
        AccessMethod::Token => (Grant::Token, text(parameters.tokens.access_token.take())),
        AccessMethod::RefreshToken => {
            (Grant::RefreshToken { user: None }, text(parameters.saved.refresh_token.take()))
        }
        AccessMethod::Device => (grant_before().unwrap_or(Grant::RefreshToken { user: None }), None),
        AccessMethod::Command => match parameters.saved.token_command.take() {
            Some(command) => (Grant::Command { command: program(command)? }, None),
            None => (grant_before().unwrap_or(Grant::Command { command: Vec::new() }), None),
        },
        AccessMethod::Certificate => match parameters.tokens.certificate_file.take() {
            Some(file) => {
                let file = CertificateFile::parse(&file, Timestamp::now());
                let file =
                    file.map_err(|words| Failure::invalid(format_args!("CertificateFile: {words}")))?;
                (Grant::ClientCertificate { certificate: file.certificate }, Some(file.private_key))
            }
            None => (grant_before().unwrap_or(Grant::ClientSecret), None),
        },
        AccessMethod::ServiceAccount => {
            if let Some(file) = parameters.tokens.service_account_key_file_data.take() {
                let key = ServiceAccountKey::parse(&file);
                let key = key
                    .map_err(|words| Failure::invalid(format_args!("ServiceAccountKeyFileData: {words}")))?;
                parameters.tokens.application_id = Some(key.client_id);
                (Grant::ServiceAccount { email: key.email, key_id: key.key_id }, Some(key.private_key))
            } else {
                parameters.tokens.application_id = before.oauth().map(|it| it.client_id.clone());
                (grant_before().unwrap_or(Grant::ClientSecret), None)
            }
        }
    };
    Ok((Access::OAuth(oauth(method, endpoint_type, grant, parameters)?), secret))
}

/// Builds an administrator login, or changes the form of the existing one.
fn admin(before: &Access, parameters: AccessParameters) -> Result<(Access, Option<Secret>), Failure> {
    let template = parameters.user_name_template.as_deref();
    match (parameters.credential, before) {
        (Some(credential), _) => {
            let (admin, password) = settings::admin(credential, template)?;
            Ok((Access::Admin(admin), Some(password)))
        }
        (None, Access::Admin(admin)) => {
            Ok((Access::Admin(AdminAccess { form: settings::admin_form(template)?, ..admin.clone() }), None))
        }
        (None, _) => Ok((before.clone(), None)),
    }
}

/// Builds the OAuth settings; presets of the service fill the gaps.
fn oauth(
    method: AccessMethod,
    endpoint_type: EndpointType,
    grant: Grant,
    parameters: AccessParameters,
) -> Result<OAuth, Failure> {
    let client_id = plain("ApplicationId", parameters.tokens.application_id)?.unwrap_or_default();
    if !method.asks_a_server() {
        let nothing = String::new;
        return Ok(OAuth {
            grant,
            token_url: nothing(),
            device_url: nothing(),
            client_id,
            scope: nothing(),
            tenant: None,
        });
    }
    let tenant = parameters.tokens.tenant_id.map(|it| self::tenant(&it)).transpose()?;
    let tenant_or_any = tenant.as_deref().unwrap_or(ANY_TENANT);
    let known = Preset::of(endpoint_type);
    let authority = parameters.tokens.authority_url.clone().or_else(|| {
        let preset = known?;
        let of_token_url =
            parameters.tokens.token_url.as_deref().and_then(|it| preset.authority_of(it, tenant_or_any));
        Some(of_token_url.unwrap_or(preset.authority).to_owned())
    });
    let known = known.zip(authority.as_deref());
    let token_url = match (parameters.tokens.token_url, known) {
        (Some(url), _) => address("TokenUrl", &url)?,
        (None, Some((preset, authority))) => {
            address("AuthorityUrl", &preset.token_url(authority, tenant_or_any))?
        }
        (None, None) => String::new(),
    };
    let device_url = match (method.is_delegated(), parameters.saved.device_url, known) {
        (false, ..) | (true, None, None) => String::new(),
        (true, Some(url), _) => address("DeviceUrl", &url)?,
        (true, None, Some((preset, authority))) => preset.device_url(authority, tenant_or_any),
    };
    let scope = match plain("Scope", parameters.tokens.scope)? {
        Some(scope) => scope,
        None => known.map(|(preset, _)| preset.scope_of(method).to_owned()).unwrap_or_default(),
    };
    Ok(OAuth { grant, token_url, device_url, client_id, scope, tenant })
}

/// Checks a URL that receives secrets: TLS, or this machine.
fn address(parameter: &str, url: &str) -> Result<String, Failure> {
    let url = url.trim();
    TokenUrl::parse(url)
        .map(|_| url.to_owned())
        .map_err(|words| Failure::invalid(format_args!("{parameter}: {words}")))
}

/// Checks a GUID or domain. It must not change the rest of the URL that it becomes part of.
fn tenant(text: &str) -> Result<String, Failure> {
    let tenant = text.trim();
    let is_name = !tenant.is_empty()
        && tenant.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_'));
    if is_name && !tenant.starts_with('.') {
        return Ok(tenant.to_owned());
    }
    Err(Failure::invalid("TenantId must be the organisation's GUID or domain")
        .with_advice("The Entra admin center shows it on the overview page, as Tenant ID."))
}

/// Checks a non-empty text without line breaks.
fn plain(parameter: &str, text: Option<String>) -> Result<Option<String>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(Failure::invalid(format_args!("{parameter} must be one line of text, not empty")));
    }
    Ok(Some(text.to_owned()))
}

/// Checks a program and its arguments.
fn program(command: Vec<String>) -> Result<Vec<String>, Failure> {
    match command.first() {
        Some(program) if std::path::Path::new(program).is_absolute() => Ok(command),
        _ => Err(Failure::invalid("TokenCommand must begin with the full path of a program").with_advice(
            "Example: -TokenCommand /usr/local/bin/token,{user}: program and arguments, separated by commas.",
        )),
    }
}

#[cfg(test)]
mod tests;
