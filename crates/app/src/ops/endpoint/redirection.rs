//! Protects saved secrets: a change of the server needs the secret again.
//!
//! The right to change an endpoint is not the right to learn its passwords. The next test or pass
//! would send a saved password to the new server.

use mailhaul_migration::{Access, Endpoint, EndpointSecurity};
use mailhaul_operations::{Caller, Failure, Role};
use mailhaul_store::{NewSecret, Store};

use crate::ops::shared::failures::into_failure;

/// Refuses a change that would send the saved secret to another server, or make it readable on the
/// network.
pub(crate) async fn check(
    store: &Store,
    caller: &Caller,
    before: &Endpoint,
    after: &Endpoint,
    secret: &NewSecret,
    is_command_given: bool,
) -> Result<(), Failure> {
    let Some(parameter) = changed_parameter(before, after) else { return Ok(()) };
    let is_typed = !matches!(secret, NewSecret::Keep) || is_command_given;
    let again = match &after.access {
        Access::Users => None,
        Access::Admin(_) => Some("-Credential"),
        Access::OAuth(_) => Some(
            "-ClientSecret, -CertificateFile, -ServiceAccountKeyFileData, -RefreshToken, -AccessToken or -TokenCommand",
        ),
    };
    if let Some(again) = again.filter(|_| !is_typed) {
        let words = format!("{parameter} would send the saved secret to another server");
        let advice = format!("Give {again} again, if that server may receive the secret.");
        return Err(Failure::invalid(words).with_advice(advice));
    }
    let passwords = store.endpoints().count_passwords(before.guid).await.map_err(into_failure)?;
    if passwords > 0 && caller.role < Role::Admin {
        let words = format!("{parameter} would send the passwords of {passwords} users to another server");
        return Err(Failure::forbidden(words).with_advice(
            "An administrator may change it. Or make another endpoint, and a batch with the passwords for it.",
        ));
    }
    Ok(())
}

/// Finds the change that would send secrets to another server, or over a less protected connection.
fn changed_parameter(before: &Endpoint, after: &Endpoint) -> Option<&'static str> {
    let is_pinned =
        after.certificate_sha256.is_some() && after.certificate_sha256 == before.certificate_sha256;
    let strength = |security: EndpointSecurity| match security {
        EndpointSecurity::None => 0,
        EndpointSecurity::Tls | EndpointSecurity::Ssl => 1,
    };
    let is_gmail_new = after.gmail_api.is_some()
        && after.gmail_api != before.gmail_api
        // A Gmail API that is turned on at Google's own address is no redirection.
        && (before.gmail_api.is_some() || !super::access::is_usual_gmail_api(after.gmail_api.as_deref()));
    let changes = [
        ("RemoteServer", !after.remote_server.eq_ignore_ascii_case(&before.remote_server)),
        ("Port", after.port != before.port),
        ("Security", strength(after.security) < strength(before.security)),
        ("CertificateSha256", after.certificate_sha256 != before.certificate_sha256),
        (
            "AcceptUntrustedCertificates",
            after.accept_untrusted_certificates && !before.accept_untrusted_certificates && !is_pinned,
        ),
        (
            "CertificateAuthorities",
            after.certificate_authorities != before.certificate_authorities && !is_pinned,
        ),
        ("GmailApiUrl", is_gmail_new),
    ];
    changes.into_iter().find(|(_, is_changed)| *is_changed).map(|(name, _)| name)
}
