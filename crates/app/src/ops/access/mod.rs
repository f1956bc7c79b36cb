//! Who opens the mailboxes of an endpoint, out of what New- and Set-MigrationEndpoint are told.
//!
//! `way` chooses by which parameters were given, `preset` knows what is known of a service, `inherit`
//! says what a change keeps. Here settings and secrets are put together.

mod inherit;
mod preset;
mod way;

use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_migration::{Access, AdminAccess, EndpointType, Grant, OAuth};
use mailhaul_oauth::{CertificateFile, ServiceAccountKey, TokenUrl};
use mailhaul_operations::{Bytes, Caller, Credential, Failure, SecretText};
use mailhaul_store::NewSecret;

pub(crate) use self::preset::Preset;
use self::{
    preset::{ANY_TENANT, GMAIL_API},
    way::{Way, check, choose},
};
use super::endpoint_settings as settings;

/// What says who opens the mailboxes. Each field is the parameter of its name.
#[derive(Debug, Default)]
pub(crate) struct AccessParameters {
    pub(crate) credential: Option<Credential>,
    pub(crate) user_name_template: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) application_id: Option<String>,
    pub(crate) client_secret: Option<SecretText>,
    pub(crate) certificate_file: Option<Bytes>,
    pub(crate) service_account_key_file_data: Option<Bytes>,
    pub(crate) refresh_token: Option<SecretText>,
    pub(crate) access_token: Option<SecretText>,
    pub(crate) token_command: Option<Vec<String>>,
    pub(crate) authority_url: Option<String>,
    pub(crate) token_url: Option<String>,
    pub(crate) device_url: Option<String>,
    pub(crate) scope: Option<String>,
}

impl AccessParameters {
    /// The names of those that were given.
    fn given(&self) -> Vec<&'static str> {
        [
            ("Credential", self.credential.is_some()),
            ("UserNameTemplate", self.user_name_template.is_some()),
            ("TenantId", self.tenant_id.is_some()),
            ("ApplicationId", self.application_id.is_some()),
            ("ClientSecret", self.client_secret.is_some()),
            ("CertificateFile", self.certificate_file.is_some()),
            ("ServiceAccountKeyFileData", self.service_account_key_file_data.is_some()),
            ("RefreshToken", self.refresh_token.is_some()),
            ("AccessToken", self.access_token.is_some()),
            ("TokenCommand", self.token_command.is_some()),
            ("AuthorityUrl", self.authority_url.is_some()),
            ("TokenUrl", self.token_url.is_some()),
            ("DeviceUrl", self.device_url.is_some()),
            ("Scope", self.scope.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name))
        .collect()
    }
}

/// The switches that say what kind of service an endpoint is.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
pub(crate) struct Kinds {
    pub(crate) imap: bool,
    pub(crate) microsoft_365: bool,
    pub(crate) google_workspace: bool,
    pub(crate) gmail: bool,
}

impl Kinds {
    /// The kind that is meant: one at most is given, and IMAP where none is.
    pub(crate) fn endpoint_type(self) -> Result<EndpointType, Failure> {
        let google = if self.google_workspace { "GoogleWorkspace" } else { "Gmail" };
        let given: Vec<(&str, EndpointType)> = [
            ("IMAP", self.imap, EndpointType::Imap),
            ("Microsoft365", self.microsoft_365, EndpointType::Microsoft365),
            (google, self.google_workspace || self.gmail, EndpointType::GoogleWorkspace),
        ]
        .into_iter()
        .filter_map(|(name, is_given, kind)| is_given.then_some((name, kind)))
        .collect();
        match given.as_slice() {
            [] => Ok(EndpointType::Imap),
            [(_, kind)] => Ok(*kind),
            [(one, _), (other, _), ..] => {
                Err(Failure::invalid(format_args!("either {one} or {other} can be given, not both")))
            }
        }
    }
}

/// A program that runs as the service is named only by those who may run programs there.
pub(crate) fn here_alone(caller: &Caller, is_command: bool) -> Result<(), Failure> {
    if is_command && !caller.is_local {
        return Err(Failure::forbidden("TokenCommand can be set on the machine itself only")
            .with_advice("Run mailhaul where the service runs: the command runs there, as the service."));
    }
    Ok(())
}

/// The address of Gmail's API, where messages are to be uploaded by it.
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
        return Err(Failure::invalid(format_args!("{name} is nothing for {endpoint_type}"))
            .with_advice("It belongs to -GoogleWorkspace."));
    }
    address("GmailApiUrl", url.unwrap_or(GMAIL_API)).map(Some)
}

/// True for the address of Gmail's API at Google.
pub(crate) fn is_usual_gmail_api(url: Option<&str>) -> bool {
    url.is_some_and(|url| url.trim_end_matches('/') == GMAIL_API.trim_end_matches('/'))
}

/// Who opens the mailboxes of a new endpoint, and with which secret.
///
/// # Errors
/// Names what is missing, does not fit together or cannot be read.
pub(crate) fn new_access(
    endpoint_type: EndpointType,
    parameters: AccessParameters,
) -> Result<(Access, Option<Secret>), Failure> {
    let given = parameters.given();
    let way = choose(&given, Way::Users)?;
    check(way, endpoint_type, &given)?;
    access(way, endpoint_type, &Access::Users, parameters)
}

/// Who opens the mailboxes of an endpoint that is changed, and what becomes of the secret.
///
/// # Errors
/// As [`new_access`]; also where the secret that is kept would be told to another token server.
pub(crate) fn changed_access(
    endpoint_type: EndpointType,
    before: &Access,
    mut parameters: AccessParameters,
) -> Result<(Access, NewSecret), Failure> {
    let given = parameters.given();
    if given.is_empty() {
        return Ok((before.clone(), NewSecret::Keep));
    }
    let way_before = Way::of(before);
    let way = choose(&given, way_before)?;
    inherit::inherit(endpoint_type, before, way, &mut parameters);
    check(way, endpoint_type, &parameters.given())?;
    let (after, secret) = access(way, endpoint_type, before, parameters)?;
    let secret = match secret {
        Some(secret) => NewSecret::Set(secret),
        None if way == way_before => NewSecret::Keep,
        None => NewSecret::Remove,
    };
    if matches!(secret, NewSecret::Keep) && way.tells_secret() && token_host(before) != token_host(&after) {
        return Err(Failure::invalid("the secret that is kept would be told to another token server")
            .with_advice("Give -ClientSecret or -RefreshToken as well, if that server may have it."));
    }
    Ok((after, secret))
}

fn token_host(access: &Access) -> Option<String> {
    let url = TokenUrl::parse(&access.oauth()?.token_url).ok()?;
    Some(url.authority())
}

/// Settings and secret of a way that fits. What a key says and is not given anew stays as it was before.
fn access(
    way: Way,
    endpoint_type: EndpointType,
    before: &Access,
    mut parameters: AccessParameters,
) -> Result<(Access, Option<Secret>), Failure> {
    let grant_before = || before.oauth().map(|it| it.grant.clone());
    let text = |it: Option<SecretText>| it.map(|it| it.0);
    let (grant, secret) = match way {
        Way::Users => return Ok((Access::Users, None)),
        Way::Admin => return admin(before, parameters),
        Way::ClientSecret => (Grant::ClientSecret, text(parameters.client_secret.take())),
        Way::Token => (Grant::Token, text(parameters.access_token.take())),
        Way::RefreshToken => (Grant::RefreshToken { user: None }, text(parameters.refresh_token.take())),
        Way::Device => (grant_before().unwrap_or(Grant::RefreshToken { user: None }), None),
        Way::Command => match parameters.token_command.take() {
            Some(command) => (Grant::Command { command: program(command)? }, None),
            None => (grant_before().unwrap_or(Grant::Command { command: Vec::new() }), None),
        },
        Way::Certificate => match parameters.certificate_file.take() {
            Some(file) => {
                let file = CertificateFile::parse(&file, Timestamp::now());
                let file =
                    file.map_err(|words| Failure::invalid(format_args!("CertificateFile: {words}")))?;
                (Grant::ClientCertificate { certificate: file.certificate }, Some(file.private_key))
            }
            None => (grant_before().unwrap_or(Grant::ClientSecret), None),
        },
        Way::ServiceAccount => {
            if let Some(file) = parameters.service_account_key_file_data.take() {
                let key = ServiceAccountKey::parse(&file);
                let key = key
                    .map_err(|words| Failure::invalid(format_args!("ServiceAccountKeyFileData: {words}")))?;
                parameters.application_id = Some(key.client_id);
                (Grant::ServiceAccount { email: key.email, key_id: key.key_id }, Some(key.private_key))
            } else {
                parameters.application_id = before.oauth().map(|it| it.client_id.clone());
                (grant_before().unwrap_or(Grant::ClientSecret), None)
            }
        }
    };
    Ok((Access::OAuth(oauth(way, endpoint_type, grant, parameters)?), secret))
}

/// An administrator, or the one that there was with another form.
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

/// Where tokens come from, with what is known of the service where nothing else is said.
fn oauth(
    way: Way,
    endpoint_type: EndpointType,
    grant: Grant,
    parameters: AccessParameters,
) -> Result<OAuth, Failure> {
    let client_id = plain("ApplicationId", parameters.application_id)?.unwrap_or_default();
    if !way.asks_a_server() {
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
    let tenant = parameters.tenant_id.map(|it| self::tenant(&it)).transpose()?;
    let tenant_or_any = tenant.as_deref().unwrap_or(ANY_TENANT);
    let known = Preset::of(endpoint_type);
    let authority = parameters.authority_url.clone().or_else(|| {
        let preset = known?;
        let of_token_url =
            parameters.token_url.as_deref().and_then(|it| preset.authority_of(it, tenant_or_any));
        Some(of_token_url.unwrap_or(preset.authority).to_owned())
    });
    let known = known.zip(authority.as_deref());
    let token_url = match (parameters.token_url, known) {
        (Some(url), _) => address("TokenUrl", &url)?,
        (None, Some((preset, authority))) => {
            address("AuthorityUrl", &preset.token_url(authority, tenant_or_any))?
        }
        (None, None) => String::new(),
    };
    let device_url = match (way.is_delegated(), parameters.device_url, known) {
        (false, ..) | (true, None, None) => String::new(),
        (true, Some(url), _) => address("DeviceUrl", &url)?,
        (true, None, Some((preset, authority))) => preset.device_url(authority, tenant_or_any),
    };
    let scope = match plain("Scope", parameters.scope)? {
        Some(scope) => scope,
        None => known.map(|(preset, _)| preset.scope_of(way).to_owned()).unwrap_or_default(),
    };
    Ok(OAuth { grant, token_url, device_url, client_id, scope, tenant })
}

/// An address to which secrets go: over TLS, or to this machine.
fn address(parameter: &str, url: &str) -> Result<String, Failure> {
    let url = url.trim();
    TokenUrl::parse(url)
        .map(|_| url.to_owned())
        .map_err(|words| Failure::invalid(format_args!("{parameter}: {words}")))
}

/// A GUID or a domain, and nothing that would change the address that it becomes part of.
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

/// A text without line breaks, which is not empty.
fn plain(parameter: &str, text: Option<String>) -> Result<Option<String>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(Failure::invalid(format_args!("{parameter} must be a line of text that is not empty")));
    }
    Ok(Some(text.to_owned()))
}

/// A program and its arguments.
fn program(command: Vec<String>) -> Result<Vec<String>, Failure> {
    match command.first() {
        Some(program) if std::path::Path::new(program).is_absolute() => Ok(command),
        _ => Err(Failure::invalid("TokenCommand must begin with the full path of a program").with_advice(
            "Write for example -TokenCommand /usr/local/bin/token,{user}: program and arguments, separated by commas.",
        )),
    }
}

#[cfg(test)]
mod tests;
