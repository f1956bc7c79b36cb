//! Access methods of an endpoint, chosen by the given parameters.

use mailhaul_migration::{Access, EndpointType, Grant};
use mailhaul_operations::Failure;

use EndpointType::{GoogleWorkspace, Imap, Microsoft365};

/// Method to open mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessMethod {
    /// Password of each user.
    Users,
    /// Password of an administrator.
    Admin,
    /// Secret of an application.
    ClientSecret,
    /// Certificate of an application.
    Certificate,
    /// Key of a service account.
    ServiceAccount,
    /// Refresh token from elsewhere.
    RefreshToken,
    /// A user signs in on another device; mailhaul saves the refresh token.
    Device,
    /// Command that prints tokens.
    Command,
    /// One token.
    Token,
}

/// Parameters of one access method.
struct Row {
    method: AccessMethod,
    /// The parameter that chooses it.
    by: &'static str,
    /// Endpoint types that support it, with the parameters that each needs.
    of: &'static [(EndpointType, &'static [&'static str])],
    /// Parameters that it also accepts.
    takes: &'static [&'static str],
}

/// Parameters without secrets that belong to some methods and types.
const SETTINGS: [&str; 7] =
    ["UserNameTemplate", "TenantId", "ApplicationId", "AuthorityUrl", "TokenUrl", "DeviceUrl", "Scope"];
/// Parameters of an application that acts in its own name.
const APPLICATION: &[&str] = &["TenantId", "ApplicationId", "AuthorityUrl", "TokenUrl", "Scope"];
/// Parameters of an application that a user signs in to.
const DELEGATED: &[&str] = &["TenantId", "ApplicationId", "AuthorityUrl", "TokenUrl", "DeviceUrl", "Scope"];

const ROWS: [Row; 8] = [
    Row { method: AccessMethod::Admin, by: "Credential", of: &[(Imap, &[])], takes: &["UserNameTemplate"] },
    Row {
        method: AccessMethod::ClientSecret,
        by: "ClientSecret",
        of: &[(Microsoft365, &["TenantId", "ApplicationId"]), (Imap, &["TokenUrl", "ApplicationId"])],
        takes: APPLICATION,
    },
    Row {
        method: AccessMethod::Certificate,
        by: "CertificateFile",
        of: &[(Microsoft365, &["TenantId", "ApplicationId"]), (Imap, &["TokenUrl", "ApplicationId"])],
        takes: APPLICATION,
    },
    Row {
        method: AccessMethod::ServiceAccount,
        by: "ServiceAccountKeyFileData",
        of: &[(GoogleWorkspace, &[])],
        takes: &["AuthorityUrl", "TokenUrl", "Scope"],
    },
    Row {
        method: AccessMethod::RefreshToken,
        by: "RefreshToken",
        of: &[
            (Microsoft365, &["ApplicationId"]),
            (GoogleWorkspace, &["ApplicationId"]),
            (Imap, &["TokenUrl", "ApplicationId"]),
        ],
        takes: DELEGATED,
    },
    Row {
        method: AccessMethod::Command,
        by: "TokenCommand",
        of: &[(Microsoft365, &[]), (GoogleWorkspace, &[]), (Imap, &[])],
        takes: &[],
    },
    Row {
        method: AccessMethod::Token,
        by: "AccessToken",
        of: &[(Microsoft365, &[]), (GoogleWorkspace, &[]), (Imap, &[])],
        takes: &[],
    },
    Row {
        method: AccessMethod::Device,
        by: "ApplicationId",
        of: &[(Microsoft365, &[]), (Imap, &["TokenUrl", "DeviceUrl"])],
        takes: DELEGATED,
    },
];

/// Parameters that do not apply to a type, with advice.
const NOT_OF: [(EndpointType, &str, &str); 3] = [
    (Imap, "TenantId", "Tenants exist only at Microsoft; give -Microsoft365, or -TokenUrl."),
    (Imap, "AuthorityUrl", "Give the full URL of the token endpoint with -TokenUrl."),
    (GoogleWorkspace, "TenantId", "Google finds the organisation by the user's address."),
];

/// Parameters that each type accepts.
pub(crate) fn advice(endpoint_type: EndpointType) -> &'static str {
    match endpoint_type {
        Microsoft365 => {
            "Microsoft 365 accepts no passwords over IMAP: give -TenantId and -ApplicationId with -ClientSecret or \
             -CertificateFile, or -ApplicationId alone and sign in later with mailhaul login."
        }
        GoogleWorkspace => {
            "Give -ServiceAccountKeyFileData, the JSON key of a service account. If users have app \
             passwords, give -IMAP -RemoteServer imap.gmail.com -Port 993 -Security Ssl."
        }
        Imap => {
            "For access tokens give -TokenUrl and -ApplicationId with -ClientSecret, -CertificateFile or -RefreshToken, or \
             -TokenCommand."
        }
    }
}

/// Chooses the method by the given parameters; `before` is that of the existing endpoint.
///
/// # Errors
/// Two parameters exclude each other; the error names them.
pub(crate) fn choose(given: &[&'static str], before: AccessMethod) -> Result<AccessMethod, Failure> {
    let chosen: Vec<&Row> =
        ROWS.iter().filter(|it| it.method != AccessMethod::Device && given.contains(&it.by)).collect();
    match chosen.as_slice() {
        [one, other, ..] => {
            Err(Failure::invalid(format_args!("either {} or {} can be given, not both", one.by, other.by)))
        }
        [one] => Ok(one.method),
        [] if before == AccessMethod::Users && given.contains(&"ApplicationId") => Ok(AccessMethod::Device),
        [] => Ok(before),
    }
}

/// Checks that an endpoint of this type supports the method with the given parameters.
///
/// # Errors
/// A parameter is missing or does not apply; the error names it.
pub(crate) fn check(
    method: AccessMethod,
    endpoint_type: EndpointType,
    given: &[&'static str],
) -> Result<(), Failure> {
    let is_given = |name: &str| given.contains(&name);
    let wrong = |words: String| Err(Failure::invalid(words).with_advice(advice(endpoint_type)));
    let Some(row) = ROWS.iter().find(|it| it.method == method) else { return users(endpoint_type, given) };
    let Some((_, needs)) = row.of.iter().find(|(it, _)| *it == endpoint_type) else {
        return wrong(format!("{} does not apply to {endpoint_type} endpoints", row.by));
    };
    if let Some((_, name, why)) = NOT_OF.iter().find(|(it, name, _)| *it == endpoint_type && is_given(name)) {
        return Err(Failure::invalid(format_args!("{name} does not apply to {endpoint_type} endpoints"))
            .with_advice(why));
    }
    if let Some(missing) = needs.iter().find(|it| !is_given(it)) {
        return wrong(format!("{} needs {missing}", row.by));
    }
    match SETTINGS.iter().find(|it| is_given(it) && !row.takes.contains(it)) {
        Some(&"UserNameTemplate") => Err(template_alone()),
        Some(other) => wrong(format!("{other} cannot be given with {}", row.by)),
        None => Ok(()),
    }
}

/// Checks the parameters of an endpoint without administrator and tokens.
fn users(endpoint_type: EndpointType, given: &[&'static str]) -> Result<(), Failure> {
    if endpoint_type != Imap {
        return Err(Failure::invalid(format_args!(
            "an endpoint of {endpoint_type} needs a login that opens the mailboxes"
        ))
        .with_advice(advice(endpoint_type)));
    }
    match SETTINGS.iter().find(|it| given.contains(it)) {
        None => Ok(()),
        Some(&"UserNameTemplate") => Err(template_alone()),
        Some(other) => Err(Failure::invalid(format_args!("{other} cannot be given alone"))
            .with_advice(advice(endpoint_type))),
    }
}

fn template_alone() -> Failure {
    Failure::invalid("UserNameTemplate needs Credential, the login of the administrator")
}

impl AccessMethod {
    pub(crate) fn of(access: &Access) -> Self {
        match access {
            Access::Users => Self::Users,
            Access::Admin(_) => Self::Admin,
            Access::OAuth(oauth) => match oauth.grant {
                Grant::ClientSecret => Self::ClientSecret,
                Grant::ClientCertificate { .. } => Self::Certificate,
                Grant::ServiceAccount { .. } => Self::ServiceAccount,
                Grant::RefreshToken { .. } => Self::Device,
                Grant::Command { .. } => Self::Command,
                Grant::Token => Self::Token,
            },
        }
    }

    /// True if a user signs in, and not an application in its own name.
    pub(crate) fn is_delegated(self) -> bool {
        matches!(self, Self::RefreshToken | Self::Device)
    }

    /// True if tokens come from a token server.
    pub(crate) fn asks_a_server(self) -> bool {
        self.takes("TokenUrl")
    }

    /// True if this setting can be given with the method.
    pub(crate) fn takes(self, setting: &str) -> bool {
        ROWS.iter().any(|it| it.method == self && it.takes.contains(&setting))
    }

    /// True if the token server receives the secret.
    pub(crate) fn tells_secret(self) -> bool {
        matches!(self, Self::ClientSecret | Self::RefreshToken | Self::Device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(
        endpoint_type: EndpointType,
        given: &[&'static str],
        before: AccessMethod,
    ) -> Result<AccessMethod, Failure> {
        let method = choose(given, before)?;
        check(method, endpoint_type, given).map(|()| method)
    }

    #[test]
    fn parameters_choose_the_way() {
        for (endpoint_type, given, method) in [
            (Imap, &[][..], AccessMethod::Users),
            (Imap, &["Credential"], AccessMethod::Admin),
            (Imap, &["Credential", "UserNameTemplate"], AccessMethod::Admin),
            (Imap, &["ClientSecret", "TokenUrl", "ApplicationId"], AccessMethod::ClientSecret),
            (Imap, &["ClientSecret", "TokenUrl", "ApplicationId", "Scope"], AccessMethod::ClientSecret),
            (Imap, &["ApplicationId", "TokenUrl", "DeviceUrl"], AccessMethod::Device),
            (Imap, &["RefreshToken", "ApplicationId", "TokenUrl"], AccessMethod::RefreshToken),
            (Imap, &["TokenCommand"], AccessMethod::Command),
            (Imap, &["AccessToken"], AccessMethod::Token),
            (Microsoft365, &["ClientSecret", "TenantId", "ApplicationId"], AccessMethod::ClientSecret),
            (
                Microsoft365,
                &["CertificateFile", "TenantId", "ApplicationId", "AuthorityUrl"],
                AccessMethod::Certificate,
            ),
            (Microsoft365, &["ApplicationId"], AccessMethod::Device),
            (Microsoft365, &["ApplicationId", "TenantId"], AccessMethod::Device),
            (Microsoft365, &["RefreshToken", "ApplicationId"], AccessMethod::RefreshToken),
            (GoogleWorkspace, &["ServiceAccountKeyFileData"], AccessMethod::ServiceAccount),
            (
                GoogleWorkspace,
                &["ServiceAccountKeyFileData", "Scope", "AuthorityUrl"],
                AccessMethod::ServiceAccount,
            ),
            (GoogleWorkspace, &["AccessToken"], AccessMethod::Token),
        ] {
            assert_eq!(
                decided(endpoint_type, given, AccessMethod::Users),
                Ok(method),
                "{endpoint_type} {given:?}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (endpoint_type, given, words) in [
            (Microsoft365, &[][..], "needs a login that opens"),
            (GoogleWorkspace, &[], "needs a login that opens"),
            (Microsoft365, &["TenantId"], "needs a login that opens"),
            (Microsoft365, &["ClientSecret", "CertificateFile"], "either ClientSecret or CertificateFile"),
            (Microsoft365, &["ClientSecret", "ApplicationId"], "ClientSecret needs TenantId"),
            (Microsoft365, &["CertificateFile", "TenantId"], "CertificateFile needs ApplicationId"),
            (
                Microsoft365,
                &["ServiceAccountKeyFileData"],
                "ServiceAccountKeyFileData does not apply to Microsoft365",
            ),
            (Microsoft365, &["Credential"], "Credential does not apply to Microsoft365"),
            (
                GoogleWorkspace,
                &["ClientSecret", "ApplicationId"],
                "ClientSecret does not apply to GoogleWorkspace",
            ),
            (GoogleWorkspace, &["ApplicationId"], "ApplicationId does not apply to GoogleWorkspace"),
            (
                GoogleWorkspace,
                &["ServiceAccountKeyFileData", "TenantId"],
                "TenantId does not apply to GoogleWorkspace",
            ),
            (
                GoogleWorkspace,
                &["ServiceAccountKeyFileData", "ApplicationId"],
                "ApplicationId cannot be given with",
            ),
            (Imap, &["ServiceAccountKeyFileData"], "does not apply to IMAP"),
            (Imap, &["ClientSecret", "ApplicationId"], "ClientSecret needs TokenUrl"),
            (
                Imap,
                &["ClientSecret", "ApplicationId", "TokenUrl", "TenantId"],
                "TenantId does not apply to IMAP",
            ),
            (
                Imap,
                &["ClientSecret", "ApplicationId", "TokenUrl", "DeviceUrl"],
                "DeviceUrl cannot be given with ClientSecret",
            ),
            (Imap, &["ApplicationId"], "ApplicationId needs TokenUrl"),
            (Imap, &["ApplicationId", "TokenUrl"], "ApplicationId needs DeviceUrl"),
            (Imap, &["Credential", "Scope"], "Scope cannot be given with Credential"),
            (Imap, &["Credential", "AccessToken"], "either Credential or AccessToken"),
            (Imap, &["AccessToken", "UserNameTemplate"], "UserNameTemplate needs Credential"),
            (Imap, &["UserNameTemplate"], "UserNameTemplate needs Credential"),
            (Imap, &["Scope"], "Scope cannot be given alone"),
        ] {
            let failure = decided(endpoint_type, given, AccessMethod::Users).unwrap_err();
            assert!(failure.message.contains(words), "{endpoint_type} {given:?}: {failure}");
        }
    }

    #[test]
    fn a_change_keeps_the_way_where_it_chooses_none() {
        let settings = &["TenantId", "ApplicationId", "Scope"][..];
        assert_eq!(decided(Microsoft365, settings, AccessMethod::Certificate), Ok(AccessMethod::Certificate));
        let other = &["TenantId", "ApplicationId", "ClientSecret"][..];
        assert_eq!(decided(Microsoft365, other, AccessMethod::Certificate), Ok(AccessMethod::ClientSecret));
        assert_eq!(decided(Imap, &["UserNameTemplate"], AccessMethod::Admin), Ok(AccessMethod::Admin));
        assert_eq!(decided(Imap, &[], AccessMethod::Users), Ok(AccessMethod::Users));
        assert!(decided(Imap, &["Scope"], AccessMethod::Token).is_err());
    }
}
