//! Endpoint settings of New- and Set-MigrationEndpoint, and their checks.

use mailhaul_imap::TlsOptions;
use mailhaul_mail::Secret;
use mailhaul_migration::{Access, AdminAccess, AdminForm, Endpoint, EndpointSecurity, Limit};
use mailhaul_operations::{Bytes, Credential, Failure};
use mailhaul_remotes::Profiles;
use schemars::JsonSchema;
use serde::Deserialize;

use super::availability::new_bearer;
use crate::{
    certificate_pin::pin,
    ops::shared::names::ARCHIVE,
    probe::{Login, ProbeRequest, advice::setup::setup, probe},
    service::access::account::{admin_credentials, connect_options},
};

/// Sign-in method of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum Authentication {
    /// User name and password, with the strongest mechanism that the server offers.
    Basic,
    /// Not supported.
    Ntlm,
}

impl Authentication {
    pub(crate) fn check(given: Option<Self>) -> Result<(), Failure> {
        match given {
            Some(Self::Ntlm) => Err(Failure::invalid("Authentication Ntlm is not supported").with_advice(
                "Omit the parameter, or write Basic: mailhaul uses the strongest mechanism that the server offers.",
            )),
            Some(Self::Basic) | None => Ok(()),
        }
    }
}

/// Default port for this security.
pub(crate) fn usual_port(security: EndpointSecurity) -> u16 {
    match security {
        EndpointSecurity::Ssl => 993,
        EndpointSecurity::Tls | EndpointSecurity::None => 143,
    }
}

/// Checks the name of an endpoint.
pub(crate) fn name(name: &str) -> Result<String, Failure> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Failure::invalid("Name must not be empty"));
    }
    if name.eq_ignore_ascii_case(ARCHIVE) {
        return Err(Failure::invalid(format_args!(
            "Name: \"{name}\" is reserved for the archive in the data directory"
        ))
        .with_advice("Choose another name."));
    }
    Ok(name.to_owned())
}

/// Checks a host: no URL, no port, no user.
pub(crate) fn host(text: &str) -> Result<String, Failure> {
    let host = text.trim();
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
    let is_address = bare.parse::<std::net::IpAddr>().is_ok();
    let is_name =
        !host.is_empty() && host.chars().all(|it| it.is_alphanumeric() || matches!(it, '.' | '-' | '_'));
    if is_address || is_name {
        return Ok(bare.to_owned());
    }
    // Not repeated: the text may contain a password.
    Err(Failure::invalid("RemoteServer must be a host name or an IP address, without anything else")
        .with_advice("Example: imap.contoso.com. The port goes into -Port."))
}

/// Reads a PEM file of certificate authorities.
pub(crate) fn authorities(file: &Bytes) -> Result<String, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::invalid(format_args!("CertificateAuthorities: {why}"))
            .with_advice("Give a PEM file; each certificate in it begins with -----BEGIN CERTIFICATE-----.")
    };
    let pem = std::str::from_utf8(file).map_err(|_| wrong(&"the file is not text"))?;
    let options = TlsOptions { ca_pem: Some(pem.to_owned()), ..TlsOptions::default() };
    options.check().map_err(|error| wrong(&error))?;
    Ok(pem.to_owned())
}

/// Parses the SHA-256 of a certificate in hexadecimal digits.
pub(crate) fn fingerprint(text: &str) -> Result<[u8; 32], Failure> {
    let pin = pin(text.trim());
    pin.map(|it| it.0).map_err(|error| Failure::invalid(format_args!("CertificateSha256: {error}")))
}

/// Refuses more incremental syncs than migrations.
pub(crate) fn check_limits(migrations: Limit, incremental: Limit) -> Result<(), Failure> {
    if incremental <= migrations {
        return Ok(());
    }
    Err(Failure::invalid(format_args!(
        "MaxConcurrentIncrementalSyncs ({incremental}) must not be above MaxConcurrentMigrations ({migrations})"
    ))
    .with_advice(format_args!("Also give -MaxConcurrentIncrementalSyncs {migrations} or less.")))
}

/// Builds the administrator login that opens every mailbox.
pub(crate) fn admin(
    credential: Credential,
    template: Option<&str>,
) -> Result<(AdminAccess, Secret), Failure> {
    if credential.user_name.trim().is_empty() {
        return Err(Failure::invalid("Credential: the user name must not be empty"));
    }
    let form = admin_form(template)?;
    Ok((AdminAccess { user_name: credential.user_name, form }, credential.password))
}

/// Parses the form of the administrator's login.
pub(crate) fn admin_form(template: Option<&str>) -> Result<AdminForm, Failure> {
    let form = AdminForm::of_setting(template.map(str::to_owned));
    match &form {
        AdminForm::Template(template) if !template.contains("{user}") => {
            Err(Failure::invalid("UserNameTemplate must contain {user}").with_advice(
                "Examples: {user}*{admin} (Dovecot), contoso/{admin}/{user} (Exchange), PROXYAUTH (Oracle). \
                 Without a template, the SASL authorization identity names the mailbox.",
            ))
        }
        _ => Ok(form),
    }
}

/// Finds a server profile by name; returns its exact spelling.
pub(crate) fn server_profile(name: &str) -> Result<String, Failure> {
    let profiles = Profiles::built_in();
    let Some(profile) = profiles.find(name.trim()) else {
        let names: Vec<&str> = profiles.names().collect();
        let advice = format!("The profiles are {}.", names.join(", "));
        let failure = Failure::invalid(format!("there is no server profile \"{name}\""));
        return Err(failure.with_advice(advice).at("ServerProfile"));
    };
    Ok(profile.name.clone())
}

/// Finds a sign-in mechanism by name; returns its usual spelling.
pub(crate) fn auth_mechanism(name: &str) -> Result<String, Failure> {
    mailhaul_imap::mechanism(name.trim()).map(str::to_owned).ok_or_else(|| {
        let advice = format!("The mechanisms are {}.", mailhaul_imap::mechanism_names().join(", "));
        let failure = Failure::invalid(format!("there is no sign-in mechanism \"{name}\""));
        failure.with_advice(advice).at("AuthMechanism")
    })
}

/// Connects to the endpoint's server, and opens `mailbox` if given.
///
/// The advice of a failure includes the setup commands of the server's side.
pub(crate) async fn verify(
    endpoint: &Endpoint,
    secret: Option<&Secret>,
    mailbox: Option<String>,
) -> Result<(), Failure> {
    let login = match (&endpoint.access, mailbox) {
        (Access::OAuth(_), mailbox) => {
            let names_one = mailbox.is_some();
            match new_bearer(endpoint, secret, mailbox) {
                Login::None if names_one => return Err(cannot_open("the endpoint is not saved yet")),
                login => login,
            }
        }
        (Access::Admin(admin), Some(mailbox)) => match secret {
            Some(password) => Login::KnownForm(admin_credentials(admin, password.clone(), &mailbox)),
            None => return Err(cannot_open("the administrator has no password")),
        },
        (Access::Users, Some(_)) => {
            return Err(cannot_open("each user signs in with the password of the CSV file"));
        }
        (_, None) => Login::None,
    };
    let request = ProbeRequest::quick(connect_options(endpoint), login);
    let (findings, outcome) = Box::pin(probe(&request)).await;
    outcome.map_err(|it| {
        let mut advice =
            format!("{} With -SkipVerification, mailhaul saves the endpoint without a test.", it.advice);
        let lines = request.login.side().map(setup).unwrap_or_default();
        if !lines.is_empty() {
            advice = format!("{advice} Setup on the server's side:\n{}", lines.join("\n"));
        }
        let failure = Failure::unavailable(format_args!("{}: {}", it.message, it.detail)).with_advice(advice);
        // Before the server's capabilities are known, no login was used.
        if findings.capabilities.is_empty() { failure.at("RemoteServer") } else { failure }
    })
}

fn cannot_open(why: &str) -> Failure {
    Failure::invalid(format_args!("TestMailbox cannot be opened here: {why}"))
        .with_advice("Omit it, and run Test-MigrationEndpoint after the endpoint is saved.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_those_that_there_are() {
        assert_eq!(server_profile(" microsoft 365 ").unwrap(), "Microsoft 365");
        assert_eq!(auth_mechanism(" plain").unwrap(), "PLAIN");
        assert!(auth_mechanism("GSSAPI").unwrap_err().advice.unwrap().contains("SCRAM-SHA-256"));
        let failure = server_profile("Lotus").unwrap_err();
        assert!(failure.message.contains("\"Lotus\""), "{failure:?}");
    }

    #[test]
    fn hosts_are_hosts() {
        for (text, host_of) in
            [("imap.contoso.com ", "imap.contoso.com"), ("[::1]", "::1"), ("10.0.0.1", "10.0.0.1")]
        {
            assert_eq!(host(text).unwrap(), host_of);
        }
        for wrong in ["", "imaps://imap.contoso.com", "imap.contoso.com:993", "a b", "ann@imap.contoso.com"] {
            let failure = host(wrong).unwrap_err();
            assert!(
                failure.message.contains("RemoteServer") && !failure.message.contains("ann"),
                "{failure}"
            );
        }
    }

    #[test]
    fn later_passes_are_no_more_than_passes() {
        assert!(check_limits(Limit::At(5), Limit::At(5)).is_ok());
        assert!(check_limits(Limit::Unlimited, Limit::Unlimited).is_ok());
        let failure = check_limits(Limit::At(5), Limit::Unlimited).unwrap_err();
        assert!(failure.message.contains("(Unlimited)") && failure.message.contains("(5)"), "{failure}");
    }
}
