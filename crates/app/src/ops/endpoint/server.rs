//! Server of a new endpoint: parameters of New-MigrationEndpoint and Test-MigrationServerAvailability.

use mailhaul_mail::{Reach, Secret};
use mailhaul_migration::{Endpoint, EndpointSecurity, EndpointType};
use mailhaul_operations::{Bytes, Failure};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    access::{AccessParameters, Preset, names, new_access},
    settings::{self, Authentication},
};

/// Port on which connections become encrypted by STARTTLS.
const STARTTLS_PORT: u16 = 143;

/// Connection to a server. Each field is the parameter of its name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ServerParameters {
    /// Host of the IMAP server [preset for Microsoft365 and GoogleWorkspace].
    remote_server: Option<String>,
    /// TCP port [default: 993 with Ssl, 143 with Tls or None].
    #[schemars(range(min = 1))]
    port: Option<u16>,
    /// Encryption of the connection [default: Ssl, on port 143 Tls].
    security: Option<EndpointSecurity>,
    /// Sign-in method of users.
    authentication: Option<Authentication>,
    /// Accepts any certificate. An attacker on the network can read passwords and mail.
    #[serde(default)]
    accept_untrusted_certificates: bool,
    /// PEM file of certificate authorities, trusted instead of the system's.
    certificate_authorities: Option<Bytes>,
    /// SHA-256 of the only accepted certificate (64 hexadecimal digits, colons allowed).
    certificate_sha256: Option<String>,
}

impl ServerParameters {
    /// Names of the parameters that an existing endpoint has settings for, and that were given.
    pub(crate) fn given(&self) -> impl Iterator<Item = &'static str> {
        names([
            ("RemoteServer", self.remote_server.is_some()),
            ("Port", self.port.is_some()),
            ("Security", self.security.is_some()),
            ("AcceptUntrustedCertificates", self.accept_untrusted_certificates),
            ("CertificateAuthorities", self.certificate_authorities.is_some()),
            ("CertificateSha256", self.certificate_sha256.is_some()),
        ])
    }

    /// True if a server is named, or preset for the type.
    pub(crate) fn names_server(&self, endpoint_type: EndpointType) -> bool {
        self.remote_server.is_some() || Preset::of(endpoint_type).is_some()
    }

    /// Builds an endpoint without limits that is not saved, and its secret.
    ///
    /// # Errors
    /// A parameter is missing, contradicts another one, or cannot be read; the error names it.
    pub(crate) fn endpoint(
        self,
        endpoint_type: EndpointType,
        access: AccessParameters,
        reach: Reach,
    ) -> Result<(Endpoint, Option<Secret>), Failure> {
        Authentication::check(self.authentication)?;
        let preset = Preset::of(endpoint_type);
        let server = self.remote_server.as_deref().or(preset.map(|preset| preset.remote_server));
        let server = server.ok_or_else(|| Failure::invalid("RemoteServer must be given"))?;
        // On port 143 a server speaks without TLS until STARTTLS.
        let usual =
            if self.port == Some(STARTTLS_PORT) { EndpointSecurity::Tls } else { EndpointSecurity::Ssl };
        let security = self.security.or(preset.map(|preset| preset.security)).unwrap_or(usual);
        let (access, secret) = new_access(endpoint_type, access)?;
        let endpoint = Endpoint {
            name: server.to_owned(),
            endpoint_type,
            port: self.port.unwrap_or_else(|| settings::usual_port(security)),
            security,
            accept_untrusted_certificates: self.accept_untrusted_certificates,
            certificate_authorities: self
                .certificate_authorities
                .as_ref()
                .map(settings::authorities)
                .transpose()?,
            certificate_sha256: self.certificate_sha256.as_deref().map(settings::fingerprint).transpose()?,
            server_profile: preset.map(|preset| preset.server_profile.to_owned()),
            reach,
            access,
            ..Endpoint::of_server(settings::host(server)?)
        };
        Ok((endpoint, secret))
    }
}
